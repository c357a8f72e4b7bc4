"""Meters of one kind and tariff on one account count towards one set of tiers."""

import pytest

from ledger.commands.assign import AssignTariff, assign_tariff
from ledger.commands.correct_reading import CancelReading, CorrectReading, handle
from ledger.commands.late_readings import Reading
from ledger.events.account import AccountCharged, ChargeCorrected
from tests.harness.desk import ACTOR, Desk, Json, at_us, moment, point, water
from tests.harness.documents import daily_fee, energy, monthly_fee, tariff, version
from tests.harness.readings import codes, counts

SIDES = tariff(
    "sides",
    version(energy({"peak": ["0.6", "0.9"], "valley": ["0.3", "0.4"]}), bounds=["100"]),
    registers=("peak", "valley"),
)
BY_DAY = tariff("by_day", version(energy(["0.5", "1"]), daily_fee("0.2"), bounds=["100"]))


def posted(desk: Desk, account_no: str = "A1") -> list[int]:
    return [
        fact.amount_minor
        for fact in desk.facts(account_no)
        if isinstance(fact, AccountCharged | ChargeCorrected)
    ]


def corrections(desk: Desk, account_no: str = "A1") -> list[ChargeCorrected]:
    return [fact for fact in desk.facts(account_no) if isinstance(fact, ChargeCorrected)]


def tiers(desk: Desk, account_no: str = "A1") -> list[Json]:
    """Tiers of each point as the view shows them, which is how the account itself stands."""
    desk.views.catch_up()
    shown = desk.views.account(account_no)
    assert shown is not None
    assert desk.views.verify() == []
    found = [each["tier"] for each in shown["service_points"]]
    stands = [each.position for each in desk.account(account_no).points]
    assert [each["used"] for each in found] == [
        f"{each.used // each.den / 1000:g}" for each in stands
    ]
    return found


@pytest.fixture
def two(desk: Desk) -> Desk:
    """Two meters on a month's tiers: 0.50 up to 100 kWh, then 0.60."""
    desk.open("A1", point("M1", "tiered"), point("M2", "tiered"))
    return desk


def test_what_one_meter_counted_raises_the_tier_of_the_other(two: Desk) -> None:
    two.read("M1", "2026-01-11", 80_000)
    two.read("M2", "2026-01-11", 50_000)
    assert posted(two) == [80 * 50, 20 * 50 + 30 * 60]
    for tier in tiers(two):
        assert (tier["used"], tier["tier"]) == ("130", 2)


def test_a_meter_that_is_installed_later_goes_on_in_the_same_tiers(two: Desk) -> None:
    two.read("M1", "2026-01-11", 80_000)
    two.install("A1", point("M3", "tiered", "2026-01-15"))
    two.read("M3", "2026-01-21", 50_000)
    assert posted(two) == [80 * 50, 20 * 50 + 30 * 60]
    assert [tier["used"] for tier in tiers(two)] == ["130", "130", "130"]


def test_other_kinds_and_other_tariffs_have_tiers_of_their_own(two: Desk) -> None:
    two.install("A1", water("W1"))
    two.install("A1", point("W2", "water", service_kind="hot_water"))
    two.install("A1", point("E3", "flat"))
    readings = [
        Reading(meter_no, at_us("2026-01-11"), {"total": total})
        for meter_no, total in (("W1", 3_000), ("W2", 2_000), ("E3", 1_000), ("M1", 80_000))
    ]
    assert counts(two.read_all(*readings)) == (4, 0, [])
    assert [tier["used"] for tier in tiers(two)] == ["80", "80", "3", "2", "1"]


def test_of_readings_at_one_time_the_order_is_all_one(two: Desk) -> None:
    two.read("M2", "2026-01-11", 50_000)
    two.read("M1", "2026-01-11", 80_000)
    assert posted(two) == [50 * 50, 50 * 50 + 30 * 60]
    assert corrections(two) == []
    assert two.account("A1").points[0].position.ahead_us == 0


def test_a_meter_that_was_not_read_for_long_is_rated_in_at_its_time(desk: Desk) -> None:
    """By day and night, the order decides which part of each meter falls into which tier."""
    desk.publish(SIDES)
    initial = {"peak": 0, "valley": 0}
    desk.open("A1", point("M1", "sides", initial=initial), point("M2", "sides", initial=initial))
    desk.read("M1", "2026-01-21", peak=100_000, valley=0)
    desk.read("M1", "2026-01-25", peak=140_000, valley=0)
    assert counts(desk.read("M2", "2026-01-23", peak=0, valley=30_000)) == (1, 0, [])
    assert posted(desk) == [100 * 60, 40 * 90, 30 * 40]
    assert counts(desk.read("M2", "2026-01-24", peak=0, valley=40_000)) == (1, 0, [])
    assert counts(desk.read("M2", "2026-01-24", peak=0, valley=40_000)) == (0, 1, [])
    assert counts(desk.read("M2", "2026-01-23", peak=0, valley=30_000)) == (0, 1, [])
    assert codes(desk.read("M2", "2026-01-23", peak=0, valley=31_000)) == ["contradiction"]
    assert [fact.cause for fact in corrections(desk)] == ["shared", "shared"]
    assert desk.account("A1").points[1].registers == (0, 40_000)
    assert counts(desk.read("M2", "2026-01-26", peak=0, valley=50_000)) == (1, 0, [])
    assert isinstance(desk.facts("A1")[-1], AccountCharged)
    assert [tier["used"] for tier in tiers(desk)] == ["190", "190"]


def test_many_readings_behind_another_meter_are_one_correction(two: Desk) -> None:
    two.read("M1", "2026-03-21", 150_000)
    days = [Reading("M2", at_us(f"2026-02-{n:02}"), {"total": n * 10_000}) for n in range(1, 29)]
    further = Reading("M2", at_us("2026-03-25"), {"total": 300_000})
    assert counts(two.read_all(*days, days[3], further)) == (29, 1, [])
    (fact,) = corrections(two)
    assert (fact.cause, len(fact.intervals)) == ("shared", 29)
    assert counts(two.read_all(*days, further)) == (0, 29, [])
    assert two.account("A1").points[1].registers == (300_000,)
    tiers(two)


def test_a_late_reading_of_one_meter_re_rates_the_tiers_of_both(desk: Desk) -> None:
    desk.publish(SIDES)
    initial = {"peak": 0, "valley": 0}
    desk.open("A1", point("M1", "sides", initial=initial), point("M2", "sides", initial=initial))
    desk.read("M1", "2026-01-11", peak=60_000, valley=0)
    desk.read("M2", "2026-01-12", peak=0, valley=60_000)
    desk.read("M1", "2026-01-21", peak=60_000, valley=60_000)
    before = desk.account("A1").balance_minor
    assert before == -(60 * 60 + 40 * 30 + 20 * 40 + 60 * 40)
    assert counts(desk.read("M2", "2026-01-10", peak=0, valley=60_000)) == (1, 0, [])
    (late,) = corrections(desk)
    assert late.amount_minor == 20 * (90 - 60) - 20 * (40 - 30)
    assert [each.meter_no for each in late.intervals] == ["M2", "M2"]
    assert [tier["used"] for tier in tiers(desk)] == ["180", "180"]


def test_a_correction_and_a_cancellation_count_for_both(two: Desk) -> None:
    two.read("M1", "2026-01-11", 90_000)
    two.read("M2", "2026-01-11", 30_000)
    command = CorrectReading.model_validate(
        {"meter_no": "M1", "at": moment("2026-01-11"), "registers": {"total": "50"}, "reason": "x"}
    )
    handle(command, two.ledger, ACTOR)
    assert two.account("A1").balance_minor == -80 * 50
    assert [tier["used"] for tier in tiers(two)] == ["80", "80"]
    cancel = CancelReading(meter_no="M2", at=moment("2026-01-11"), reason="x")
    handle(cancel, two.ledger, ACTOR)
    assert two.account("A1").balance_minor == -50 * 50
    assert [tier["used"] for tier in tiers(two)] == ["50", "50"]


def test_meters_read_shortly_after_a_border_share_the_window_that_closed(two: Desk) -> None:
    """One is read five minutes past midnight, the other ten: both count in the old month yet."""
    two.read("M1", "2026-01-31T00:05", 60_000)
    two.read("M2", "2026-01-31T00:10", 60_000)
    for day, total in (("02-01", 70_000), ("02-02", 80_000), ("03-01", 200_000)):
        two.read("M1", f"2026-{day}T00:05", total)
        assert counts(two.read("M2", f"2026-{day}T00:10", total)) == (1, 0, [])
    other = Desk.at("sqlite://")
    other.open("A1", point("M1", "tiered"), point("M2", "tiered"))
    for meter_no, minute in (("M2", "10"), ("M1", "05")):
        for day, total in (
            ("01-31", 60_000),
            ("02-01", 70_000),
            ("02-02", 80_000),
            ("03-01", 200_000),
        ):
            assert counts(other.read(meter_no, f"2026-{day}T00:{minute}", total)) == (1, 0, [])
    assert two.account("A1").balance_minor == other.account("A1").balance_minor
    assert tiers(two) == tiers(other)
    other.close()


def test_a_replaced_meter_stays_in_the_tiers(two: Desk) -> None:
    two.read("M2", "2026-01-11", 40_000)
    two.replace(
        "A1", "2026-01-10", {"total": "50"}, "M3", {"total": "7"}, service_point="electricity"
    )
    two.read("M3", "2026-01-21", 57_000)
    assert two.account("A1").balance_minor == -(100 * 50 + 40 * 60)
    assert counts(two.read("M1", "2026-01-05", 20_000)) == (1, 0, [])
    assert [tier["used"] for tier in tiers(two)] == ["140", "140"]


def test_a_removed_meter_leaves_what_it_counted(two: Desk) -> None:
    two.read("M1", "2026-01-05", 10_000)
    two.remove("A1", "2026-01-21", {"total": "90"}, "electricity")
    assert [tier["used"] for tier in tiers(two)] == ["90"]
    assert counts(two.read("M2", "2026-01-11", 10_000)) == (1, 0, [])
    assert counts(two.read("M2", "2026-01-25", 30_000)) == (1, 0, [])
    assert two.account("A1").balance_minor == -(100 * 50 + 20 * 60)
    assert counts(two.read("M1", "2026-01-20", 80_000)) == (1, 0, [])
    assert [tier["used"] for tier in tiers(two)] == ["120"]


def test_a_meter_installed_where_all_were_removed_goes_on_from_there(desk: Desk) -> None:
    desk.open("A1", point("M1", "tiered"))
    desk.remove("A1", "2026-01-11", {"total": "90"})
    desk.install("A1", point("M2", "tiered", "2026-01-12"))
    desk.read("M2", "2026-01-21", 30_000)
    assert posted(desk) == [90 * 50, 10 * 50 + 20 * 60]
    assert counts(desk.read("M1", "2026-01-05", 20_000)) == (1, 0, [])
    assert [tier["used"] for tier in tiers(desk)] == ["120"]


def test_a_point_that_changes_its_tariff_counts_with_those_that_are_there(two: Desk) -> None:
    two.install("A1", point("M3", "flat"))
    two.read("M1", "2026-01-11", 80_000)
    two.read("M3", "2026-01-12", 40_000)
    change = AssignTariff(account_no="A1", service_point="electricity-3", tariff_id="tiered")
    assign_tariff(change, two.ledger, ACTOR)
    two.read("M3", "2026-01-13", 90_000)
    assert posted(two) == [80 * 50, 40 * 50, 20 * 50 + 30 * 60]
    assert counts(two.read("M2", "2026-01-10", 5_000)) == (1, 0, [])
    assert [tier["used"] for tier in tiers(two)] == ["135", "135", "135"]


def test_a_point_that_changes_its_tariff_leaves_to_the_others_what_it_counted(two: Desk) -> None:
    two.read("M1", "2026-01-11", 80_000)
    two.read("M2", "2026-01-12", 50_000)
    for tariff_id in ("flat", "tiered", "flat"):
        change = AssignTariff(account_no="A1", service_point="electricity-2", tariff_id=tariff_id)
        assign_tariff(change, two.ledger, ACTOR)
        assert tiers(two)[0]["used"] == "130"
    two.read("M1", "2026-01-13", 90_000)
    assert [tier["used"] for tier in tiers(two)] == ["140", "0"]


def test_days_are_paid_once_for_all_meters(desk: Desk) -> None:
    desk.publish(BY_DAY)
    desk.open("A1", point("M1", "by_day"), point("M2", "by_day"))
    for day in ("05", "11"):
        for meter_no in ("M2", "M1"):
            assert counts(desk.read(meter_no, f"2026-01-{day}", int(day) * 1_000)) == (1, 0, [])
    assert desk.account("A1").balance_minor == -(22 * 50 + 10 * 20)
    tiers(desk)


@pytest.mark.parametrize("window", ["month", "bimonth", "year"])
def test_months_that_a_newer_meter_left_are_paid_with_the_older_ones(
    desk: Desk, window: str
) -> None:
    rented = version(energy(["0.5", "0.6"]), monthly_fee("3"), bounds=["100"], window=window)
    desk.publish(tariff("rented", rented))
    desk.open("A1", point("M1", "rented"), point("M2", "rented", "2026-03-01"))
    for meter_no, day in (("M2", "03-11"), ("M1", "03-15"), ("M2", "04-20"), ("M1", "04-21")):
        assert counts(desk.read(meter_no, f"2026-{day}", 0)) == (1, 0, [])
    assert -desk.account("A1").balance_minor == 4 * 3_00
    tiers(desk)


def test_a_meter_that_began_before_the_others_takes_their_tiers_back(desk: Desk) -> None:
    yearly = version(energy(["0.5", "1"]), bounds=["120"], window="year")
    yearly["accumulation"]["proration"] = {"method": "months_in_service"}
    desk.publish(tariff("yearly", yearly))
    desk.open("A1", point("M1", "yearly", "2026-03-10"), point("M2", "yearly", "2026-01-05"))
    desk.read("M1", "2026-04-01", 110_000)
    desk.read("M2", "2026-04-01", 5_000)
    assert desk.account("A1").balance_minor == -115 * 50
    tiers(desk)


def test_a_later_version_may_count_over_a_longer_window(desk: Desk) -> None:
    by_month = version(energy(["0.5"]), effective_to="2026-03-01")
    by_year = version(
        energy(["0.5", "1"]), bounds=["100"], window="year", effective_from="2026-03-01"
    )
    by_year["accumulation"]["on_version_change"] = "reset"
    desk.publish(tariff("longer", by_month, by_year))
    desk.open("A1", *(point(meter_no, "longer", "2026-02-05") for meter_no in ("M1", "M2")))
    desk.read("M1", "2026-04-01", 55_000)  # One a day, 31 of them in the year's window.
    assert counts(desk.read("M2", "2026-02-15", 10_000)) == (1, 0, [])
    assert desk.account("A1").balance_minor == -(55 + 10) * 50
    desk.read("M1", "2026-05-01", 155_000)
    assert desk.account("A1").balance_minor == -(65 + 69) * 50 - 31 * 100
    desk.views.catch_up()
    assert desk.views.verify() == []
