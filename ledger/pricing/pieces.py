"""An interval cut at every border of a version, a window or a month where something changes."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from ledger.pricing.calendar import day_at, first_day, midnight, month_of
from ledger.pricing.context import Context
from ledger.pricing.position import NotRateable, Position
from ledger.pricing.terms import Version


class Piece(NamedTuple):
    """Part of an interval under one version, one window and one season; wall-clock times."""

    start: int
    end: int
    version: Version
    window_from: int
    window_to: int
    season: int
    asked_at: int
    """When the household's attributes are asked for: where window, version or season begin."""


def version_at(versions: tuple[Version, ...], day: int) -> Version:
    """The version in force on a day; NotRateable when the tariff has none."""
    for version in reversed(versions):
        if version.from_day <= day < version.to_day:
            return version
    raise NotRateable("no_version", "The tariff has no version in force on that day.")


def cut(
    versions: tuple[Version, ...], position: Position, start: int, end: int, context: Context
) -> Iterator[Piece]:
    """Pieces of the interval in time order; midnight of a border closes what lies before it."""
    if start == end:
        # Same-day readings: at a border they still belong to the day that it closes.
        day = max(day_at(end - 1), position.window_from, position.in_service_from)
        version = version_at(versions, day)
        window = version.window.around(day)
        if version.is_billed:
            bills = _Bills(context, (end, end), position.in_service_from, end)
            window = bills.around(end, position)
        yield Piece(start, end, version, *window, version.season(day), start)
        return
    closing = day_at(end - 1)
    for first, last, version in _by_version(versions, start, end, closing):
        if version.is_billed:
            opened = midnight(position.window_from) if position.bill_goes_on else start
            bills = _Bills(context, (start, end), position.in_service_from, opened)
            yield from _by_bill(version, first, last, bills)
        elif version.windows_by_reading_end and not version.is_monthly:
            window = version.window.around(closing)
            yield Piece(first, last, version, *window, version.season(closing), first)
        else:
            yield from _by_window(version, first, last, closing)


def cut_at_windows(versions: tuple[Version, ...], start: int, end: int) -> Iterator[Piece]:
    """Pieces of whole days without a reading: each day belongs to its own version and window."""
    if start < end:
        for version in versions:
            first = max(start, midnight(version.from_day))
            last = min(end, midnight(version.to_day))
            if first < last:
                split = version._replace(windows_by_reading_end=False)
                yield from _by_window(split, first, last, day_at(end - 1))


def _by_version(
    versions: tuple[Version, ...], start: int, end: int, closing: int
) -> list[tuple[int, int, Version]]:
    """Version of each part, the last part first found: it may claim all that lies before it."""
    oldest = version_at(versions, day_at(start)).number
    version = version_at(versions, closing)
    parts = []
    while version.number > oldest and not version.by_reading_end:
        border = midnight(version.from_day)
        parts.append((border, end, version))
        end = border
        version = versions[version.number - 1]
    parts.append((start, end, version))
    return parts[::-1]


class _Bills(NamedTuple):
    """Where the billing periods of an interval begin and end."""

    context: Context
    interval: tuple[int, int]
    in_service_from: int
    opened: int
    """When the bill of the interval began, where neither bills nor their day are told."""

    def period(self, start: int, end: int) -> tuple[int, int]:
        """First day of the period that holds a part of the interval, and first day after it."""
        bills, bill_day = self.context.bills, self.context.bill_day
        if not (bills or bill_day):
            start, end = self.opened, self.interval[1]
        elif not bill_day and bills[-1] < end:
            end = self.interval[1]  # The period is open: so far it ends with the interval.
        opened, closed = self.context.period(start, end, self.in_service_from)
        window_from = max(day_at(opened), self.in_service_from)
        return window_from, max(day_at(closed), window_from + 1)

    def around(self, at: int, position: Position) -> tuple[int, int]:
        """The period that a same-day reading belongs to: at a bill, the one that it closes."""
        if not (self.context.bills or self.context.bill_day):
            return position.window_from, max(position.window_to, position.window_from + 1)
        return self.period(max(at - 1, midnight(self.in_service_from)), at)


def _by_bill(version: Version, start: int, end: int, bills: _Bills) -> Iterator[Piece]:
    """Parts by billing period; a season changes with the month inside it."""
    borders = [] if version.windows_by_reading_end else bills.context.bills_between(start, end)
    for first, last in pairwise((start, *borders, end)):
        closing = bills.interval[1]
        by_end = version.windows_by_reading_end
        window = bills.period(closing - 1, closing) if by_end else bills.period(first, last)
        at = asked_at = first
        season = version.season(day_at(closing - 1 if by_end else first))
        while at < last:
            day = day_at(at)
            stop = last
            if version.is_monthly:
                stop = min(last, midnight(first_day(month_of(day) + 1)))
            if not by_end and version.season(day) != season:
                season, asked_at = version.season(day), at
            yield Piece(at, stop, version, *window, season, asked_at)
            at = stop


def _by_window(version: Version, start: int, end: int, closing: int) -> Iterator[Piece]:
    asked_at, terms = start, (0, 0)
    while start < end:
        day = day_at(start)
        told_by = closing if version.windows_by_reading_end else day
        window_from, window_to = version.window.around(told_by)
        border = window_to if told_by == day else first_day(month_of(day) + 1)
        if version.is_monthly:
            border = min(border, first_day(month_of(day) + 1))
        last = min(end, midnight(border))
        season = version.season(told_by)
        if terms != (window_from, season):
            asked_at, terms = start, (window_from, season)
        yield Piece(start, last, version, window_from, window_to, season, asked_at)
        start = last
