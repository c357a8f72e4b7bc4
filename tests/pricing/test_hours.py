"""Hours of a single register: which period counts, by local clock, day type and holiday."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.pricing import CompiledTariff, NotRateable, compile_tariff, lint
from ledger.pricing.hours import DAY_MINUTES, by_register
from ledger.values import micros
from tests.pricing.tariffs import ENERGY, Document, charges, document

WORK = {"peak": "08:00-22:00", "valley": "22:00-08:00"}
QUIET = {"valley": "00:00-24:00"}
BY_DAY_TYPE = {
    "workday": WORK,
    "weekend": {"peak": "10:00-18:00", "valley": "18:00-10:00"},
    "holiday": QUIET,
    "holidays": "cn",
}
PRICES = ENERGY | {"rates": {"peak": ["0.60", "0.90"], "valley": ["0.30", "0.45"]}}
PEAK, VALLEY = 0, 1


def by_hours(calendar: dict[str, Any], **fields: Any) -> Document:  # noqa: ANN401 - JSON
    particulars = {"registers": ["peak", "valley"], "tou_calendar": calendar, **fields}
    return document(charges(PRICES), **particulars)


def split_by(calendar: dict[str, Any], **fields: Any) -> CompiledTariff:  # noqa: ANN401 - JSON
    rated_by = compile_tariff(by_hours(calendar, **fields))
    assert rated_by.hours is not None
    return rated_by


TWO_RATES = split_by(WORK)


def at_us(text: str, timezone: str = "Asia/Shanghai") -> int:
    return micros(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)))


def shares(
    rated_by: CompiledTariff, start: str, end: str, quantity: int = 1_000
) -> tuple[int, ...]:
    zone = rated_by.timezone
    assert rated_by.hours is not None
    return rated_by.hours.quantities(at_us(start, zone), at_us(end, zone), quantity)


@pytest.mark.parametrize(
    ("start", "end", "peak", "valley"),
    [
        ("2026-03-02T08:00", "2026-03-02T09:00", 1_000, 0),
        ("2026-03-02T21:30", "2026-03-02T22:00", 1_000, 0),
        ("2026-03-02T22:00", "2026-03-02T22:30", 0, 1_000),
        ("2026-03-02T23:00", "2026-03-03T01:00", 0, 1_000),
        ("2026-03-02T07:00", "2026-03-02T08:00", 0, 1_000),
    ],
)
def test_an_interval_within_one_period_belongs_to_it(
    start: str, end: str, peak: int, valley: int
) -> None:
    assert shares(TWO_RATES, start, end) == (peak, valley)


def test_over_a_border_of_hours_it_is_linear_in_time_and_whole() -> None:
    assert shares(TWO_RATES, "2026-03-02T07:40", "2026-03-02T08:40", 1_000) == (667, 333)
    assert shares(TWO_RATES, "2026-03-02T00:00", "2026-03-03T00:00", 24_000) == (14_000, 10_000)
    assert shares(TWO_RATES, "2026-03-02T07:30", "2026-03-02T08:30", 1) == (1, 0)


def test_two_readings_at_once_belong_to_the_period_that_they_close() -> None:
    assert shares(TWO_RATES, "2026-03-02T08:00", "2026-03-02T08:00", 5) == (0, 5)
    assert shares(TWO_RATES, "2026-03-02T22:00", "2026-03-02T22:00", 5) == (5, 0)


@pytest.mark.parametrize(
    ("day", "day_type", "peak"),
    [
        ("2026-03-04", "workday", 14),
        ("2026-03-07", "weekend", 8),
        ("2026-02-17", "holiday", 0),  # Tuesday, Spring Festival
        ("2026-02-21", "holiday", 0),  # a Saturday within it
        ("2026-02-14", "makeup_workday", 14),  # a Saturday that is worked
        ("2026-01-04", "makeup_workday", 14),  # a Sunday that is worked
        ("2025-10-08", "holiday", 0),
        ("2024-02-18", "makeup_workday", 14),
    ],
)
def test_a_day_has_the_hours_of_its_type(day: str, day_type: str, peak: int) -> None:
    rated_by = split_by(BY_DAY_TYPE)
    assert rated_by.hours is not None
    assert rated_by.hours.day_type(date.fromisoformat(day).toordinal()) == day_type
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    found = shares(rated_by, f"{day}T00:00", f"{after}T00:00", 24_000)
    assert found == (peak * 1_000, (24 - peak) * 1_000)


def test_a_type_without_hours_of_its_own_has_those_of_the_next_wider_one() -> None:
    only_workdays = split_by({"workday": WORK, "holidays": "cn"})
    assert shares(only_workdays, "2026-02-17T09:00", "2026-02-17T10:00") == (1_000, 0)
    weekends = split_by({"workday": WORK, "weekend": QUIET, "holidays": "cn"})
    assert shares(weekends, "2026-02-17T09:00", "2026-02-17T10:00") == (0, 1_000)
    assert shares(weekends, "2026-02-14T09:00", "2026-02-14T10:00") == (1_000, 0)


def test_a_year_without_announced_holidays_is_not_guessed_at() -> None:
    rated_by = split_by(BY_DAY_TYPE)
    with pytest.raises(NotRateable) as refused:
        shares(rated_by, "2031-05-01T00:00", "2031-05-01T01:00")
    assert refused.value.code == "holidays_unknown"


def test_a_change_of_the_clock_takes_its_hour_from_the_period_it_falls_in() -> None:
    london = split_by(
        {"peak": "02:00-24:00", "valley": "00:00-02:00"}, timezone="Europe/London", currency="GBP"
    )
    # In spring the hour from 01:00 to 02:00 is left out, in autumn it comes twice.
    assert shares(london, "2026-03-29T00:00", "2026-03-30T00:00", 23_000) == (22_000, 1_000)
    assert shares(london, "2026-10-25T00:00", "2026-10-26T00:00", 25_000) == (22_000, 3_000)


def test_what_clocks_leap_over_at_midnight_is_counted_by_the_hours_behind_it() -> None:
    rated_by = split_by({"peak": "00:00-01:00", "valley": "01:00-24:00"}, timezone="Africa/Cairo")
    assert shares(rated_by, "2025-04-24T23:00", "2025-04-25T02:00") == (0, 1_000)
    assert shares(rated_by, "2025-04-25T23:00", "2025-04-26T01:00") == (500, 500)


moments = st.integers(at_us("2024-01-02T00:00"), at_us("2026-11-15T00:00"))
"""So that what lasts forty days from them ends within the years whose holidays are known."""


@given(moments, st.integers(0, 40 * 86_400_000_000), st.integers(0, 10**9))
def test_splitting_conserves_every_watt_hour(start: int, span: int, quantity: int) -> None:
    rated_by = split_by(BY_DAY_TYPE)
    assert rated_by.hours is not None
    parts = rated_by.hours.split(start, start + span, quantity)
    assert sum(part.quantity for part in parts) == quantity
    assert all(part.quantity >= 0 for part in parts)
    assert [part.from_us for part in parts] == [start, *(part.to_us for part in parts[:-1])]
    assert parts[-1].to_us == start + span


@given(moments, st.integers(1, 3 * 86_400), st.integers(0, 10**8), st.data())
def test_a_split_follows_the_clock_minute_by_minute(
    start: int, seconds: int, quantity: int, data: st.DataObject
) -> None:
    rated_by = split_by(BY_DAY_TYPE)
    assert rated_by.hours is not None
    parts = rated_by.hours.split(start, start + seconds * 1_000_000, quantity)
    moment = start + data.draw(st.integers(0, seconds - 1)) * 1_000_000
    part = next(part for part in parts if part.from_us <= moment < part.to_us)
    local = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")) + timedelta(microseconds=moment)
    wall = local.astimezone(ZoneInfo("Asia/Shanghai"))
    day_type = rated_by.hours.day_type(wall.date().toordinal())
    first, last = {"weekend": (10, 18), "holiday": (0, 0)}.get(day_type, (8, 22))
    assert (part.register == PEAK) == (first <= wall.hour < last)


@given(moments, st.lists(st.integers(1, 86_400), min_size=1, max_size=20))
def test_what_a_single_register_costs_is_what_its_split_registers_cost(
    start: int, seconds: list[int]
) -> None:
    rated_by = split_by(BY_DAY_TYPE)
    single = double = derived = rated_by.start(start)
    for passed in seconds:
        end, quantity = start + passed * 1_000_000, passed * 7
        quantities = by_register(rated_by.hours, start, end, (quantity,))
        single, amounts = rated_by.rate(single, start, end, (quantity,))
        double, same = rated_by.rate(double, start, end, quantities)
        derived, exact, _ = rated_by.derive(derived, start, end, (quantity,))
        assert amounts == same == exact
        start = end
    assert single == double
    assert single.posted == derived.posted


def test_a_meter_with_the_tariffs_own_registers_is_read_by_them() -> None:
    start = at_us("2026-03-02T07:00")
    position, amounts = TWO_RATES.rate(
        TWO_RATES.start(start), start, start + 3_600_000_000, (10_000, 0)
    )
    assert (amounts, position.used) == ((6_00,), 10_000)


@pytest.mark.parametrize(
    "calendar",
    [{"note": "by the notice"}, {"peak": "08:00-22:00"}, {"workday": {"peak": "00:00-24:00"}}],
)
def test_a_calendar_that_leaves_hours_open_splits_nothing(calendar: dict[str, Any]) -> None:
    tariff = by_hours(calendar)
    rated_by = compile_tariff(tariff)
    if rated_by.hours is None:
        start = at_us("2026-03-02T07:00")
        with pytest.raises(NotRateable) as refused:
            rated_by.rate(rated_by.start(start), start, start + 1_000_000, (10,))
        assert refused.value.code == "registers"
    else:
        assert calendar == {"workday": {"peak": "00:00-24:00"}}


@pytest.mark.parametrize(
    ("calendar", "path", "code"),
    [
        (BY_DAY_TYPE | {"holidays": "atlantis"}, "/tou_calendar/holidays", "holidays"),
        ({"workday": WORK, "holiday": QUIET}, "/tou_calendar/holiday", "holidays"),
        ({"workday": WORK, "feast": QUIET}, "/tou_calendar/feast", "day_type"),
        ({"weekend": QUIET}, "/tou_calendar", "day_type"),
    ],
)
def test_days_that_cannot_be_told_apart_are_no_calendar(
    calendar: dict[str, Any], path: str, code: str
) -> None:
    found = {(problem.path, problem.code) for problem in lint(by_hours(calendar))}
    assert (path, code) in found


def test_every_minute_of_every_type_of_day_has_one_register() -> None:
    rated_by = split_by(BY_DAY_TYPE)
    assert rated_by.hours is not None
    for hours in rated_by.hours._days.values():
        assert hours.ends[-1] == DAY_MINUTES
        assert sorted(set(hours.ends)) == list(hours.ends)
