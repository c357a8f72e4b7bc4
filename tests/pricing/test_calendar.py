from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.pricing.calendar import (
    FOREVER,
    LAST_DAY,
    Window,
    day_at,
    first_day,
    instants_of_midnight,
    midnight,
    month_of,
)
from ledger.values import clock_us, closing_day, local_us, micros
from tests.pricing.strategies import ZONES

HOUR_US = 3_600_000_000


@given(
    st.builds(Window, st.sampled_from([1, 2, 4, 12]), st.integers(1, 12)),
    st.dates().map(date.toordinal),
)
def test_windows_lie_side_by_side_and_hold_their_days(window: Window, day: int) -> None:
    if day < date(2, 1, 1).toordinal():
        return
    start, end = window.around(day)
    assert start <= day < end
    assert window.around(start) == (start, end)
    if end < FOREVER:
        assert window.around(end)[0] == end
        assert month_of(end) - month_of(start) == window.months
        assert (month_of(start) + 1 - window.anchor_month) % window.months == 0


def test_the_calendar_ends_with_its_last_day() -> None:
    assert first_day(month_of(LAST_DAY) + 1) == FOREVER == LAST_DAY + 1


@pytest.mark.parametrize("months", [1, 2, 4, 12])
@pytest.mark.parametrize("anchor_month", [1, 3, 12])
def test_the_first_window_begins_with_the_calendar(months: int, anchor_month: int) -> None:
    """A price may hold "from the year 1 on": since ever."""
    start, end = Window(months, anchor_month).around(date.min.toordinal())
    assert start == date.min.toordinal() < end


@pytest.mark.parametrize("zone", [*ZONES, "Pacific/Apia", "America/Sao_Paulo"])
def test_a_day_has_surely_begun_at_the_later_instant_and_surely_not_before_the_earlier(
    zone: str,
) -> None:
    for day in range(date(2010, 1, 1).toordinal(), date(2013, 1, 1).toordinal()):
        earliest, latest = instants_of_midnight(zone, day)
        hours = range(0, 30 * 3_600_000_000, 900_000_000)
        assert all(local_us(zone, latest + later) >= midnight(day) for later in hours)
        assert all(local_us(zone, earliest - 1 - sooner) < midnight(day) for sooner in hours)


def test_a_wall_clock_time_lies_on_its_day() -> None:
    day = date(2025, 3, 1).toordinal()
    assert day_at(midnight(day)) == day
    assert day_at(midnight(day) - 1) == day - 1


@pytest.mark.parametrize(
    ("zone", "leap"),
    [("Africa/Cairo", "2025-04-25T00:00+02:00"), ("Atlantic/Azores", "2025-03-30T00:00-01:00")],
)
def test_the_moment_at_which_clocks_leap_over_midnight_is_that_midnight(
    zone: str, leap: str
) -> None:
    at_us = micros(datetime.fromisoformat(leap))
    day = date.fromisoformat(leap[:10]).toordinal()
    assert local_us(zone, at_us) == midnight(day)
    assert closing_day(zone, at_us) == day - 1
    assert clock_us(zone, at_us) == midnight(day) + HOUR_US
    assert local_us(zone, at_us - 1) == midnight(day) - 1
    assert local_us(zone, at_us + 1) == midnight(day) + HOUR_US + 1


def test_a_leap_at_another_hour_shows_what_clocks_show() -> None:
    leap = micros(datetime.fromisoformat("2025-03-30T01:00+00:00"))
    assert local_us("Europe/London", leap) == clock_us("Europe/London", leap) == leap + HOUR_US
