"""A reading that was taken is corrected or cancelled; what was posted stays."""

from typing import Any

import pytest

from ledger.aggregates import Refused
from ledger.commands.correct_reading import CancelReading, CorrectReading, handle
from tests.harness.desk import ACTOR, Desk, Json, moment, point
from tests.harness.readings import codes, counts


def correct(desk: Desk, meter_no: str, at: str, total: str, *, is_preview: bool = False) -> Json:
    command = CorrectReading.model_validate(
        {"meter_no": meter_no, "at": moment(at), "registers": {"total": total}, "reason": "typo"}
    )
    return handle(command, desk.ledger, ACTOR, is_preview=is_preview).body


def cancel(desk: Desk, meter_no: str, at: str) -> Json:
    command = CancelReading(meter_no=meter_no, at=moment(at), reason="another meter's")
    return handle(command, desk.ledger, ACTOR).body


def balance(desk: Desk) -> int:
    return desk.account("A1").balance_minor


def refused(code: str, door: Any, *args: Any) -> None:  # noqa: ANN401 - any door
    with pytest.raises(Refused) as refusal:
        door(*args)
    assert refusal.value.code == code


@pytest.fixture(autouse=True)
def opened(desk: Desk) -> None:
    desk.open("A1", point("M1", "tiered"))


def test_a_corrected_reading_moves_what_lies_on_both_sides(desk: Desk) -> None:
    desk.read("M1", "2026-02-01", 100_000)
    desk.read("M1", "2026-03-01", 200_000)
    answer = correct(desk, "M1", "2026-02-01", "80")
    assert (answer["changed"], answer["cause"], answer["reason"]) == (True, "corrected", "typo")
    assert answer["amount_minor"] == 20 * (60 - 50)
    assert balance(desk) == -(80 * 50 + 100 * 50 + 20 * 60)
    assert [each["registers"]["total"]["quantity"] for each in answer["replaced"]] == ["100", "100"]
    assert [each["registers"]["total"]["quantity"] for each in answer["intervals"]] == ["80", "120"]


def test_a_preview_shows_the_lines_and_writes_nothing(desk: Desk) -> None:
    desk.read("M1", "2026-02-01", 150_000)
    heads, before = desk.heads(), balance(desk)
    preview = correct(desk, "M1", "2026-02-01", "110", is_preview=True)
    assert (desk.heads(), balance(desk)) == (heads, before)
    assert preview["positions"] == {}
    (line,) = preview["lines"]
    assert (line["id"], line["amount_minor"]) == ("energy", -40 * 60)
    answer = correct(desk, "M1", "2026-02-01", "110")
    assert answer["lines"] == preview["lines"]
    assert balance(desk) == preview["balance_after_minor"] == -(100 * 50 + 10 * 60)


def test_the_last_reading_corrected_is_where_the_next_one_begins(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 50_000)
    correct(desk, "M1", "2026-01-02", "5")
    assert desk.account("A1").points[0].registers == (5_000,)
    assert counts(desk.read("M1", "2026-01-02", 5_000)) == (0, 1, [])
    assert counts(desk.read("M1", "2026-01-02", 50_000)) == (0, 1, [])
    assert counts(desk.read("M1", "2026-01-03", 10_000)) == (1, 0, [])
    assert balance(desk) == -5_00


def test_a_correction_told_twice_changes_nothing_more(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 50_000)
    correct(desk, "M1", "2026-01-02", "5")
    heads = desk.heads()
    assert correct(desk, "M1", "2026-01-02", "5")["changed"] is False
    assert desk.heads() == heads


def test_a_cancelled_reading_joins_its_neighbours(desk: Desk) -> None:
    desk.read("M1", "2026-02-01", 150_000)
    desk.read("M1", "2026-03-01", 160_000)
    cancel(desk, "M1", "2026-02-01")
    desk.restart()
    assert counts(desk.read("M1", "2026-02-01", 150_000)) == (0, 1, [])
    desk.views.catch_up()
    assert desk.views.verify() == []
    other = Desk.at("sqlite://")
    other.open("A1", point("M1", "tiered"))
    other.read("M1", "2026-03-01", 160_000)
    assert balance(desk) == balance(other)
    other.close()


def test_the_last_reading_cancelled_is_not_charged_when_it_comes_again(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 10_000)
    desk.read("M1", "2026-01-03", 90_000)
    cancel(desk, "M1", "2026-01-03")
    assert balance(desk) == -5_00
    for _ in range(2):
        assert counts(desk.read("M1", "2026-01-03", 90_000)) == (0, 1, [])
        desk.restart()
    assert counts(desk.read("M1", "2026-01-03", 19_000)) == (1, 0, [])
    assert balance(desk) == -9_50
    assert counts(desk.read("M1", "2026-01-04", 20_000)) == (1, 0, [])
    assert desk.account("A1").points[0].cancelled == ()
    assert balance(desk) == -10_00


def test_the_only_reading_cancelled_leaves_the_meter_as_it_was_installed(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 10_000)
    cancel(desk, "M1", "2026-01-02")
    state = desk.account("A1").points[0]
    assert (balance(desk), state.registers, state.position.used) == (0, (0,), 0)
    assert counts(desk.read("M1", "2026-01-01T12:00", 1_000)) == (1, 0, [])


def test_what_was_never_read_is_not_corrected(desk: Desk) -> None:
    desk.read("M1", "2026-01-05", 10_000)
    refused("reading_unknown", correct, desk, "M1", "2026-01-03", "5")
    refused("reading_unknown", correct, desk, "M9", "2026-01-03", "5")
    refused("initial_reading", correct, desk, "M1", "2026-01-01", "5")
    refused("initial_reading", cancel, desk, "M1", "2026-01-01")
    desk.read("M1", "2026-01-06", 20_000)
    refused("backward", correct, desk, "M1", "2026-01-05", "21")


def test_a_final_reading_is_corrected_but_not_cancelled(desk: Desk) -> None:
    desk.replace("A1", "2026-01-05", {"total": "20"}, "M2", {"total": "0"})
    desk.read("M2", "2026-01-07", 10_000)
    refused("final_reading", cancel, desk, "M1", "2026-01-05")
    correct(desk, "M1", "2026-01-05", "30")
    assert balance(desk) == -40 * 50
    assert desk.account("A1").points[0].registers == (10_000,)


def test_a_correction_meets_a_late_reading(desk: Desk) -> None:
    desk.read("M1", "2026-02-05", 200_000)
    desk.read("M1", "2026-02-01", 150_000)
    correct(desk, "M1", "2026-02-01", "190")
    assert codes(desk.read("M1", "2026-01-31", 191_000)) == ["backward"]
    assert counts(desk.read("M1", "2026-01-31", 120_000)) == (1, 0, [])
    assert balance(desk) == -(100 * 50 + 90 * 60 + 10 * 50)
    desk.views.catch_up()
    assert desk.views.verify() == []
