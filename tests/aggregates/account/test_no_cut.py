"""When nobody is cut: nights over midnight, days, periods, and days on which clocks change."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.aggregates.account.no_cut import NoCut, Window, never_leaves_an_hour
from ledger.aggregates.policy_windows import NoCutWindow
from ledger.values import instant, local_us, micros

SHANGHAI = "Asia/Shanghai"
BERLIN = "Europe/Berlin"
HOUR_US = 3_600_000_000
NIGHTS = {"name": "nights", "hours": "18:00-08:00"}
WEEKENDS = {"name": "weekends", "days": ("fri", "weekend")}
HOLIDAYS = {"name": "holidays", "days": ("holiday",), "holidays": "cn"}
SPRING = {"name": "Spring Festival", "first_day": "2027-02-05", "last_day": "2027-02-20"}
GAOKAO = {"name": "Gaokao", "first_day": "06-07", "last_day": "06-10"}
TURN = {"name": "turn of the year", "first_day": "12-24", "last_day": "01-06"}


def no_cut(*windows: dict[str, Any], grace_hours: int = 0) -> NoCut:
    compiled = tuple(NoCutWindow.model_validate(each).window() for each in windows)
    return NoCut(compiled, grace_hours * HOUR_US)


def at(text: str, zone: str = SHANGHAI) -> int:
    """UTC of a wall-clock time; of one that comes twice, the first."""
    local = micros(datetime.fromisoformat(text).replace(tzinfo=UTC))
    first = local - 15 * HOUR_US
    while local_us(zone, first) < local:
        first += HOUR_US // 4
    assert local_us(zone, first) == local, f"no clock shows {text}"
    return first


def shown(at_us: int, zone: str = SHANGHAI) -> str:
    return instant(local_us(zone, at_us)).strftime("%Y-%m-%dT%H:%M")


def held(found: NoCut, when: str, zone: str = SHANGHAI) -> tuple[str, ...]:
    """What is open then and the end of it; nothing where anybody may be cut."""
    hold = found.hold(zone, at(when, zone), at(when, zone))
    return () if hold is None else (*hold.by, shown(hold.until_us, zone))


@pytest.mark.parametrize(
    ("windows", "when", "expected"),
    [
        ((NIGHTS,), "2026-11-23T17:59", ()),
        ((NIGHTS,), "2026-11-23T18:00", ("nights", "2026-11-24T08:00")),
        ((NIGHTS,), "2026-12-31T23:59", ("nights", "2027-01-01T08:00")),
        ((NIGHTS,), "2027-01-01T07:59", ("nights", "2027-01-01T08:00")),
        ((NIGHTS,), "2027-01-01T08:00", ()),
        ((WEEKENDS,), "2026-11-26T23:59", ()),
        ((WEEKENDS,), "2026-11-27T00:00", ("weekends", "2026-11-30T00:00")),
        ((WEEKENDS, NIGHTS), "2026-11-26T20:00", ("nights", "2026-11-30T08:00")),
        ((NIGHTS, WEEKENDS), "2026-11-28T20:00", ("nights", "weekends", "2026-11-30T08:00")),
        ((SPRING,), "2027-02-04T23:59", ()),
        ((SPRING,), "2027-02-12T12:00", ("Spring Festival", "2027-02-21T00:00")),
        ((SPRING, NIGHTS), "2027-02-20T12:00", ("Spring Festival", "2027-02-21T08:00")),
        ((SPRING,), "2028-02-12T12:00", ()),
        ((GAOKAO,), "2031-06-07T00:00", ("Gaokao", "2031-06-11T00:00")),
        ((GAOKAO,), "2031-06-11T00:00", ()),
        ((TURN,), "2026-12-31T23:00", ("turn of the year", "2027-01-07T00:00")),
        ((TURN,), "2027-01-07T00:00", ()),
        ((HOLIDAYS,), "2026-10-01T00:00", ("holidays", "2026-10-08T00:00")),
        ((HOLIDAYS,), "2027-10-01T00:00", ()),
    ],
)  # fmt: skip
def test_what_holds_a_trip_back_and_until_when(
    windows: tuple[dict[str, Any], ...], when: str, expected: tuple[str, ...]
) -> None:
    assert held(no_cut(*windows), when) == expected


def test_a_weekend_that_is_worked_for_a_holiday_is_none() -> None:
    plain = no_cut({"name": "weekends", "days": ("weekend",)})
    chinese = no_cut({"name": "weekends", "days": ("weekend",), "holidays": "cn"})
    assert held(plain, "2026-10-10T12:00") == ("weekends", "2026-10-12T00:00")
    assert held(chinese, "2026-10-10T12:00") == ()
    assert held(chinese, "2026-10-11T12:00") == ("weekends", "2026-10-12T00:00")


def test_days_of_a_calendar_that_was_not_known_at_publication_stay_unknown() -> None:
    of_2025 = no_cut(HOLIDAYS | {"through_year": 2025})
    assert held(of_2025, "2025-10-01T12:00") != ()
    assert held(of_2025, "2026-10-01T12:00") == ()


def test_the_grace_is_counted_from_when_the_line_was_reached() -> None:
    patient = no_cut(NIGHTS, grace_hours=48)
    reached_us = at("2026-11-23T12:00")
    first = patient.hold(SHANGHAI, reached_us, reached_us)
    assert first is not None
    assert (first.by, shown(first.until_us)) == (("grace",), "2026-11-25T12:00")
    late_us = at("2026-11-23T20:00")
    second = patient.hold(SHANGHAI, late_us, at("2026-11-24T12:00"))
    assert second is not None
    assert (second.by, shown(second.until_us)) == (("grace", "nights"), "2026-11-26T08:00")
    assert patient.hold(SHANGHAI, reached_us, at("2026-11-25T12:00")) is None


@pytest.mark.parametrize(
    ("hours", "when", "until"),
    [
        ("22:00-02:30", "2026-03-29T01:59", "2026-03-29T03:00"),  # put forward over its end
        ("02:30-04:00", "2026-03-29T03:00", "2026-03-29T04:00"),
        ("22:00-06:00", "2026-03-28T23:00", "2026-03-29T06:00"),
        ("22:00-06:00", "2026-10-24T23:00", "2026-10-25T06:00"),
        ("22:00-02:30", "2026-10-25T01:00", "2026-10-25T02:30"),  # and open a second time
        ("02:15-04:00", "2026-10-25T02:30", "2026-10-25T02:00"),  # put back before its beginning
    ],
)
def test_on_days_on_which_clocks_change_the_wall_clock_counts(
    hours: str, when: str, until: str
) -> None:
    found = no_cut({"name": "nights", "hours": hours})
    hold = found.hold(BERLIN, 0, at(when, BERLIN))
    assert hold is not None
    assert shown(hold.until_us, BERLIN) == until
    assert found.hold(BERLIN, 0, hold.until_us) is None


@pytest.mark.parametrize("hours", ["22:00-00:30", "22:00-00:00"])
def test_a_midnight_that_clocks_leap_over_ends_the_hours_that_end_there(hours: str) -> None:
    found = no_cut({"name": "nights", "hours": hours})
    hold = found.hold("Africa/Cairo", 0, at("2025-04-24T23:30", "Africa/Cairo"))
    assert hold is not None
    assert hold.until_us == micros(datetime(2025, 4, 24, 22, tzinfo=UTC))
    assert found.hold("Africa/Cairo", 0, hold.until_us) is None


HOURS = st.sampled_from(["18:00-08:00", "22:00-02:30", "02:15-04:00", "00:00-24:00", "12:00-13:30"])
WINDOWS = st.one_of(
    st.builds(lambda hours: {"hours": hours}, HOURS.filter(lambda hours: "24:00" not in hours)),
    st.builds(
        lambda days, hours: {"days": tuple(days), "hours": hours},
        st.lists(st.sampled_from(["mon", "wed", "fri", "weekend"]), min_size=1, max_size=3),
        HOURS,
    ),
    st.builds(
        lambda first, days, hours: {
            "first_day": first.isoformat(),
            "last_day": (first + timedelta(days)).isoformat(),
            "hours": hours,
        },
        st.dates(date(2026, 3, 20), date(2026, 10, 30)),
        st.integers(0, 20),
        st.none() | HOURS,
    ),
    st.sampled_from(
        [{"first_day": "03-28", "last_day": "03-29"}, {"first_day": "10-25", "last_day": "10-26"}]
    ),
)


@given(
    st.lists(WINDOWS, min_size=1, max_size=4),
    st.sampled_from([SHANGHAI, BERLIN, "America/St_Johns", "Australia/Lord_Howe"]),
    st.integers(0, 24 * 4 * 260),
    st.lists(st.integers(0, 24 * 4 * 40), max_size=5),
)
@example([{"hours": "02:15-04:00"}], BERLIN, (micros(datetime(2026, 10, 25, tzinfo=UTC)) - micros(datetime(2026, 3, 15, tzinfo=UTC))) // (HOUR_US // 4), [1, 2, 3, 4])  # noqa: E501 # fmt: skip
def test_the_end_is_the_first_moment_at_which_no_window_is_open(
    windows: list[dict[str, Any]], zone: str, quarter: int, later: list[int]
) -> None:
    found = no_cut(*({"name": str(n)} | each for n, each in enumerate(windows)))
    begun_us = micros(datetime(2026, 3, 15, tzinfo=UTC))
    for quarters in (quarter, *(quarter + each for each in later)):  # later ones meet what is kept
        asked_us = begun_us + quarters * HOUR_US // 4
        hold = found.hold(zone, asked_us, asked_us)
        walked_us = asked_us
        while any(is_open(each, local_us(zone, walked_us)) for each in found.windows):
            walked_us += HOUR_US // 4
            if walked_us - asked_us > 80 * 24 * HOUR_US:
                return  # Without an end; no such policy is published.
        assert (asked_us if hold is None else hold.until_us) == walked_us


def is_open(window: Window, local: int) -> bool:
    """By its definition: some day's span holds the time."""
    day = date(1970, 1, 1).toordinal() + local // (24 * HOUR_US)
    return any(begins <= local < end for begins, end in window.on((day - 1, day)))


def test_windows_that_leave_no_hour_are_found_out() -> None:
    monday = date(2026, 11, 23).toordinal()
    spans = ["08:00-18:30", "18:00-07:01"]
    both = no_cut(*({"name": span, "hours": span} for span in spans)).windows
    assert never_leaves_an_hour(both, monday, 30)
    assert not never_leaves_an_hour(both[:1], monday, 30)
    weekdays = no_cut({"name": "w", "days": ("mon", "tue", "wed", "thu", "fri")}).windows
    assert not never_leaves_an_hour(weekdays, monday, 30)
    assert never_leaves_an_hour(weekdays, monday, 5)


def test_the_same_windows_are_the_same() -> None:
    assert no_cut(NIGHTS) == no_cut(NIGHTS) != no_cut(WEEKENDS)
    assert hash(no_cut(NIGHTS, grace_hours=1)) == hash(no_cut(NIGHTS, grace_hours=1))
