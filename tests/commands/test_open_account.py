"""An account is opened once, with its meters, or not at all."""

from typing import Any

import pytest
from pydantic import ValidationError

from ledger.aggregates import Refused
from ledger.commands import open_account
from ledger.commands.open_account import OpenAccount
from ledger.events.account import AccountOpened, ServicePointAdded
from ledger.store import Contradiction
from tests.harness.desk import ACTOR, Desk, at_us, moment, point, water


def refused(desk: Desk, code: str, *args: Any, **particulars: Any) -> None:  # noqa: ANN401 - of `open`
    heads = desk.heads()
    with pytest.raises(Refused) as refusal:
        desk.open(*args, **particulars)
    assert (refusal.value.code, desk.heads()) == (code, heads)


def test_an_account_begins_with_its_meters_and_without_money(desk: Desk) -> None:
    answer = desk.open("A1", point("M1"), water("W1"), site="north", group="staff")
    assert (answer["balance_minor"], answer["alert_level"]) == (0, "none")
    assert [(p["service_point"], p["meter_no"]) for p in answer["service_points"]] == [
        ("electricity", "M1"),
        ("water", "W1"),
    ]
    assert desk.topics()[-5:] == [
        "account.opened.v1",
        *["account.service_point_added.v1", "meter.installed.v1"] * 2,
    ]


def test_nobody_is_cut_at_the_opening(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.restart()
    desk.read("M1", "2026-01-02", 0)
    assert desk.account("A1").points[0].supply_intended == "on"
    desk.read("M1", "2026-01-03", 1_000)
    assert desk.account("A1").points[0].supply_intended == "off"


def test_an_account_exists_from_its_first_meter_on(desk: Desk) -> None:
    desk.open("A1", point("M1", installed_at="2026-02-01"), water("W1", installed_at="2026-01-15"))
    valid = {type(item.event): item.valid_at_us for item in desk.recorded()}
    assert valid[AccountOpened] == valid[ServicePointAdded] == at_us("2026-01-15")


def test_the_same_opening_again_changes_nothing(desk: Desk) -> None:
    first = desk.open("A1", point("M1"))
    heads = desk.heads()
    assert desk.open("A1", point("M1")) == first
    desk.restart()
    assert desk.open("A1", point("M1")) == first
    assert desk.heads() == heads


def test_the_same_number_with_other_particulars_is_a_contradiction(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    with pytest.raises(Contradiction) as refusal:
        desk.open("A1", point("M1"), group="staff")
    assert refusal.value.code == "account_exists"


def test_a_meter_is_in_one_place_in_all_shards(shards: Desk) -> None:
    shards.open("A1", point("M1"))
    for number in ("A5", "A4", "A0"):
        refused(shards, "meter_in_use", number, point("M1"))
        assert shards.open(number)["service_points"] == []


def test_one_meter_for_two_points_is_refused(desk: Desk) -> None:
    refused(desk, "meter_twice", "A1", point("M1"), water("M1"))


@pytest.mark.parametrize(
    ("particulars", "code"),
    [
        ({"tariff_id": "unheard-of"}, "tariff_unknown"),
        ({"policy_id": "unheard-of"}, "policy_unknown"),
        ({"service_kind": "water"}, "tariff_of_other_service"),
        ({"installed_at": moment("2026-07-01T12:06")}, "installed_in_the_future"),
        ({"installed_at": moment("2019-12-31")}, "no_version"),
        ({"tariff_id": "tou"}, "register_missing"),
        ({"initial": {"total": 0, "peak": 0}}, "register_unknown"),
        ({"initial": {"total": "1000000"}}, "out_of_range"),
    ],
)
def test_a_point_that_cannot_be_charged_opens_nothing(
    desk: Desk, particulars: dict[str, Any], code: str
) -> None:
    refused(desk, code, "A1", {**point("M1"), **particulars})
    assert desk.open("A1", point("M1"))["account_no"] == "A1"


def test_money_of_another_currency_needs_a_tariff_of_it(desk: Desk) -> None:
    refused(desk, "wrong_currency", "A1", point("M1"), currency="EUR")
    assert desk.open("A1", currency="EUR")["currency"] == "EUR"


@pytest.mark.parametrize(
    "wrong",
    [
        {"account_no": "A 1"},
        {"account_no": "A" * 33},
        {"timezone": "Mars/Olympus"},
        {"currency": "yuan"},
        {"site": "north\nsouth"},
        {"attributes": {"household": 1.5}},
        {"service_points": [{**point("M1"), "installed_at": "2026-01-01"}]},
        {"service_points": [{**point("M1"), "initial": {"total": "1.0001"}}]},
        {"service_points": [{**point("M1"), "initial": {"total": -1}}]},
        {"service_points": [{**point("M1"), "multiplier": 0}]},
        {"service_points": [{**point("M1"), "meter_no": "M 1"}]},
        {"credit": 5},
    ],
)
def test_a_malformed_opening_is_no_command(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OpenAccount.model_validate({"account_no": "A1", **wrong})


def test_many_openings_are_made_without_waiting(desk: Desk) -> None:
    waiting = [
        open_account.submit(
            OpenAccount.model_validate({"account_no": f"B{n}", "service_points": [point(f"N{n}")]}),
            desk.ledger,
            ACTOR,
        )
        for n in range(20)
    ]
    numbers = [answer.result().body["account_no"] for answer in waiting]
    assert numbers == [f"B{n}" for n in range(20)]
