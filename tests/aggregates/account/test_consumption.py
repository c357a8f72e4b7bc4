"""From registers to a charge, or to the reason why there is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.aggregates.account import Account
from ledger.aggregates.account.consumption import FUTURE_US, PLAUSIBLE_PER_HOUR, charge
from ledger.aggregates.account.state import shifted_week
from ledger.events import Event
from ledger.events import account as facts
from ledger.pricing import compile_tariff
from tests.harness.documents import TIERED, TOU, WATER, energy, tariff, version
from tests.harness.past import (
    FLAT_TARIFF,
    NEW_YEAR,
    NOW_US,
    OPENED,
    added,
    adjusted,
    an_account,
    charged,
    closed,
    paid,
    read,
    the_point,
)
from tests.scenario import Scenario

TIERED_TARIFF = compile_tariff(TIERED)
TOU_TARIFF = compile_tariff(TOU)
HOUR_WH = PLAUSIBLE_PER_HOUR["wh"]


def supplied(*more: Event, **particulars: Any) -> Scenario[Account]:  # noqa: ANN401 - of `added`
    """An account with a flat tariff, whose meter counts from zero since New Year."""
    return Scenario(Account).given(OPENED, added(**particulars), *more)


def only(scenario: Scenario[Account]) -> facts.AccountCharged:
    (fact,) = scenario.facts
    assert isinstance(fact, facts.AccountCharged)
    return fact


def test_consumption_since_the_last_reading_is_paid_from_the_balance() -> None:
    fact = only(supplied(paid(50_00, 50_00)).when(read, "2026-01-02", 30_000))
    assert fact.registers == {"total": (0, 30_000, 30_000)}
    assert (fact.amount_minor, fact.balance_after_minor) == (15_00, 35_00)
    assert (fact.from_us, fact.tariff_id, fact.unit) == (NEW_YEAR, "flat", "wh")
    assert [(line.id, line.gl, line.amount_minor) for line in fact.lines] == [
        ("energy", "revenue", 15_00)
    ]


def test_a_charge_may_leave_a_debt() -> None:
    assert only(supplied().when(read, "2026-01-02", 30_000)).balance_after_minor == -15_00


def test_granted_credit_is_used_before_paid_money() -> None:
    past = supplied(adjusted(10_00, 0, 10_00, "granted"), paid(50_00, 50_00, 10_00))
    fact = only(past.when(read, "2026-01-02", 30_000))
    assert fact.granted_used_minor == 10_00
    assert (fact.balance_after_minor, fact.granted_after_minor) == (45_00, 0)


def test_granted_credit_that_covers_a_charge_leaves_paid_money_alone() -> None:
    past = supplied(adjusted(20_00, 0, 20_00, "granted"))
    fact = only(past.when(read, "2026-01-02", 30_000))
    assert fact.granted_used_minor == 15_00
    assert (fact.balance_after_minor, fact.granted_after_minor) == (0, 5_00)


def test_no_consumption_is_a_charge_of_nothing_that_moves_the_reading() -> None:
    account = an_account(added())
    charged(account, "2026-01-02", 0)
    assert the_point(account).last_at_us > NEW_YEAR
    assert not account.has_moved
    assert read(account, "2026-01-03", 2).lines == ()


def test_one_reading_may_cross_every_tier() -> None:
    past = Scenario(Account).given(OPENED, added(TIERED_TARIFF))
    fact = only(past.when(read, "2026-01-20", 400_000, tariff=TIERED_TARIFF))
    assert fact.amount_minor == 50_00 + 120_00 + 90_00


def test_registers_of_the_day_are_charged_at_their_own_prices() -> None:
    past = Scenario(Account).given(OPENED, added(TOU_TARIFF))
    fact = only(past.when(read, "2026-01-20", tariff=TOU_TARIFF, peak=50_000, valley=20_000))
    assert fact.amount_minor == 30_00 + 6_00
    assert fact.registers == {"peak": (0, 50_000, 50_000), "valley": (0, 20_000, 20_000)}


def test_registers_share_the_bounds_of_their_tiers() -> None:
    past = Scenario(Account).given(OPENED, added(TOU_TARIFF))
    fact = only(past.when(read, "2026-01-20", tariff=TOU_TARIFF, peak=150_000, valley=50_000))
    assert fact.amount_minor == 75 * 60 + 75 * 70 + 25 * 30 + 25 * 40


def test_the_sum_that_a_meter_shows_beside_its_registers_is_no_register() -> None:
    past = Scenario(Account).given(OPENED, added(TOU_TARIFF))
    fact = only(past.when(read, "2026-01-20", 3_000, tariff=TOU_TARIFF, peak=1_000, valley=2_000))
    assert fact.registers.keys() == {"peak", "valley"}


def test_a_multiplier_makes_more_of_every_count() -> None:
    fact = only(supplied(multiplier_milli=40_000).when(read, "2026-01-02", 1_000))
    assert fact.registers == {"total": (0, 1_000, 40_000)}
    assert fact.amount_minor == 20_00


@given(st.integers(1, 99_999), st.integers(0, 5_000), st.lists(st.integers(0, 900_000), max_size=8))
def test_a_fractional_multiplier_loses_nothing_between_readings(
    multiplier_milli: int, first: int, steps: list[int]
) -> None:
    account = an_account(added(registers={"total": first}, multiplier_milli=multiplier_milli))
    shown, counted = first, 0
    for number, step in enumerate(steps, start=2):
        shown += step
        fact = read(account, f"2026-01-{number:02}", shown)
        counted += fact.registers["total"][2]
        account.evolve(fact, NEW_YEAR + number * 86_400_000_000)
    assert counted == shown * multiplier_milli // 1000 - first * multiplier_milli // 1000


def test_a_register_that_passes_its_last_digit_begins_again() -> None:
    past = supplied(wrap=1_000_000, registers={"total": 999_000})
    fact = only(past.when(read, "2026-01-02", 2_500))
    assert fact.registers == {"total": (999_000, 2_500, 3_500)}


def test_a_register_may_show_its_last_value_but_not_the_one_behind_it() -> None:
    past = supplied(wrap=100_000, registers={"total": 90_000})
    assert only(past.when(read, "2026-01-02", 99_999)).registers["total"][2] == 9_999
    past.when(read, "2026-01-02", 100_000).quarantined("out_of_range")
    past.when(read, "2026-01-02", -1).quarantined("out_of_range")


def test_a_fall_that_would_be_most_of_the_range_went_backward() -> None:
    past = supplied(wrap=1_000_000, registers={"total": 500_000})
    past.when(read, "2026-01-02", 499_999).quarantined("backward")
    past.when(read, "2026-01-02", 0).quarantined("backward")


def test_a_fall_that_no_meter_can_pass_in_the_time_went_backward() -> None:
    past = supplied(wrap=10**9, registers={"total": 10**9 - 90_000_000})
    past.when(read, "2026-01-01T01:00", 5).quarantined("backward")
    only(past.when(read, "2026-01-08", 5))


def test_more_than_a_meter_can_pass_is_implausible() -> None:
    past = supplied()
    only(past.when(read, "2026-01-01T00:30", HOUR_WH))
    past.when(read, "2026-01-01T00:30", HOUR_WH + 1).quarantined("implausible")
    only(past.when(read, "2026-01-01T01:30", 2 * HOUR_WH))
    past.when(read, "2026-01-01T01:30", 2 * HOUR_WH + 1).quarantined("implausible")


def test_water_is_implausible_by_a_measure_of_its_own() -> None:
    water = compile_tariff(WATER)
    past = Scenario(Account).given(OPENED, added(water, point="water"))
    only(past.when(read, "2026-01-01T00:30", 100_000, tariff=water, point="water"))
    past.when(read, "2026-01-01T00:30", 100_001, tariff=water, point="water").quarantined(
        "implausible"
    )


def test_a_missing_register_is_named() -> None:
    past = Scenario(Account).given(OPENED, added(TOU_TARIFF))
    past.when(read, "2026-01-02", tariff=TOU_TARIFF, peak=1_000).quarantined("register_missing")
    past.when(read, "2026-01-02", 1_000, tariff=TOU_TARIFF).quarantined("register_missing")


def test_a_register_that_nobody_charges_is_named() -> None:
    supplied().when(read, "2026-01-02", 1_000, valley=3).quarantined("register_unknown")
    past = Scenario(Account).given(OPENED, added(TOU_TARIFF))
    past.when(read, "2026-01-02", tariff=TOU_TARIFF, peak=1, valley=1, sharp=1).quarantined(
        "register_unknown"
    )


def test_a_clock_that_runs_ahead_a_little_is_forgiven() -> None:
    account = an_account(added())
    last = charge(
        account, the_point(account), NOW_US + FUTURE_US, {"total": 1}, FLAT_TARIFF, 1, NOW_US
    )
    assert isinstance(last, facts.AccountCharged)
    past = supplied()
    past.when(read, "2026-07-01T00:06", 1).quarantined("future")


def test_a_closed_account_is_charged_nothing() -> None:
    supplied(closed()).when(read, "2026-01-02", 1_000).quarantined("account_closed")


def test_a_time_without_prices_keeps_the_reading_aside() -> None:
    ended = compile_tariff(tariff("ended", version(energy(["0.5"]), effective_to="2026-03-01")))
    past = Scenario(Account).given(OPENED, added(ended))
    only(past.when(read, "2026-02-28", 1_000, tariff=ended))
    past.when(read, "2026-03-15", 1_000, tariff=ended).quarantined("no_version")


def test_midnight_closes_the_day_before() -> None:
    days = [
        only(supplied().when(read, at, 1_000)).day
        for at in ("2026-01-31T23:59", "2026-02-01T00:00", "2026-02-01T00:01")
    ]
    assert days[1:] == [days[0], days[0] + 1]


def test_a_week_is_the_charges_of_seven_local_days() -> None:
    account = an_account(added())
    for day in range(2, 12):  # A midnight closes the day before: 1 to 10 January.
        charged(account, f"2026-01-{day:02}", (day - 1) * 10_000)
    assert account.week == (5_00,) * 7
    fact = read(account, "2026-01-15", 110_000)  # Of the 14th; the 11th to the 13th had none.
    assert fact.week_minor == 5_00 + 3 * 5_00


@pytest.mark.parametrize(("gap_days", "kept"), [(0, 7), (1, 6), (6, 1), (7, 0), (400, 0)])
def test_days_without_a_charge_leave_the_week(gap_days: int, kept: int) -> None:
    account = Account(0, "any", day=1_000, week=(1,) * 7)
    assert sum(shifted_week(account, 1_000 + gap_days)) == kept
    assert shifted_week(account, 1_000 - gap_days) == account.week
