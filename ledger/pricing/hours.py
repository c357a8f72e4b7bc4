"""Hours of a tariff (时段): which register counts at a moment, by local clock and day type (日型).

For meters with one register, `total`: what they counted is split by the tariff's calendar.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from ledger.pricing.calendar import day_at, midnight
from ledger.pricing.document import TariffDocument
from ledger.pricing.holidays import CALENDARS, Holidays, with_years
from ledger.pricing.lines import energy_registers
from ledger.pricing.position import NotRateable
from ledger.values import MICROS_PER_DAY, clock_us

Quantity = TypeVar("Quantity", bound=Fraction | int)
TOTAL: Final = "total"
NOTE: Final = "note"
HOLIDAYS: Final = "holidays"
WORKDAY: Final = "workday"
WEEKEND: Final = "weekend"
HOLIDAY: Final = "holiday"
MAKEUP_WORKDAY: Final = "makeup_workday"
DAY_TYPES: Final = {
    WORKDAY: (WORKDAY,),
    WEEKEND: (WEEKEND, WORKDAY),
    HOLIDAY: (HOLIDAY, WEEKEND, WORKDAY),
    MAKEUP_WORKDAY: (MAKEUP_WORKDAY, WORKDAY),
}
"""Whose hours hold on a day of a type: the first of these that the calendar names."""
DAY_MINUTES: Final = 24 * 60
MINUTE_US: Final = MICROS_PER_DAY // DAY_MINUTES
QUARTER_US: Final = 15 * MINUTE_US
"""Clocks are changed at quarters of an hour."""
_SATURDAY: Final = 5
_TIME: Final = r"([01]?\d|2[0-4])(?::([0-5]\d))?"
_SPAN: Final = re.compile(rf"{_TIME}\s*[-–]\s*{_TIME}")


class Part(NamedTuple):
    """A time in which one register counts, in UTC, and what it counted in Wh or litres."""

    register: int
    from_us: int
    to_us: int
    quantity: Fraction | int


class ByHours(Protocol):
    """A tariff, as far as its registers go."""

    @property
    def registers(self) -> tuple[str, ...]:
        """In the order of their quantities."""

    @property
    def hours(self) -> "Hours | None":
        """How a single register is split."""


class _Day(NamedTuple):
    """The registers of a day in the order of its hours."""

    ends: tuple[int, ...]
    """Minutes of the day, ascending."""
    registers: tuple[int, ...]


class Hours:
    """The calendar of a tariff whose every hour belongs to one register."""

    def __init__(
        self, timezone: str, days: Mapping[str, Mapping[str, str]], registers: tuple[str, ...],
        holidays: Holidays | None,
    ) -> None:  # fmt: skip
        self._timezone = timezone
        self._registers = len(registers)
        self._holidays = holidays
        self._days = {name: _day(spans, registers) for name, spans in days.items()}

    def quantities(self, from_us: int, to_us: int, quantity: Quantity) -> tuple[Quantity, ...]:
        """What each register of the tariff counted between two readings of one register."""
        found: list[Any] = [quantity * 0] * self._registers
        for part in self.split(from_us, to_us, quantity):
            found[part.register] += part.quantity
        return tuple(found)

    def split(self, from_us: int, to_us: int, quantity: Fraction | int) -> list[Part]:
        """Linear in time at every border of hours, in whole Wh or litres; none gets lost.

        A border closes the hours before it, so a reading at it, or two at once, belong to them.
        """
        spans = self._spans(from_us, to_us)
        parts: list[Part] = []
        given: Fraction | int = 0
        for register, start, end in spans:
            reached = quantity
            if end < to_us:
                reached = quantity * (end - from_us) // (to_us - from_us)
            parts.append(Part(register, start, end, reached - given))
            given = reached
        return parts

    @property
    def years(self) -> Sequence[int] | None:
        """Years whose holidays are known; None where none are asked for."""
        return None if self._holidays is None else self._holidays.years

    def day_type(self, day: int) -> str:
        """Workday, weekend, holiday, or a day of a weekend that is worked."""
        if self._holidays is not None:
            if self._holidays.is_off(day):
                return HOLIDAY
            if self._holidays.is_made_up(day):
                return MAKEUP_WORKDAY
        return WEEKEND if (day - 1) % 7 >= _SATURDAY else WORKDAY

    def _spans(self, from_us: int, to_us: int) -> list[tuple[int, int, int]]:
        """(register, from, to); neighbours with the same register are one."""
        if to_us <= from_us:
            return [(self._in_force(to_us - 1)[0], from_us, to_us)]
        spans: list[tuple[int, int, int]] = []
        at = from_us
        while at < to_us:
            register, until = self._in_force(at)
            start, until = at, min(until, to_us)
            if spans and spans[-1][0] == register:
                start = spans.pop()[1]
            spans.append((register, start, until))
            at = until
        return spans

    def _in_force(self, at_us: int) -> tuple[int, int]:
        """The register that counts at a time, and until when it surely does."""
        local = clock_us(self._timezone, at_us)
        day = day_at(local)
        hours = self._hours(day)
        index = bisect_right(hours.ends, (local - midnight(day)) // MINUTE_US)
        until = midnight(day) + hours.ends[index] * MINUTE_US - (local - at_us)
        if clock_us(self._timezone, until - 1) - (until - 1) != local - at_us:
            until = (at_us // QUARTER_US + 1) * QUARTER_US  # The clock is changed before that.
        return hours.registers[index], until

    def _hours(self, day: int) -> _Day:
        return next(
            self._days[name] for name in DAY_TYPES[self.day_type(day)] if name in self._days
        )


def by_register(
    hours: Hours | None, from_us: int, to_us: int, quantities: tuple[Quantity, ...]
) -> tuple[Quantity, ...]:
    """Quantities of the tariff's registers; what a single one counted is split by the hours."""
    if hours is None or len(quantities) != 1:
        return quantities
    return hours.quantities(from_us, to_us, quantities[0])


def counted(tariff: ByHours, registers: Mapping[str, tuple[int, int, int]]) -> tuple[int, ...]:
    """What a meter counted, as rating takes it: by the tariff's registers, or one for all."""
    if tariff.hours is not None and TOTAL in registers:
        return (registers[TOTAL][2],)
    try:
        return tuple([registers[name][2] for name in tariff.registers])
    except KeyError as missing:
        message = f"The tariff needs a quantity for the register {missing.args[0]}."
        raise NotRateable("registers", message) from missing


def hours_of(document: TariffDocument) -> Hours | None:
    """How a single register is split; None where the calendar leaves that open."""
    days, holidays = day_hours(document)
    registers = tuple(document.registers)
    named = {register for spans in days.values() for register in spans}
    if len(registers) == 1 or set(registers) != set(energy_registers(document)):
        return None
    if WORKDAY not in days or not named <= set(registers) or not all(map(_is_whole, days.values())):
        return None
    return Hours(document.timezone, days, registers, holidays)


def day_hours(document: TariffDocument) -> tuple[dict[str, dict[str, str]], Holidays | None]:
    """Spans by register for each day type; hours that hold every day are those of a workday."""
    calendar = document.tou_calendar or {}
    days = {name: spans for name, spans in calendar.items() if isinstance(spans, dict)}
    every_day = {
        name: spans
        for name, spans in calendar.items()
        if isinstance(spans, str) and name not in {NOTE, HOLIDAYS}
    }
    if every_day:
        days.setdefault(WORKDAY, every_day)
    return days, _holidays(document)


def _holidays(document: TariffDocument) -> Holidays | None:
    """The calendar that the tariff names, with the years that it tells itself."""
    named = (document.tou_calendar or {}).get(HOLIDAYS)
    known = CALENDARS.get(str(named))
    return known if named is None or not document.holidays else with_years(known, document.holidays)


def spans_of(text: str) -> list[re.Match[str]] | None:
    """Spans written like `08:00-12:00, 13:00-22:00`; None where they cannot be read."""
    parts = [_SPAN.fullmatch(part.strip()) for part in text.split(",")]
    read = [part for part in parts if part is not None]
    return read if len(read) == len(parts) else None


def minutes_of(span: re.Match[str]) -> range | list[int]:
    """Minutes of the day in a span; one that ends before it begins goes over midnight."""
    start, end = (int(span[n]) * 60 + int(span[n + 1] or 0) for n in (1, 3))
    if start < end:
        return range(start, min(end, DAY_MINUTES))
    return [*range(start, DAY_MINUTES), *range(min(end, DAY_MINUTES))]


def _is_whole(spans: Mapping[str, str]) -> bool:
    """Whether every minute of the day belongs to one register."""
    minutes = [minute for text in spans.values() for minute in _minutes(text)]
    return sorted(minutes) == list(range(DAY_MINUTES))


def _minutes(text: str) -> list[int]:
    return [minute for span in spans_of(text) or () for minute in minutes_of(span)]


def _day(spans: Mapping[str, str], registers: tuple[str, ...]) -> _Day:
    by_minute = {
        minute: registers.index(name) for name, text in spans.items() for minute in _minutes(text)
    }
    ends = [
        minute
        for minute in range(1, DAY_MINUTES + 1)
        if minute == DAY_MINUTES or by_minute[minute] != by_minute[minute - 1]
    ]
    return _Day(tuple(ends), tuple(by_minute[end - 1] for end in ends))
