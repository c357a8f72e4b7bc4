"""An interval cut at every border of a version, a window or a month where something changes."""

from collections.abc import Iterator
from typing import NamedTuple

from ledger.pricing.calendar import day_at, first_day, midnight, month_of
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


def version_at(versions: tuple[Version, ...], day: int) -> Version:
    """The version in force on a day; NotRateable when the tariff has none."""
    for version in reversed(versions):
        if version.from_day <= day < version.to_day:
            return version
    raise NotRateable("no_version", "The tariff has no version in force on that day.")


def cut(versions: tuple[Version, ...], position: Position, start: int, end: int) -> Iterator[Piece]:
    """Pieces of the interval in time order; midnight of a border closes what lies before it."""
    if start == end:
        # Same-day readings: at a border they still belong to the day that it closes.
        day = max(day_at(end - 1), position.window_from, position.in_service_from)
        version = version_at(versions, day)
        yield Piece(start, end, version, *version.window.around(day), version.season(day))
        return
    closing = day_at(end - 1)
    for first, last, version in _by_version(versions, start, end, closing):
        if version.windows_by_reading_end and not version.is_monthly:
            window = version.window.around(closing)
            yield Piece(first, last, version, *window, version.season(closing))
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


def _by_window(version: Version, start: int, end: int, closing: int) -> Iterator[Piece]:
    while start < end:
        day = day_at(start)
        told_by = closing if version.windows_by_reading_end else day
        window_from, window_to = version.window.around(told_by)
        border = window_to if told_by == day else first_day(month_of(day) + 1)
        if version.is_monthly:
            border = min(border, first_day(month_of(day) + 1))
        last = min(end, midnight(border))
        yield Piece(start, last, version, window_from, window_to, version.season(told_by))
        start = last
