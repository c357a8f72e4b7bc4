"""The calendar says what the notices say in other words: how many days, and which weekdays."""

from datetime import date

import pytest

from ledger.pricing.holidays import CHINA

SATURDAY, SUNDAY = 5, 6
NOTICES = {
    # Days of each holiday in order of the year ("共8天"), and weekdays of the weekend days worked.
    2024: ([1, 8, 3, 5, 1, 3, 7], [6, 6, 6, 6, 5, 5, 6, 5]),
    2025: ([1, 8, 3, 5, 3, 8], [6, 5, 6, 6, 5]),
    2026: ([3, 9, 3, 5, 3, 3, 7], [6, 5, 5, 5, 6, 5]),
}


def test_every_announced_year_is_held_to_its_notice() -> None:
    assert list(CHINA.years) == list(NOTICES)


@pytest.mark.parametrize("year", NOTICES)
def test_holidays_last_as_long_as_the_notice_says(year: int) -> None:
    lengths: list[int] = []
    days = sorted(day for day in CHINA.days_off if date.fromordinal(day).year == year)
    for before, day in zip([0, *days], days, strict=False):
        if day == before + 1:
            lengths[-1] += 1
        else:
            lengths.append(1)
    assert lengths == NOTICES[year][0]


@pytest.mark.parametrize("year", NOTICES)
def test_days_worked_instead_fall_on_the_weekdays_that_the_notice_names(year: int) -> None:
    worked = sorted(day for day in CHINA.made_up if date.fromordinal(day).year == year)
    assert [date.fromordinal(day).weekday() for day in worked] == NOTICES[year][1]
    assert {SATURDAY, SUNDAY} >= set(NOTICES[year][1])
    assert not CHINA.days_off.intersection(worked)


@pytest.mark.parametrize("year", NOTICES)
def test_a_year_loses_as_many_workdays_as_it_has_statutory_holidays(year: int) -> None:
    """11 days until 2024, 13 since; of those on a weekend another day is free, by law."""
    free = [day for day in CHINA.days_off if date.fromordinal(day).year == year]
    weekdays_off = [day for day in free if date.fromordinal(day).weekday() < SATURDAY]
    worked = [day for day in CHINA.made_up if date.fromordinal(day).year == year]
    assert len(weekdays_off) - len(worked) == {2024: 11, 2025: 13, 2026: 13}[year]
