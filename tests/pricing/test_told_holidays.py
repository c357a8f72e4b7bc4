"""Years of holidays that a tariff tells itself."""

from datetime import date
from typing import Any

import pytest

from ledger.pricing import compile_tariff, lint
from ledger.pricing.document import HolidayYear
from ledger.pricing.holidays import CHINA, days_of, with_years
from tests.commands.test_hours_of_a_register import BY_DAY_TYPE, by_hours

YEAR = {"year": 2031, "off": ["2031-01-01", "2031-01-22/2031-01-28"], "worked": ["2031-02-01"]}


def told(*years: dict[str, Any], calendar: str = "cn") -> dict[str, Any]:
    hours = {**BY_DAY_TYPE, "holiday": {"valley": "00:00-24:00"}, "holidays": calendar}
    return {**by_hours(hours), "holidays": list(years)}


def ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def test_a_told_year_is_known_beside_those_of_the_calendar() -> None:
    known = with_years(CHINA, [HolidayYear.model_validate(YEAR)])
    assert list(known.years) == [*CHINA.years, 2031]
    days = ("2026-01-01", "2031-01-01", "2031-01-25", "2031-01-29")
    assert [known.is_off(ordinal(day)) for day in days] == [True, True, True, False]
    assert known.is_made_up(ordinal("2031-02-01"))
    assert known.days_off - CHINA.days_off == {ordinal("2031-01-01"), *days_of(YEAR["off"][1])}  # type: ignore[index,misc]


def test_a_tariff_s_own_days_count_in_a_year_that_both_tell() -> None:
    own = HolidayYear(year=2026, off=["2026-03-03"])
    known = with_years(CHINA, [own])
    assert [known.is_off(ordinal(day)) for day in ("2026-03-03", "2026-01-01")] == [True, False]
    assert known.is_off(ordinal("2025-01-01"))


def test_a_day_of_a_told_year_has_the_hours_of_its_type() -> None:
    hours = compile_tariff(told(YEAR)).hours
    assert hours is not None
    types = [hours.day_type(ordinal(day)) for day in ("2031-01-22", "2031-02-01", "2031-02-02")]
    assert types == ["holiday", "makeup_workday", "weekend"]
    only_here = compile_tariff(told(YEAR, calendar="gb")).hours
    assert only_here is not None
    assert list(only_here.years or ()) == [2031]


@pytest.mark.parametrize(
    ("years", "path"),
    [
        ([YEAR, YEAR], "/holidays/1/year"),
        ([YEAR | {"off": ["2031-13-01"]}], "/holidays/0/off/0"),
        ([YEAR | {"off": ["2031-01-03/2031-01-01"]}], "/holidays/0/off/0"),
        ([YEAR | {"off": ["2030-12-31/2031-01-01"]}], "/holidays/0/off/0"),
        ([YEAR | {"worked": ["2031-01-23"]}], "/holidays/0/worked/0"),
    ],
)
def test_what_is_wrong_with_a_year_is_told_with_its_place(
    years: list[dict[str, Any]], path: str
) -> None:
    assert [problem.path for problem in lint(told(*years))] == [path]


def test_a_calendar_is_named_and_known() -> None:
    assert lint(told(YEAR, calendar="gb")) == []
    assert [each.path for each in lint(told(calendar="gb"))] == ["/tou_calendar/holidays"]
    unnamed = {**by_hours({"peak": "08:00-22:00", "valley": "22:00-08:00"}), "holidays": [YEAR]}
    assert [each.path for each in lint(unnamed)] == ["/holidays"]
