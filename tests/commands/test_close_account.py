"""An account ends when nothing is left to supply and nothing to pay."""

from collections.abc import Callable

import pytest

from ledger.aggregates import Refused
from tests.harness.desk import Desk, Json, point


def close_code(desk: Desk) -> str:
    with pytest.raises(Refused) as refusal:
        desk.close_account("A1")
    return refusal.value.code


def test_an_account_is_closed_step_by_step(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    assert close_code(desk) == "service_points_left"
    desk.remove("A1", "2026-01-15", {"total": "90"})
    assert close_code(desk) == "balance_not_zero"
    desk.recharge("A1", 45_00)
    assert desk.close_account("A1")["status"] == "closed"
    assert close_code(desk) == "account_not_open"


def test_a_closed_account_takes_nothing_more(desk: Desk) -> None:
    desk.open("A1")
    receipt_no = desk.recharge("A1", 10_00)["receipt_no"]
    desk.adjust("A1", -10_00)
    desk.close_account("A1")
    desk.restart()
    heads = desk.heads()
    doors: list[Callable[[], Json]] = [
        lambda: desk.recharge("A1", 10_00),
        lambda: desk.adjust("A1", 10_00),
        lambda: desk.reverse(receipt_no),
        lambda: desk.install("A1", point("M1")),
    ]
    for door in doors:
        with pytest.raises(Refused) as refusal:
            door()
        assert refusal.value.code == "account_not_open"
    assert desk.heads() == heads


def test_readings_of_a_closed_account_are_kept_aside(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.remove("A1", "2026-01-15", {"total": "0"})
    desk.close_account("A1")
    answer = desk.read("M1", "2026-01-16", 1)
    assert [item["code"] for item in answer["quarantined"]] == ["meter_unknown"]
