"""What was used on each day: a straight line over the interval, and nothing lost to rounding."""

from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ledger.events.account import AccountCharged
from ledger.projections.energy_by_day import EnergyByDay
from ledger.values import micros
from tests.harness.desk import at_us
from tests.harness.envelopes import recorded, view_of
from tests.harness.past import added, an_account, read
from tests.harness.story import Story
from tests.strategies import stories

TEMPLATE: AccountCharged = read(an_account(added()), "2026-01-02", 1_000)
HOUR_US = 3_600_000_000


def by_day(from_us: int, to_us: int, quantity: int, zone: str = "Asia/Shanghai") -> dict[str, int]:
    """Quantity of each day of one interval."""
    registers = {"total": (0, quantity, quantity)}
    charge = msgspec.structs.replace(TEMPLATE, from_us=from_us, registers=registers)
    view = view_of(EnergyByDay(zone), [recorded((charge, to_us))])
    return {key[4]: row["quantity"] for key, row in view.items()}


def test_an_interval_within_a_day_belongs_to_it() -> None:
    assert by_day(at_us("2026-01-01T08:00"), at_us("2026-01-01T09:00"), 7) == {"2026-01-01": 7}


def test_midnight_closes_the_day_before() -> None:
    assert by_day(at_us("2026-01-01"), at_us("2026-01-02"), 7) == {"2026-01-01": 7}


def test_an_interval_over_midnight_is_shared_by_time() -> None:
    spread = by_day(at_us("2026-01-01T18:00"), at_us("2026-01-02T12:00"), 90)
    assert spread == {"2026-01-01": 30, "2026-01-02": 60}


def test_whole_units_are_given_to_days_until_none_is_left() -> None:
    spread = by_day(at_us("2026-01-01"), at_us("2026-01-08"), 10)
    assert list(spread.values()) == [1, 1, 2, 1, 2, 1, 2]


def test_a_day_without_a_whole_unit_has_no_row() -> None:
    assert by_day(at_us("2026-01-01"), at_us("2026-01-08"), 1) == {"2026-01-07": 1}


def test_a_day_of_25_hours_is_one_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = micros(datetime(2026, 10, 25, tzinfo=berlin))
    assert by_day(start, start + 25 * HOUR_US, 25, "Europe/Berlin") == {"2026-10-25": 25}


def test_an_hour_that_comes_twice_is_of_one_day() -> None:
    start = micros(datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")))
    spread = by_day(start, start + HOUR_US // 2, 25, "Europe/Berlin")
    assert spread == {"2026-10-25": 25}


@given(st.integers(0, 24 * 60), st.integers(1, 90 * 24 * 60), st.integers(0, 10**9))
def test_the_days_share_the_quantity_exactly(start: int, minutes: int, quantity: int) -> None:
    begin = datetime(2026, 1, 1) + timedelta(minutes=start)  # noqa: DTZ001 - a wall clock
    end = begin + timedelta(minutes=minutes)
    spread = by_day(at_us(begin.isoformat()), at_us(end.isoformat()), quantity)
    assert sum(spread.values()) == quantity
    reached = 0
    for day in sorted(spread):
        reached += spread[day]
        day_end = datetime.fromordinal(date.fromisoformat(day).toordinal() + 1)
        passed = min(end, day_end) - begin
        exact = Fraction(quantity * (passed // timedelta(minutes=1)), minutes)
        assert 0 <= exact - reached < 1


@given(stories())
def test_the_days_of_a_point_add_up_to_what_it_was_charged(story: Story) -> None:
    charged: Counter[tuple[str, str, str]] = Counter()
    for fact, _ in story.past:
        if isinstance(fact, AccountCharged):
            for register, (_, _, quantity) in fact.registers.items():
                charged[fact.point, register, fact.unit] += quantity
    told: Counter[tuple[str, str, str]] = Counter()
    for key, row in view_of(EnergyByDay("Asia/Shanghai"), [recorded(*story.past)]).items():
        told[key[2], key[3], row["unit"]] += row["quantity"]
    assert +told == +charged
