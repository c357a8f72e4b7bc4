"""Meters of a case: the intervals between their readings, whatever order these arrived in (R1)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.pricing.case_file import (
    AttributeChanged,
    CaseFileInvalid,
    Event,
    MeterInstalled,
    MeterRemoved,
    Purchase,
    Reading,
    ReadingCancelled,
    ReadingCorrected,
)
from ledger.pricing.compiled import CompiledTariff
from ledger.pricing.context import ALWAYS, Context, Value
from ledger.pricing.exact import QUANTITY_DIGITS
from ledger.pricing.hours import TOTAL, by_register
from ledger.values import local_us, micros

Shown = MeterInstalled | Reading | MeterRemoved
_REMEMBERED = 100_000
YEARS = range(1900, 2201)
"""Times that a case may speak of."""
WRAP_SHARE = 2
"""A fall is a wrap-around only if the meter then passed less than half of its range."""


class Interval(NamedTuple):
    """What a meter passed between two readings; UTC microseconds, Wh or litres by register."""

    to_us: int
    from_us: int
    meter: str
    seq: int
    """Of the reading that ends it."""
    quantities: tuple[Fraction, ...]


class Meters(NamedTuple):
    """Intervals in time order, and the readings that no interval can be made of."""

    intervals: list[Interval]
    quarantined: list[int]
    since_us: int
    """When the first meter was installed: the supply began."""


def meters(events: Sequence[Event], tariff: CompiledTariff) -> Meters:
    """Intervals after all corrections and cancellations among `events`."""
    zone = ZoneInfo(tariff.timezone)
    by_meter: dict[str, list[tuple[int, int, Shown]]] = {}
    for seq, shown in _in_force(events).items():
        by_meter.setdefault(shown.meter, []).append((instant_of(shown.at, zone), seq, shown))
    installed = []
    for marks in by_meter.values():
        marks.sort(key=lambda mark: mark[:2])
        installed += [at_us for at_us, _, each in marks if isinstance(each, MeterInstalled)]
    found = Meters([], [], min(installed, default=0))
    for marks in by_meter.values():
        _follow(marks, tariff, found)
    found.intervals.sort()
    found.quarantined.sort()
    return found


def refuse_unknown_meters(events: Sequence[Event]) -> None:
    """CaseFileInvalid where a meter is read that no event installs."""
    shown = _in_force(events).values()
    known = {each.meter for each in shown if isinstance(each, MeterInstalled)}
    for each in shown:
        if each.meter not in known:
            raise CaseFileInvalid(f"Meter {each.meter} is read before it is installed.")


def _in_force(events: Sequence[Event]) -> dict[int, Shown]:
    """What each meter showed, by the number of the event that first said so."""
    withdrawn = {event.cancels_seq for event in events if isinstance(event, ReadingCancelled)}
    shown: dict[int, Shown] = {}
    meant: dict[int, int] = {}  # A correction may itself be corrected, or withdrawn.
    for event in events:
        match event:
            case ReadingCorrected(corrects_seq=told, registers=registers):
                seq = meant[event.seq] = meant.get(told, told)
                before = _known(shown, seq)
                if event.seq not in withdrawn:
                    right = {"registers": {**before.registers, **registers}}
                    shown[seq] = before.model_copy(update=right)
            case ReadingCancelled(cancels_seq=seq):
                _known(shown, meant.get(seq, seq))
            case AttributeChanged() | Purchase():
                pass
            case _:
                shown[event.seq] = event
    return {seq: each for seq, each in shown.items() if seq not in withdrawn}


def _known(shown: dict[int, Shown], seq: int) -> Shown:
    if seq not in shown:
        raise CaseFileInvalid(f"No reading has the number {seq}.")
    return shown[seq]


def known_of(
    events: Sequence[Event],
    attributes: Mapping[str, Value],
    tariff: CompiledTariff,
    quarantined: Collection[int] = (),
) -> Context:
    """What the events tell besides readings: attributes in time, and bills by the readings.

    A reading that is kept aside ends no bill.
    """
    zone = ZoneInfo(tariff.timezone)
    changes = [(ALWAYS, name, value) for name, value in attributes.items()]
    for event in events:
        if isinstance(event, AttributeChanged):
            at = local_us(tariff.timezone, instant_of(event.at, zone))
            changes.append((at, event.attribute, event.value))
    bills: set[int] = set()
    if any(version.is_billed for version in tariff.versions):
        bills = {
            local_us(tariff.timezone, instant_of(each.at, zone))
            for seq, each in _in_force(events).items()
            if isinstance(each, Reading) and seq not in quarantined
        }
    changes.sort(key=lambda change: change[0])
    return Context(attributes=tuple(changes), bills=tuple(sorted(bills)))


def _follow(marks: list[tuple[int, int, Shown]], tariff: CompiledTariff, found: Meters) -> None:
    """Intervals of one meter, from installation to removal."""
    last: tuple[int, tuple[Fraction, ...]] | None = None
    wrap: Fraction | None = None
    factor = Fraction(0)
    names = tariff.registers
    if tariff.hours is not None and set(marks[0][2].registers) == {TOTAL}:
        names = (TOTAL,)
    for at_us, seq, shown in marks:
        values = _values(shown, names)
        if isinstance(shown, MeterInstalled):
            wrap = None if shown.wrap is None else Fraction(shown.wrap)
            factor = Fraction(shown.multiplier) * Fraction(10**QUANTITY_DIGITS)
            last = at_us, values
            continue
        if last is None:  # Its installation is not told yet, or it was removed before.
            found.quarantined.append(seq)
            continue
        passed = [
            new if name in tariff.power_registers else _passed(old, new, wrap)
            for name, old, new in zip(names, last[1], values, strict=True)
        ]
        quantities = tuple(quantity * factor for quantity in passed if quantity is not None)
        if len(quantities) < len(passed):
            found.quarantined.append(seq)
            continue
        counted = by_register(tariff.hours, last[0], at_us, quantities)
        found.intervals.append(Interval(at_us, last[0], shown.meter, seq, counted))
        last = None if isinstance(shown, MeterRemoved) else (at_us, values)


def _values(shown: Shown, registers: tuple[str, ...]) -> tuple[Fraction, ...]:
    """What each register shows; a total beside its parts says nothing more."""
    if not set(registers) <= shown.registers.keys() <= {*registers, TOTAL}:
        names = ", ".join(registers)
        raise CaseFileInvalid(f"Event {shown.seq} must show the tariff's registers: {names}.")
    return tuple(_number(shown.registers[name]) for name in registers)


@lru_cache(maxsize=_REMEMBERED)
def _number(text: str) -> Fraction:
    return Fraction(text)


def _passed(old: Fraction, new: Fraction, wrap: Fraction | None) -> Fraction | None:
    """(new − old) mod wrap; None for a fall that is no wrap-around."""
    if new >= old:
        return new - old
    if wrap is None or (new - old + wrap) * WRAP_SHARE > wrap:
        return None
    return new - old + wrap


@lru_cache(maxsize=_REMEMBERED)
def instant_of(text: str, zone: ZoneInfo) -> int:
    """UTC microseconds of a case's time; the tariff's zone where it names none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text} is no date and time; write it like 2026-01-31T00:00:00."
        raise CaseFileInvalid(message) from error
    if at.year not in YEARS:
        raise CaseFileInvalid(f"{text} lies outside the years {YEARS[0]} to {YEARS[-1]}.")
    return micros(at if at.tzinfo else at.replace(tzinfo=zone))
