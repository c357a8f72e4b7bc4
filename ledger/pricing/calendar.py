"""Windows, months and local midnights; every day is an ordinal (`date.toordinal`)."""

from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from ledger.values import EPOCH_DAY, MICROS_PER_DAY, local_us

LAST_DAY: Final = date.max.toordinal()
FOREVER: Final = LAST_DAY + 1
_FIRST_SAFE_DAY: Final = 4  # Zones cannot be asked at the very ends of the calendar.
_LAST_SAFE_DAY: Final = LAST_DAY - 3
_DAYS_KEPT: Final = 65_536
WINDOW_MONTHS: Final = {
    "month": 1,
    "bimonth": 2,
    "four_months": 4,
    "year": 12,
    "billing_period": 0,
}


def day_at(local: int) -> int:
    """Day on which a wall-clock time falls."""
    return EPOCH_DAY + local // MICROS_PER_DAY


def midnight(day: int) -> int:
    """Wall-clock time at which the day begins."""
    return (day - EPOCH_DAY) * MICROS_PER_DAY


@lru_cache(maxsize=_DAYS_KEPT)
def month_of(day: int) -> int:
    """Number of the day's month: year × 12 + month − 1."""
    on = date.fromordinal(day)
    return on.year * 12 + on.month - 1


@lru_cache(maxsize=_DAYS_KEPT)
def first_day(month: int) -> int:
    """First day of the month with that number; beyond the calendar its nearest end."""
    year, index = divmod(month, 12)
    if year < date.min.year:
        return date.min.toordinal()
    return date(year, index + 1, 1).toordinal() if year <= date.max.year else FOREVER


def months_later(day: int, months: int) -> int:
    """The same day of a later month, or that month's last day."""
    month = month_of(day)
    same = first_day(month + months) + day - first_day(month)
    return min(same, first_day(month + months + 1) - 1)


def months_between(first: int, last: int, at_least: int = 1) -> int:
    """Whole months from one day to another: a month ends on the day of the month it began on."""
    begun, ended = date.fromordinal(first), date.fromordinal(last)
    months = (ended.year - begun.year) * 12 + ended.month - begun.month
    is_last_day = date.fromordinal(last + 1).day == 1
    if ended.day < begun.day and not is_last_day:
        months -= 1
    return max(months, at_least)


class Window(NamedTuple):
    """Span over which a tariff counts consumption: so many months, from the anchor month on.

    A window of no months is a billing period: it runs from one bill to the next.
    """

    months: int
    anchor_month: int

    def around(self, day: int) -> tuple[int, int]:
        """First day of the window that holds `day`, and first day after it."""
        if not self.months:
            return day, day + 1
        month = month_of(day)
        start = month - (month - self.anchor_month + 1) % self.months
        return first_day(start), first_day(start + self.months)

    def months_left(self, window_from: int, day: int) -> int:
        """Months of the window from the month of `day` on."""
        return self.months - (month_of(day) - month_of(window_from))


def instants_of_midnight(timezone: str, day: int) -> tuple[int, int]:
    """UTC times at which the day surely has not and surely has begun.

    They are the same, except within a day of a clock change.
    """
    local = midnight(day)
    if not _FIRST_SAFE_DAY <= day <= _LAST_SAFE_DAY:
        return local - 2 * MICROS_PER_DAY, local + 2 * MICROS_PER_DAY
    offsets = [
        local_us(timezone, at) - at for at in (local - MICROS_PER_DAY, local + MICROS_PER_DAY)
    ]
    return local - max(offsets), local - min(offsets)
