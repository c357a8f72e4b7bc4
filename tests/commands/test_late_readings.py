"""Readings that come behind later ones make what was charged be rated again."""

import pytest

from ledger.commands.assign import AssignTariff, assign_tariff
from ledger.commands.late_readings import Reading
from ledger.events.account import ChargeCorrected, SupplyRestoreOrdered
from tests.harness.desk import ACTOR, Desk, at_us, point, water
from tests.harness.documents import daily_fee, energy, tariff, version
from tests.harness.readings import codes, counts

BY_DAY = tariff("by_day", version(energy(["0.5", "1"]), daily_fee("0.2"), bounds=["100"]))


def corrections(desk: Desk, account_no: str = "A1") -> list[ChargeCorrected]:
    """What was posted to correct charges."""
    return [fact for fact in desk.facts(account_no) if isinstance(fact, ChargeCorrected)]


@pytest.fixture(autouse=True)
def opened(request: pytest.FixtureRequest) -> None:
    if "desk" in request.fixturenames:
        desk: Desk = request.getfixturevalue("desk")
        desk.open("A1", point("M1", "tiered"))


def test_a_late_reading_posts_the_signed_difference_with_its_cause(desk: Desk) -> None:
    """Spread evenly, 95 kWh had fallen into February: all of them in its first tier."""
    desk.read("M1", "2026-01-21", 100_000)
    desk.read("M1", "2026-02-11", 300_000)
    before = desk.account("A1").balance_minor
    assert counts(desk.read("M1", "2026-02-01", 280_000)) == (1, 0, [])
    (fact,) = corrections(desk)
    assert (fact.cause, fact.rerated_from_us) == ("late", at_us("2026-01-21"))
    assert [(each.from_us, each.to_us) for each in fact.intervals] == [
        (at_us("2026-01-21"), at_us("2026-02-01")),
        (at_us("2026-02-01"), at_us("2026-02-11")),
    ]
    whole = 100 * 50 + 180 * 60 + 20 * 50
    assert desk.account("A1").balance_minor == -whole == before - fact.amount_minor
    assert fact.balance_after_minor == -whole
    assert sum(line.amount_minor for line in fact.lines) == fact.amount_minor != 0


def test_a_late_reading_on_the_straight_line_costs_nothing_and_is_remembered(desk: Desk) -> None:
    desk.read("M1", "2026-01-05", 40_000)
    assert counts(desk.read("M1", "2026-01-03", 20_000)) == (1, 0, [])
    (fact,) = corrections(desk)
    assert (fact.amount_minor, fact.lines) == (0, ())
    for _ in range(2):
        assert counts(desk.read("M1", "2026-01-03", 20_000)) == (0, 1, [])
        assert codes(desk.read("M1", "2026-01-03", 20_001)) == ["contradiction"]
        desk.restart()
    assert len(corrections(desk)) == 1


def test_late_readings_of_one_batch_are_one_correction(desk: Desk) -> None:
    desk.read("M1", "2026-02-05", 350_000)
    days = [
        Reading("M1", at_us(f"2026-01-{day:02}"), {"total": day * 10_000}) for day in range(2, 32)
    ]
    assert counts(desk.read_all(*reversed(days))) == (30, 0, [])
    (fact,) = corrections(desk)
    assert (len(fact.replaced), len(fact.intervals)) == (1, 31)
    assert counts(desk.read_all(*days)) == (0, 30, [])


def test_more_late_readings_than_one_correction_takes_are_several(desk: Desk) -> None:
    desk.read("M1", "2026-02-05", 350_000)
    hours = [
        Reading("M1", at_us("2026-01-02") + hour * 3_600_000_000, {"total": hour * 400})
        for hour in range(450)
    ]
    assert counts(desk.read_all(*hours)) == (450, 0, [])
    assert [len(fact.intervals) for fact in corrections(desk)] == [201, 201, 51]


def test_a_late_reading_that_cannot_be_true_is_kept_aside(desk: Desk) -> None:
    desk.read("M1", "2026-01-05", 40_000)
    assert codes(desk.read("M1", "2026-01-03", 50_000)) == ["backward"]
    assert codes(desk.read("M1", "2026-01-03", peak=1)) == ["register_missing"]
    assert corrections(desk) == []


def test_a_late_reading_may_give_supply_back(desk: Desk) -> None:
    desk.recharge("A1", 96_00)
    desk.read("M1", "2026-01-31T12:00", 10_000)
    desk.read("M1", "2026-02-02T12:00", 186_000)
    assert desk.account("A1").points[0].level == "trip"
    desk.read("M1", "2026-02-01", 98_000)
    assert any(isinstance(fact, SupplyRestoreOrdered) for fact in desk.facts("A1"))


def test_a_late_reading_of_a_closed_window_is_booked_in_the_open_one(desk: Desk) -> None:
    desk.read("M1", "2026-02-11", 410_000)
    desk.read("M1", "2026-03-11", 500_000)
    assert counts(desk.read("M1", "2026-01-31", 10_000)) == (1, 0, [])
    (fact,) = corrections(desk)
    assert fact.day == desk.account("A1").day
    desk.views.catch_up()
    assert desk.views.differences() == []


def test_a_late_reading_of_a_replaced_meter_finds_its_interval(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 10_000)
    desk.replace("A1", "2026-01-05", {"total": "90"}, "M2", {"total": "7"}, multiplier="2")
    assert counts(desk.read("M1", "2026-01-03", 20_000)) == (1, 0, [])
    desk.read("M2", "2026-01-07", 57_000)
    assert counts(desk.read("M2", "2026-01-06", 17_000)) == (1, 0, [])
    assert counts(desk.read("M1", "2026-01-04", 80_000)) == (1, 0, [])
    state = desk.account("A1").points[0]
    assert (state.registers, state.last_at_us) == ((57_000,), at_us("2026-01-07"))
    assert state.position.used == 190_000
    assert desk.account("A1").balance_minor == -(100 * 50 + 90 * 60)


def test_a_late_reading_of_a_removed_meter_moves_money_alone(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 10_000)
    desk.remove("A1", "2026-02-11", {"total": "300"})
    before = desk.account("A1").balance_minor
    assert counts(desk.read("M1", "2026-02-01", 290_000)) == (1, 0, [])
    assert desk.account("A1").balance_minor == -(100 * 50 + 190 * 60 + 10 * 50) != before
    desk.views.catch_up()
    assert desk.views.verify() == []


def test_what_lies_before_another_tariff_waits(desk: Desk) -> None:
    desk.read("M1", "2026-01-05", 40_000)
    assign_tariff(AssignTariff(account_no="A1", tariff_id="flat"), desk.ledger, ACTOR)
    desk.read("M1", "2026-01-09", 80_000)
    assert codes(desk.read("M1", "2026-01-03", 20_000)) == ["tariff_changed"]
    assert counts(desk.read("M1", "2026-01-07", 50_000)) == (1, 0, [])


def test_what_is_late_for_a_closed_account_waits(desk: Desk) -> None:
    desk.read("M1", "2026-01-05", 40_000)
    desk.remove("A1", "2026-01-06", {"total": "40"})
    desk.recharge("A1", 20_00)
    desk.close_account("A1")
    assert codes(desk.read("M1", "2026-01-03", 20_000)) == ["account_closed"]


def test_granted_credit_comes_back_before_money_does(desk: Desk) -> None:
    desk.adjust("A1", 400_00, "granted")
    desk.read("M1", "2026-01-31T12:00", 0)
    desk.read("M1", "2026-02-02T12:00", 250_000)
    used = 400_00 - desk.account("A1").granted_minor
    desk.read("M1", "2026-02-01", 100_000)
    (fact,) = corrections(desk)
    assert fact.amount_minor < 0
    assert fact.granted_used_minor == fact.amount_minor
    assert 400_00 - desk.account("A1").granted_minor == used + fact.amount_minor
    assert desk.account("A1").balance_minor == 0


def test_a_wrapped_register_may_be_late_as_well(desk: Desk) -> None:
    desk.open("A2", point("W1", wrap="1000", initial={"total": "990"}))
    assert counts(desk.read("W1", "2026-01-05", 10_000)) == (1, 0, [])
    assert counts(desk.read("W1", "2026-01-03", 995_000)) == (1, 0, [])
    assert counts(desk.read("W1", "2026-01-04", 5_000)) == (1, 0, [])
    assert desk.account("A2").balance_minor == -20 * 50


def test_days_are_paid_once_whatever_comes_late(desk: Desk) -> None:
    desk.publish(BY_DAY)
    desk.open("A2", point("D1", "by_day"))
    desk.read("D1", "2026-01-11", 50_000)
    desk.read("D1", "2026-01-06T10:00", 20_000)
    assert desk.account("A2").balance_minor == -(50 * 50 + 10 * 20)


def test_the_doors_of_every_shard_take_late_readings(shards: Desk) -> None:
    for number in ("A5", "A1", "A4", "A0"):
        shards.open(number, point(f"M-{number}"))
        shards.read(f"M-{number}", "2026-01-05", 40_000)
    late = [Reading(f"M-{no}", at_us("2026-01-03"), {"total": 1_000}) for no in ("A5", "A1", "A4")]
    assert counts(shards.read_all(*late)) == (3, 0, [])


def test_several_meters_of_one_account_are_each_rated_in(desk: Desk) -> None:
    desk.install("A1", point("M2", "tiered"))
    desk.install("A1", water("W1"))
    for day in (5, 9, 20):
        for meter_no, a_day in (("M1", 10_000), ("M2", 25_000), ("W1", 300)):
            desk.read(meter_no, f"2026-01-{day:02}", day * a_day)
    before = desk.account("A1").balance_minor
    assert counts(desk.read("M2", "2026-01-07", 174_500)) == (1, 0, [])
    assert counts(desk.read("W1", "2026-01-06", 1_790)) == (1, 0, [])
    assert counts(desk.read("M1", "2026-01-19", 190_100)) == (1, 0, [])
    state = desk.account("A1")
    assert [each.position.used for each in state.points] == [700_000, 700_000, 6_000]
    assert state.balance_minor == before
    assert [fact.point for fact in corrections(desk)] == ["electricity-2", "water", "electricity"]


def test_a_price_that_changed_in_the_interval_meets_a_late_reading(desk: Desk) -> None:
    """Ten days at 0.50 and ten at 1.00; evenly 200 kWh each, but most was used in the first."""
    old = version(energy(["0.5"]), effective_to="2026-01-11")
    desk.publish(tariff("dearer", old, version(energy(["1"]), effective_from="2026-01-11")))
    desk.open("A2", point("D1", "dearer"))
    desk.read("D1", "2026-01-21", 400_000)
    assert desk.account("A2").balance_minor == -(200 * 50 + 200 * 100)
    desk.read("D1", "2026-01-11", 300_000)
    assert desk.account("A2").balance_minor == -(300 * 50 + 100 * 100)
    desk.read("D1", "2026-01-13", 380_000)
    assert desk.account("A2").balance_minor == -(300 * 50 + 100 * 100)
