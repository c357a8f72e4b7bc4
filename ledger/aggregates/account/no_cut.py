"""No-cut windows (保电时段): times of the account's own clock in which nobody is cut."""

from collections.abc import Iterable
from datetime import date
from operator import itemgetter
from typing import Final, NamedTuple

from ledger.pricing.calendar import day_at, midnight
from ledger.pricing.holidays import Holidays
from ledger.values import MICROS_PER_DAY, clock_us

GRACE: Final = "grace"
"""What holds a trip back for a while after its line was reached, beside the windows' names."""
HOUR_US: Final = MICROS_PER_DAY // 24
_OFFSET_STEP_US: Final = HOUR_US // 4
_LINKED_MAX: Final = 2_000
"""Windows that follow one another without a gap; a published policy has fewer by far."""
_SATURDAY: Final = 6

Span = tuple[int, int]
"""Where a window begins on its day, and how long it lasts; microseconds."""
WHOLE_DAY: Final[Span] = (0, MICROS_PER_DAY)


class Days(NamedTuple):
    """The days on which a window begins: every day, or those that one of these names."""

    weekdays: frozenset[int] = frozenset()
    """1 is Monday."""
    weekend: bool = False
    """Saturday and Sunday, but not one that is worked by the calendar."""
    holiday: bool = False
    holidays: Holidays | None = None
    through_year: int = 0
    """The last year of the calendar that was known when the policy was published."""
    first: int = 0
    last: int = 0
    """Day ordinals of a period that comes once."""
    yearly: tuple[int, int] = (0, 0)
    """Month × 100 + day of a period that comes every year; it may go over the year's end."""

    def have(self, day: int) -> bool:
        """Whether a window begins on a day."""
        if self.first:
            return self.first <= day <= self.last
        if self.yearly[0]:
            return self._is_of_year(day)
        if not (self.weekdays or self.weekend or self.holiday):
            return True
        weekday = (day - 1) % 7 + 1
        if weekday in self.weekdays:
            return True
        known = self._calendar(day)
        if self.holiday and known is not None and known.is_off(day):
            return True
        is_worked = known is not None and known.is_made_up(day)
        return self.weekend and weekday >= _SATURDAY and not is_worked

    def _is_of_year(self, day: int) -> bool:
        on = date.fromordinal(day)
        first, last = self.yearly
        at = on.month * 100 + on.day
        if first <= last:
            return first <= at <= last
        return at >= first or at <= last

    def _calendar(self, day: int) -> Holidays | None:
        """A calendar that grows later must not change what was decided by this policy."""
        if self.holidays is None:
            return None
        year = date.fromordinal(day).year
        return self.holidays if year <= self.through_year and year in self.holidays.years else None


class Window(NamedTuple):
    """A named window: its days, and its hours on each; one over midnight is of the day before."""

    name: str
    days: Days
    spans: tuple[Span, ...] = (WHOLE_DAY,)

    def open_span(self, local: int) -> Span | None:
        """Wall-clock times between which the window is open then, the longest; None where not."""
        today = day_at(local)
        spans = [span for span in self.on((today - 1, today)) if span[0] <= local < span[1]]
        return max(spans, key=itemgetter(1), default=None)

    def on(self, days: Iterable[int]) -> list[Span]:
        """Wall-clock times from and to which the window is open, of those that begin on days."""
        return [
            (midnight(day) + begins, midnight(day) + begins + lasts)
            for day in days
            if self.days.have(day)
            for begins, lasts in self.spans
        ]


class Hold(NamedTuple):
    """Why nobody is cut now, and when that is over (UTC)."""

    by: tuple[str, ...]
    until_us: int


class NoCut:
    """The windows of a policy, and the grace between the trip line and the trip."""

    __slots__ = ("_stretches", "grace_us", "windows")

    def __init__(self, windows: tuple[Window, ...], grace_us: int) -> None:
        self.windows = windows
        self.grace_us = grace_us
        self._stretches: dict[str, tuple[int, int]] = {}
        """The stretch that was asked for last, by time zone: thousands wait for the same end."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoCut) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash(self._said())

    def due_us(self, timezone: str, since_us: int, now_us: int) -> int:
        """When a trip may be, from now on, whose line was reached at `since_us`."""
        return self._free_from(timezone, max(since_us + self.grace_us, now_us))

    def hold(self, timezone: str, since_us: int, now_us: int) -> Hold | None:
        """What keeps such a trip back now; None where it may be."""
        free_us = self.due_us(timezone, since_us, now_us)
        if free_us == now_us:
            return None
        graced_us = max(since_us + self.grace_us, now_us)
        names = self._open(timezone, graced_us)
        return Hold((GRACE, *names) if graced_us > now_us else names, free_us)

    def window(self, timezone: str, now_us: int) -> Hold | None:
        """What is open at a time, whatever the grace; None where nothing is."""
        free_us = self._free_from(timezone, now_us)
        return None if free_us == now_us else Hold(self._open(timezone, now_us), free_us)

    def _said(self) -> tuple[tuple[Window, ...], int]:
        return self.windows, self.grace_us

    def _open(self, timezone: str, at_us: int) -> tuple[str, ...]:
        local = clock_us(timezone, at_us)
        return tuple(each.name for each in self.windows if each.open_span(local) is not None)

    def _free_from(self, timezone: str, at_us: int) -> int:
        """The first time from then on at which no window is open."""
        from_us, until_us = self._stretches.get(timezone, (0, 0))
        if from_us <= at_us < until_us:
            return until_us
        reached_us = at_us
        for _ in range(_LINKED_MAX):
            local = clock_us(timezone, reached_us)
            spans = [span for each in self.windows if (span := each.open_span(local)) is not None]
            if not spans:
                break
            reached_us = left(timezone, max(spans, key=itemgetter(1)), reached_us)
        if reached_us > at_us:
            self._stretches[timezone] = (at_us, reached_us)
        return reached_us


def left(timezone: str, span: Span, at_us: int) -> int:
    """The first UTC time from `at_us` on, when the span is open, at which clocks are out of it.

    Where they are put forward over its end, or back before its beginning, that is the moment.
    """
    begins, end = span
    offset = clock_us(timezone, at_us) - at_us
    if clock_us(timezone, end - offset) == end:
        return end - offset
    while True:
        local = clock_us(timezone, at_us)
        if not begins <= local < end:
            return at_us
        step_us = (at_us // _OFFSET_STEP_US + 1) * _OFFSET_STEP_US - at_us
        if local + step_us > end:
            return at_us + end - local
        at_us += step_us


def never_leaves_an_hour(windows: tuple[Window, ...], first_day: int, days: int) -> bool:
    """Whether nobody can be cut for so many days: no whole hour of them is free."""
    spans = sorted(
        span for window in windows for span in window.on(range(first_day - 1, first_day + days))
    )
    free_from = midnight(first_day)
    for begins, end in spans:
        if begins - free_from >= HOUR_US:
            return False
        free_from = max(free_from, end)
    return midnight(first_day + days) - free_from < HOUR_US
