"""Postings of a case: the money that each event moved when it arrived (R5)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.pricing.case_file import (
    AttributeChanged,
    Case,
    Event,
    MeterInstalled,
    MeterRemoved,
    Reading,
)
from ledger.pricing.case_meters import Meters, instant_of, known_of, meters
from ledger.pricing.case_ratings import Amounts, Charges
from ledger.pricing.compiled import CompiledTariff

Posting = tuple[int, int]
"""Number of an event, and the minor units that it moved."""
Rated = tuple[Meters, Sequence[Amounts]]
"""Intervals, and the amounts of each."""


def postings(
    case: Case, tariff: CompiledTariff, found: Meters, charged: Sequence[Amounts]
) -> list[Posting]:
    """In order of arrival; `found` and `charged` are the intervals and amounts of the whole.

    What a run of events in turn moved is read from one rating at its end; any other event moved
    the difference of two full ratings, so that a late reading may give back.
    """
    charges = Charges(tariff)

    def rated(stop: int) -> Rated:
        is_whole = stop == len(case.events)
        return (found, charged) if is_whole else _rated(case, tariff, charges, case.events[:stop])

    moved: list[Posting] = []
    before = 0
    for run in _runs(case.events, tariff):
        told, at_its_end = case.events[run.start : run.stop], rated(run.stop)
        if run.is_in_turn and _end_the_last(told, at_its_end[0]):
            moved += _of_intervals(told, at_its_end)
            before = _total(at_its_end)
            continue
        for stop, event in enumerate(told, run.start + 1):
            after = _total(rated(stop))
            if _is_told(event, after - before):
                moved.append((event.seq, after - before))
            before = after
    return moved


def _rated(case: Case, tariff: CompiledTariff, charges: Charges, events: Sequence[Event]) -> Rated:
    found = meters(events, tariff)
    known = known_of(events, case.attributes, tariff, found.quarantined)
    return found, charges.of(found, known)


def _total(rated: Rated) -> int:
    return sum(map(sum, rated[1]))


def _end_the_last(events: Sequence[Event], found: Meters) -> bool:
    """Whether the intervals that these events end are the last of all, in the same order."""
    ended = {interval.seq for interval in found.intervals}
    arrived = [event.seq for event in events if event.seq in ended]
    behind = found.intervals[len(found.intervals) - len(arrived) :]
    return [interval.seq for interval in behind] == arrived


class _Run(NamedTuple):
    """Events that came one after the other: several in turn, or one that was not."""

    start: int
    stop: int
    is_in_turn: bool


def _runs(events: Sequence[Event], tariff: CompiledTariff) -> Iterator[_Run]:
    turn, start = _Turn(tariff), 0
    for number, event in enumerate(events):
        if not turn.takes(event):
            if start < number:
                yield _Run(start, number, is_in_turn=True)
            yield _Run(number, number + 1, is_in_turn=False)
            start = number + 1
    if start < len(events):
        yield _Run(start, len(events), is_in_turn=True)


class _Turn:
    """Tells the events that move nothing but the money of the interval which they end."""

    def __init__(self, tariff: CompiledTariff) -> None:
        self._zone = ZoneInfo(tariff.timezone)
        self._is_billed = any(version.is_billed for version in tariff.versions)
        self._rerates = any(each.rerates for one in tariff.versions for each in one.modifiers)
        self._meters: set[str] = set()
        self._reached_us = self._ended_us = -(1 << 62)

    def takes(self, event: Event) -> bool:
        """Whether it lies behind all that came before, in time too."""
        if not isinstance(event, MeterInstalled | MeterRemoved | Reading | AttributeChanged):
            return False
        at_us = instant_of(event.at, self._zone)
        is_behind, is_later = at_us >= self._reached_us, at_us > self._ended_us
        self._reached_us = max(self._reached_us, at_us)
        if isinstance(event, Reading | MeterRemoved):
            self._ended_us = max(self._ended_us, at_us)
        if isinstance(event, AttributeChanged):
            return is_behind and is_later and not self._rerates
        self._meters.add(event.meter)
        if self._is_billed and not (is_later and self._moves_no_bill(event)):
            return False
        return is_behind

    def _moves_no_bill(self, event: Event) -> bool:
        """Bills end with readings: of another meter, or one replaced, they may end elsewhere."""
        return len(self._meters) == 1 and isinstance(event, MeterInstalled | Reading)


def _of_intervals(events: Sequence[Event], rated: Rated) -> Iterator[Posting]:
    pairs = zip(rated[0].intervals, rated[1], strict=True)
    by_reading = {interval.seq: sum(amounts) for interval, amounts in pairs}
    for event in events:
        amount = by_reading.get(event.seq, 0)
        if _is_told(event, amount):
            yield event.seq, amount


def _is_told(event: Event, amount: int) -> bool:
    """Whether the event can be expected to move money, or did."""
    return bool(amount) or not isinstance(event, MeterInstalled | AttributeChanged)
