"""Reading an account's facts back (回溯): as far as a point can be rated again from.

Nothing of this is kept in the account's state: facts come newest first, until one is found whose
position no later correction has touched. Behind it everything can be rated again.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, Final

from ledger.aggregates.account.consumption import Metering, Quarantine
from ledger.aggregates.account.intervals import NOT_COUNTED, Anchor, Known, MeterTerms, Series
from ledger.events import Event
from ledger.events import account as facts
from ledger.events.registry import decode
from ledger.ports import Span

NEVER: Final = 2**62
FACTS_MAX: Final = 200_000
"""So many facts are read back at most; what lies further behind is corrected by hand."""
READ_BACK: Final = frozenset(
    fact.TOPIC
    for fact in (
        facts.AccountCharged,
        facts.ChargeCorrected,
        facts.FixedFeeCharged,
        facts.MeterReplaced,
        facts.ServicePointAdded,
        facts.ServicePointRemoved,
        facts.TariffAssigned,
    )
)
"""Topics that say something of intervals; the others need not be decoded."""

TOO_FAR_BACK: Final = Quarantine("too_far_back", "Too much was recorded since to rate it again.")
TARIFF_CHANGED: Final = Quarantine(
    "tariff_changed", "The point is rated by another tariff since; what came before stays as it is."
)


PAGE: Final = 32
PAGE_MAX: Final = 4_096
"""Facts read at once: more and more, because most corrections need few."""
Told = tuple[object, int, int, str, bytes]
"""Which span, version, time, topic and payload of a fact."""


def newest_first(
    facts_between: Callable[[Span], Iterable[Told]], stream: str, version: int
) -> Iterator[Known]:
    """The facts of a stream that tell of intervals, from a version back."""
    size = PAGE
    while version > 0:
        first = max(1, version - size + 1)
        found = facts_between((stream, first, version))
        for _, _, at_us, topic, payload in sorted(found, key=itemgetter(1), reverse=True):
            if topic in READ_BACK:
                yield Known(decode(topic, payload), at_us)
        version, size = first - 1, min(size * 2, PAGE_MAX)


def read_series(
    newest_first: Iterable[Known], meter_no: str, at_us: int, metering: Metering | None = None
) -> Series | Quarantine:
    """The series of the point that a meter counts for, from before a time on.

    `metering` is how the meter counts, where that is known; else it is read back as well.
    """
    reader = _Reader(meter_no, at_us, metering)
    for count, known in enumerate(newest_first):
        if count >= FACTS_MAX:
            return TOO_FAR_BACK
        if reader.take(known):
            break
    return reader.series()


class _Reader:
    """Reads back until the anchor is found and the terms of the meter are known."""

    def __init__(self, meter_no: str, at_us: int, metering: Metering | None) -> None:
        self._meter_no = meter_no
        self._at_us = at_us
        self._point: str | None = None
        self._unplaced: list[Known] = []
        self._taken: list[Known] = []
        self._anchor: Anchor | None = None
        self._terms: dict[str, MeterTerms] = {}
        if metering is not None:
            self._terms[meter_no] = MeterTerms(
                metering.register_names, metering.wrap, metering.multiplier_milli, metering.unit
            )
        self._touched_from_us = NEVER
        self._refusal = NOT_COUNTED

    def take(self, known: Known) -> bool:
        """Look at the next older fact; true when nothing more is needed."""
        if self._point is not None:
            return self._take(known)
        self._unplaced.append(known)
        event: Any = known.event
        if self._meter_no not in _meters_named(event):
            return False
        self._point = event.point
        return any(self._take(each) for each in self._unplaced)

    def _take(self, known: Known) -> bool:
        event: Any = known.event
        if event.point != self._point:
            return False
        self._learn_terms(event)
        if self._anchor is None:
            self._look_for_anchor(known)
        is_beginning = isinstance(event, facts.ServicePointAdded)
        return is_beginning or (self._anchor is not None and self._meter_no in self._terms)

    def series(self) -> Series | Quarantine:
        """What was found."""
        if self._anchor is None or self._point is None or self._meter_no not in self._terms:
            return self._refusal
        series = Series(self._point, self._anchor, self._terms)
        for known in reversed(self._taken):
            series.take(known)
        return series

    def _look_for_anchor(self, known: Known) -> None:
        anchor = _anchor_of(known)
        if anchor is not None and anchor.until_us < self._at_us:
            if anchor.until_us <= self._touched_from_us:
                self._anchor = anchor
                return
        elif isinstance(known.event, facts.TariffAssigned):
            self._refusal, self._touched_from_us = TARIFF_CHANGED, -NEVER
        self._taken.append(known)
        if isinstance(known.event, facts.ChargeCorrected):
            self._touched_from_us = min(self._touched_from_us, known.event.rerated_from_us)

    def _learn_terms(self, event: Event) -> None:
        if isinstance(event, facts.ServicePointAdded):
            names = tuple(event.registers)
            terms = MeterTerms(names, event.wrap, event.multiplier_milli, event.unit)
            self._terms.setdefault(event.meter_no, terms)
        elif isinstance(event, facts.MeterReplaced):
            names = tuple(event.registers)
            terms = MeterTerms(names, event.wrap, event.multiplier_milli, self._unit())
            self._terms.setdefault(event.new_meter_no, terms)

    def _unit(self) -> str:
        """Unit of the point: every charge behind a replacement says it."""
        for known in self._taken:
            if isinstance(known.event, facts.AccountCharged | facts.ChargeCorrected):
                return known.event.unit
        return "wh"


def _anchor_of(known: Known) -> Anchor | None:
    event: Any = known.event
    match event:
        case facts.AccountCharged() | facts.ServicePointAdded() | facts.MeterReplaced():
            return Anchor(known.valid_at_us, event.position, event.tariff_id)
        case facts.TariffAssigned():
            return Anchor(event.from_us, event.position, event.tariff_id)
        case facts.ChargeCorrected():
            return Anchor(event.through_us, event.position, event.tariff_id)
        case _:
            return None


def _meters_named(event: Event) -> Iterator[str]:
    match event:
        case facts.AccountCharged(meter_no=meter_no) | facts.ServicePointAdded(meter_no=meter_no):
            yield meter_no
        case facts.MeterReplaced(new_meter_no=new, old_meter_no=old):
            yield from (new, old)
        case facts.ServicePointRemoved(meter_no=meter_no):
            yield meter_no
        case _:
            return
