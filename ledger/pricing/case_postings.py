"""Postings of a case: the money that each event moved when it arrived (R5)."""

from collections.abc import Iterator, Sequence
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


def postings(
    case: Case, tariff: CompiledTariff, found: Meters, charged: Sequence[Amounts]
) -> list[Posting]:
    """In order of arrival; `found` and `charged` are the intervals and amounts of the whole."""
    count = _in_turn(case.events, tariff)
    if count == len(case.events):
        return list(_in_order(case.events, found, charged))
    return list(_differences(case, tariff, count))


def _in_turn(events: Sequence[Event], tariff: CompiledTariff) -> int:
    """How many events, from the first on, move nothing but the money of the interval they end."""
    if any(version.is_billed for version in tariff.versions):
        return 0
    rerates = any(each.rerates for version in tariff.versions for each in version.modifiers)
    zone = ZoneInfo(tariff.timezone)
    reached_us, ended_us = -(1 << 62), -(1 << 62)
    for count, event in enumerate(events):
        if not isinstance(event, MeterInstalled | MeterRemoved | Reading | AttributeChanged):
            return count
        at_us = instant_of(event.at, zone)
        is_told_again = isinstance(event, AttributeChanged) and rerates
        is_installed = isinstance(event, MeterInstalled)
        if is_told_again or at_us < reached_us or not (is_installed or at_us > ended_us):
            return count
        reached_us = at_us
        if isinstance(event, Reading | MeterRemoved):
            ended_us = at_us
    return len(events)


def _in_order(
    events: Sequence[Event], found: Meters, charged: Sequence[Amounts]
) -> Iterator[Posting]:
    pairs = zip(found.intervals, charged, strict=True)
    by_reading = {interval.seq: sum(amounts) for interval, amounts in pairs}
    for event in events:
        amount = by_reading.get(event.seq, 0)
        if _is_told(event, amount):
            yield event.seq, amount


def _differences(case: Case, tariff: CompiledTariff, in_turn: int = 0) -> Iterator[Posting]:
    """The difference of two full ratings, so that a late reading may give back."""
    charges = Charges(tariff)

    def charged_by(events: Sequence[Event]) -> tuple[Meters, list[Amounts]]:
        found = meters(events, tariff)
        known = known_of(events, case.attributes, tariff, found.quarantined)
        return found, charges.of(found, known)

    head = case.events[:in_turn]
    found, charged = charged_by(head)
    yield from _in_order(head, found, charged)
    before = sum(map(sum, charged))
    for count, event in enumerate(case.events[in_turn:], start=in_turn + 1):
        after = sum(map(sum, charged_by(case.events[:count])[1]))
        if _is_told(event, after - before):
            yield event.seq, after - before
        before = after


def _is_told(event: Event, amount: int) -> bool:
    """Whether the event can be expected to move money, or did."""
    return bool(amount) or not isinstance(event, MeterInstalled | AttributeChanged)
