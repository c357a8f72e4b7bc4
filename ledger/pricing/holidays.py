"""Holidays (节假日): days off and the weekend days worked for them (调休), year by year.

A year is added when it is announced and never changed afterwards: what was rated by it stays. A
tariff may tell further years itself, so that nobody waits for the next release.

China: the General Office of the State Council announces each year by a notice
(国务院办公厅关于…年部分节假日安排的通知). All dates below were compared with the full texts:
2024 in the State Council Gazette 2023 no. 31 (zh.wikisource.org), 2025 as published by Xinhua on
2024-11-12, 2026 as published by Xinhua on 2025-11-04.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from ledger.pricing.document import HolidayYear
from ledger.pricing.position import NotRateable

DAYS_MAX: Final = 366


class Holidays(NamedTuple):
    """The days off of a country, for the years that have been announced."""

    years: Sequence[int]
    days_off: frozenset[int]
    made_up: frozenset[int]
    """Days of a weekend that are worked in exchange."""

    def is_off(self, day: int) -> bool:
        """Whether nobody works by the calendar; NotRateable in a year not announced yet."""
        self._require(day)
        return day in self.days_off

    def is_made_up(self, day: int) -> bool:
        """Whether a day of the weekend is worked."""
        self._require(day)
        return day in self.made_up

    def _require(self, day: int) -> None:
        year = date.fromordinal(day).year
        if year not in self.years:
            message = (
                f"The tariff does not know the holidays of {year}. Add them by `wattledger tariff "
                "add-holidays FILE`; then `wattledger readings quarantine recompute` charges what "
                "waits."
            )
            raise NotRateable("holidays_unknown", message)


def with_years(known: Holidays | None, told: Sequence[HolidayYear]) -> Holidays:
    """A calendar with the years that a tariff tells; of a year in both the tariff's days count."""
    years, days_off, made_up = NOTHING_KNOWN if known is None else known
    own = {each.year for each in told}
    kept = [
        {day for day in days if date.fromordinal(day).year not in own}
        for days in (days_off, made_up)
    ]
    for each in told:
        for found, texts in zip(kept, (each.off, each.worked), strict=True):
            found.update(day for text in texts for day in days_of(text) or ())
    return Holidays(tuple(sorted({*years, *own})), *map(frozenset, kept))


def days_of(text: str) -> range | None:
    """The days of `2027-01-01` or `2027-02-06/2027-02-12`; None where it cannot be read."""
    first, _, last = text.partition("/")
    try:
        days = range(_day(first), _day(last or first) + 1)
    except ValueError:
        return None
    return days if 0 < len(days) <= DAYS_MAX else None


def _days(*spans: tuple[str, str]) -> frozenset[int]:
    """Every day of the spans, both ends inclusive."""
    found: set[int] = set()
    for first, last in spans:
        found.update(range(_day(first), _day(last) + 1))
    return frozenset(found)


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


CHINA: Final = Holidays(
    range(2024, 2027),
    _days(
        # 国办发明电〔2023〕7号, 2023-10-25
        ("2024-01-01", "2024-01-01"),
        ("2024-02-10", "2024-02-17"),
        ("2024-04-04", "2024-04-06"),
        ("2024-05-01", "2024-05-05"),
        ("2024-06-10", "2024-06-10"),
        ("2024-09-15", "2024-09-17"),
        ("2024-10-01", "2024-10-07"),
        # 国办发明电〔2024〕12号, 2024-11-12
        ("2025-01-01", "2025-01-01"),
        ("2025-01-28", "2025-02-04"),
        ("2025-04-04", "2025-04-06"),
        ("2025-05-01", "2025-05-05"),
        ("2025-05-31", "2025-06-02"),
        ("2025-10-01", "2025-10-08"),
        # 国办发明电〔2025〕7号, 2025-11-04
        ("2026-01-01", "2026-01-03"),
        ("2026-02-15", "2026-02-23"),
        ("2026-04-04", "2026-04-06"),
        ("2026-05-01", "2026-05-05"),
        ("2026-06-19", "2026-06-21"),
        ("2026-09-25", "2026-09-27"),
        ("2026-10-01", "2026-10-07"),
    ),
    frozenset(
        map(
            _day,
            (
                "2024-02-04",
                "2024-02-18",
                "2024-04-07",
                "2024-04-28",
                "2024-05-11",
                "2024-09-14",
                "2024-09-29",
                "2024-10-12",
                "2025-01-26",
                "2025-02-08",
                "2025-04-27",
                "2025-09-28",
                "2025-10-11",
                "2026-01-04",
                "2026-02-14",
                "2026-02-28",
                "2026-05-09",
                "2026-09-20",
                "2026-10-10",
            ),
        )
    ),
)
NOTHING_KNOWN: Final = Holidays((), frozenset(), frozenset())
CALENDARS: Final = {"cn": CHINA}
"""By the name that a tariff's `holidays` says."""
