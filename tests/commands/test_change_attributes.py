"""Attributes are told anew, and allowances count from the month after."""

import pytest

from adapters.views.verify import verify_log
from ledger.aggregates import Refused
from ledger.commands.change_attributes import ChangeAttributes, handle
from ledger.events.account import ChargeCorrected
from tests.harness.desk import ACTOR, Desk, Json, at_us, point
from tests.pricing.tariffs import accumulation, document


def tell(desk: Desk, at: str | None = None, **attributes: bool | int | str | None) -> Json:
    command = ChangeAttributes(
        account_no="A1",
        attributes=attributes,
        reason="the household register",
        valid_from_us=None if at is None else at_us(at),
    )
    return handle(command, desk.ledger, ACTOR).body


def open_household(desk: Desk, change: str = "from_change_on") -> None:
    shift = {"id": "many", "effect": "shift_tiers", "per_month": "100", "change": change}
    modifier = shift | {"when": {"attribute": "household_size", "gte": 5}}
    desk.publish(document({"modifiers": [modifier]}, tariff_id="household"))
    desk.open("A1", point("M1", "household"))


def test_a_fifth_person_moves_the_bounds_from_the_next_month_on(desk: Desk) -> None:
    open_household(desk)
    desk.read("M1", "2026-01-10", 90_000)
    assert tell(desk, "2026-01-12", household_size=5)["changed"]
    desk.read("M1", "2026-02-01", 200_000)
    assert desk.account("A1").balance_minor == -(50_00 + 80_00)
    desk.read("M1", "2026-03-01", 400_000)
    assert desk.account("A1").balance_minor == -(50_00 + 80_00 + 100_00)


def test_the_same_attributes_again_change_nothing(desk: Desk) -> None:
    open_household(desk)
    assert tell(desk, household_size=5, low_income=True)["changed"]
    heads = desk.heads()
    assert not tell(desk, low_income=True)["changed"]
    assert desk.heads() == heads
    assert tell(desk, low_income=None)["changed"]
    assert desk.account("A1").attributes == {"household_size": 5}


def test_a_time_that_is_charged_already_is_refused(desk: Desk) -> None:
    open_household(desk)
    desk.read("M1", "2026-01-10", 90_000)
    with pytest.raises(Refused) as refusal:
        tell(desk, "2026-01-09", household_size=5)
    assert refusal.value.code == "already_charged"


def test_an_allowance_from_a_month_on_gives_back_what_the_open_year_was_charged(desk: Desk) -> None:
    year = accumulation("year", proration={"method": "none"})
    shift = {"id": "many", "effect": "shift_tiers", "per_month": "100", "change": "rerate_window"}
    modifier = shift | {"when": {"attribute": "household_size", "gte": 5}}
    desk.publish(document(year | {"modifiers": [modifier]}, tariff_id="household"))
    desk.open("A1", point("M1", "household"))
    desk.read("M1", "2026-03-01", 90_000)
    desk.read("M1", "2026-04-01", 400_000)
    assert desk.account("A1").balance_minor == -(50_00 + 240_00)
    tell(desk, "2026-04-01", household_size=5)
    # From April on 9 × 100 kWh more: all of the 400 kWh are in the first tier.
    assert desk.account("A1").balance_minor == -200_00
    correction = desk.facts("A1")[-1]
    assert isinstance(correction, ChargeCorrected)
    assert (correction.cause, correction.amount_minor) == ("household", -90_00)
    desk.read("M1", "2026-05-01", 500_000)
    assert desk.account("A1").balance_minor == -250_00
    assert list(verify_log(desk.engine, lambda _done, _all: None)) == []
