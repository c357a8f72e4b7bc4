"""Reversals, late and corrected readings, and points that end: units go back, sales stay."""

import pytest

from ledger.aggregates import Refused
from ledger.commands import accrue_fixed, correct_reading
from ledger.commands.assign import AssignTariff, assign_tariff
from ledger.commands.correct_reading import CorrectReading
from ledger.events.account import ChargeCorrected, UnitsReturned
from ledger.projections.postings import UNITS
from tests.harness.desk import ACTOR, Desk, moment, point, water
from tests.harness.documents import policy, sold
from tests.harness.units import books, check, held, opened

KWH = 1_000


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A1 buys units for its meter M1."""
    return opened(desk)


def test_a_reversal_leaves_nothing_of_a_purchase(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    shop.read("M1", "2026-01-02", 10 * KWH)
    before, was = shop.account("A1"), books(shop)
    receipt = shop.recharge("A1", 300_00)["receipt_no"]
    answer = shop.reverse(receipt)
    assert answer["units"]["returned"] == "236.2"
    after = shop.account("A1")
    after.version, after.has_moved = before.version, before.has_moved
    assert after == before
    assert +books(shop) == +was
    assert -books(shop) == -was
    check(shop)


def test_a_reversed_first_purchase_of_a_month_leaves_the_basic_charge_to_the_next(
    shop: Desk,
) -> None:
    first = shop.recharge("A1", 200_00)["receipt_no"]
    assert "basic" not in str(shop.recharge("A1", 50_00)["units"]["lines"])
    shop.reverse(first)
    assert "basic" in str(shop.recharge("A1", 200_00)["units"]["lines"])
    check(shop)


def test_used_units_of_a_reversed_purchase_stay_charged(shop: Desk) -> None:
    receipt = shop.recharge("A1", 147_00)["receipt_no"]
    shop.read("M1", "2026-01-02", 20 * KWH)
    answer = shop.reverse(receipt)
    # 20 kWh at 0.98 are used; the basic charge goes back with the rest.
    assert (answer["balance_minor"], answer["units"]["returned"]) == (-19_60, "30")
    assert held(shop).units == ()
    check(shop)


def test_a_late_reading_changes_nothing_of_what_was_sold(shop: Desk) -> None:
    shop.recharge("A1", 398_00, paid_at=moment("2026-03-05T09:00"))
    shop.read("M1", "2026-03-20", 100 * KWH)
    before = held(shop)
    assert shop.read("M1", "2026-03-10", 30 * KWH)["accepted"] == 1
    corrected = shop.facts("A1")[-1]
    assert isinstance(corrected, ChargeCorrected)
    assert (corrected.amount_minor, corrected.lines) == (0, ())
    assert (held(shop).units, held(shop).position) == (before.units, before.position)
    check(shop)


@pytest.mark.parametrize(("right", "left"), [(80, 167_600), (120, 127_600), (0, 247_600)])
def test_a_corrected_reading_puts_units_back_or_takes_more(
    shop: Desk, right: int, left: int
) -> None:
    shop.recharge("A1", 398_00, paid_at=moment("2026-03-05T09:00"))
    shop.read("M1", "2026-03-20", 100 * KWH)
    told = {"meter_no": "M1", "at": moment("2026-03-20"), "reason": "misread"}
    command = CorrectReading.model_validate({**told, "registers": {"total": str(right)}})
    correct_reading.handle(command, shop.ledger, ACTOR)
    assert held(shop).units_left == left
    used = books(shop)
    assert -used[UNITS] + -(used["6001"] + used["2221"]) == 398_00
    check(shop)


def test_two_points_need_the_name_of_the_one_that_is_paid_for(desk: Desk) -> None:
    desk.publish(sold())
    desk.open("A1", point("M1", "sold"), water("W1"))
    with pytest.raises(Refused) as refusal:
        desk.recharge("A1", 147_00)
    assert refusal.value.code == "service_point_unknown"
    assert "units" not in desk.recharge("A1", 10_00, service_point="water")
    assert desk.recharge("A1", 137_00, service_point="electricity")["units"]["sold"] == "50"
    assert desk.account("A1").balance_minor == 0


def test_a_point_that_sells_no_units_any_more_gives_them_back(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    shop.read("M1", "2026-01-02", 10 * KWH)
    assign_tariff(AssignTariff(account_no="A1", tariff_id="flat"), shop.ledger, ACTOR)
    account = shop.account("A1")
    assert (account.balance_minor, account.points[0].units) == (39_20, ())
    assert isinstance(shop.facts("A1")[-2], UnitsReturned)
    assert shop.recharge("A1", 10_00)["balance_minor"] == 49_20
    check(shop)


def test_a_removed_meter_gives_its_units_back(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    shop.remove("A1", "2026-01-02", {"total": "10"})
    assert shop.account("A1").balance_minor == 39_20
    check(shop)


def test_an_account_without_such_a_point_is_recharged_as_ever(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    assert "units" not in desk.recharge("A1", 50_00)


def test_a_tariff_that_sells_units_charges_no_silent_days(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    assert accrue_fixed.handle(["A1"], shop.ledger, ACTOR)["days"] == 0


def test_a_policy_for_units_counts_what_they_were_bought_for(desk: Desk) -> None:
    desk.publish(sold(), policy("careful", remind=30_00, warn=20_00, trip=0))
    desk.open("A1", point("M1", "sold", policy_id="careful"))
    desk.recharge("A1", 147_00)
    for kwh, level in ((10, "none"), (20, "remind"), (30, "warn"), (50, "trip")):
        desk.read("M1", f"2026-01-{kwh // 10 + 1:02}", kwh * KWH)
        assert held(desk).level == level
    check(desk)
