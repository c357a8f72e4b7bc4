"""Postings of a case: the money that each event moved when it arrived (R5)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

from ledger.pricing.case_file import AttributeChanged, Case, Event, MeterInstalled, Reading
from ledger.pricing.case_meters import Meters, instant_of, known_of, meters
from ledger.pricing.case_ratings import Amounts, Charges
from ledger.pricing.compiled import CompiledTariff

Posting = tuple[int, int]
"""Number of an event, and the minor units that it moved."""


def postings(
    case: Case, tariff: CompiledTariff, found: Meters, charged: Sequence[Amounts]
) -> list[Posting]:
    """In order of arrival; `found` and `charged` are the intervals and amounts of the whole."""
    if not _follow_each_other(case.events, tariff):
        return list(_differences(case, tariff))
    pairs = zip(found.intervals, charged, strict=True)
    by_reading = {interval.seq: sum(amounts) for interval, amounts in pairs}
    return [(event.seq, by_reading.get(event.seq, 0)) for event in case.events[1:]]


def _follow_each_other(events: Sequence[Event], tariff: CompiledTariff) -> bool:
    """Whether each reading of one meter moves nothing but its own interval's money."""
    if any(version.is_billed for version in tariff.versions):
        return False
    zone = ZoneInfo(tariff.timezone)
    installed, readings = events[:1], events[1:]
    marks = [each for each in readings if isinstance(each, Reading)]
    return (
        len(marks) == len(readings)
        and all(isinstance(each, MeterInstalled) for each in installed)
        and len({each.meter for each in marks}) <= 1
        and all(instant_of(a.at, zone) < instant_of(b.at, zone) for a, b in pairwise(marks))
    )


def _differences(case: Case, tariff: CompiledTariff) -> Iterator[Posting]:
    """The difference of two full ratings, so that a late reading may give back."""
    before, charges = 0, Charges(tariff)
    for count, event in enumerate(case.events, start=1):
        known = case.events[:count]
        context = known_of(known, case.attributes, tariff)
        after = sum(map(sum, charges.of(meters(known, tariff), context)))
        if after != before or not isinstance(event, MeterInstalled | AttributeChanged):
            yield event.seq, after - before
        before = after
