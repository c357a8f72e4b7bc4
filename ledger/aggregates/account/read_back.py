"""Reading an account's facts back (回溯): as far as a point can be rated again from.

Nothing of this is kept in the account's state: facts come newest first, until one is found whose
position no later correction has touched, and which has counted nothing that is rated behind it.
Behind it everything of the point's tiers can be rated again.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import itemgetter
from typing import Any, Final, NamedTuple

from ledger.aggregates.account.consumption import Metering, Quarantine
from ledger.aggregates.account.intervals import (
    NOT_COUNTED,
    Anchor,
    Known,
    MeterTerms,
    Series,
)
from ledger.aggregates.account.sharing import kind_of
from ledger.aggregates.account.state import Account
from ledger.events import Event
from ledger.events import account as facts
from ledger.events.registry import decode
from ledger.ports import Span
from ledger.pricing import CompiledTariff, Position
from ledger.pricing.bills import End, is_open
from ledger.pricing.side_by_side import opened_us

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


class Sought(NamedTuple):
    """What is to be rated again: from a time on, for a reading that a meter had at that time."""

    meter_no: str
    at_us: int
    begins_us: int = NEVER
    """When an interval begins that will be added."""
    has_reading: bool = True
    """Without one, all is meant that counts since then, or since the beginning."""


def read_series(
    newest_first: Iterable[Known],
    sought: Sought,
    tariff_of: Callable[[str], CompiledTariff],
    account: Account,
) -> Series | Quarantine:
    """The series of the point that a meter counts for, from before a time on.

    How the meter counts is read back as well, unless it still does.
    """
    reader = _Reader(sought, tariff_of, account)
    for count, known in enumerate(newest_first):
        if count >= FACTS_MAX:
            return TOO_FAR_BACK
        if reader.take(known):
            break
    return reader.series()


class _Reader:
    """Reads back until the anchor is found and the terms of the meter are known."""

    def __init__(
        self,
        sought: Sought,
        tariff_of: Callable[[str], CompiledTariff],
        account: Account,
    ) -> None:
        self._meter_no = sought.meter_no
        self._at_us = sought.at_us
        self._has_reading = sought.has_reading
        self._tariff_of = tariff_of
        self._point: str | None = None
        self._tariff_id: str | None = None
        self._unplaced: list[Known] = []
        self._taken: list[Known] = []
        self._anchor: Anchor | None = None
        self._terms: dict[str, MeterTerms] = {}
        metering: Metering | None = account.point_of_meter(self._meter_no)
        if metering is not None:
            self._terms[self._meter_no] = MeterTerms(
                metering.register_names, metering.wrap, metering.multiplier_milli, metering.unit
            )
        self._touched_from_us = NEVER
        self._going_on: set[End] = {*chain.from_iterable(p.going_on for p in account.points)}
        self._begins_us = sought.begins_us
        """When the first interval behind the anchor begins, and ends."""
        self._ends_us = NEVER
        self._refusal: Quarantine | None = None

    def take(self, known: Known) -> bool:
        """Look at the next older fact; true when nothing more is needed."""
        if self._tariff_id is not None:
            return self._take(known)
        self._unplaced.append(known)
        event: Any = known.event
        if self._point is None and self._meter_no in _meters_named(event):
            self._point = event.point
        if self._point is None:
            return False
        own = (each.event for each in self._unplaced if _point_of(each) == self._point)
        self._tariff_id = next(filter(None, map(_tariff_of, own)), None)
        if self._tariff_id is None:
            return False
        return any(self._take(each) for each in self._unplaced)

    def _take(self, known: Known) -> bool:
        event: Any = known.event
        if isinstance(event, facts.MeterReplaced) and event.bill_from_us:
            self._going_on.add((event.old_meter_no, known.valid_at_us))
        is_own = event.point == self._point
        if is_own:
            self._learn_terms(event)
            if self._has_reading:
                self._refusal = self._refusal or self._why_not(known)
        if self._anchor is None and self._refusal is None and self._is_of_tiers(event):
            self._look_for_anchor(known)
        if is_own and isinstance(event, facts.ServicePointAdded) and not event.joins:
            return True
        is_found = self._anchor is not None and self._meter_no in self._terms
        return is_found or self._refusal is not None

    def series(self) -> Series | Quarantine:
        """What was found."""
        if self._refusal is not None:
            return self._refusal
        if self._anchor is None or self._point is None or self._meter_no not in self._terms:
            return NOT_COUNTED
        series = Series(self._point, self._anchor, self._terms)
        series.going_on = self._going_on
        for known in reversed(self._taken):
            series.take(known)
        return series

    def _why_not(self, known: Known) -> Quarantine | None:
        """Why what lies before a fact of the point cannot be rated again."""
        event: Any = known.event
        if isinstance(event, facts.TariffAssigned) and event.from_us >= self._at_us:
            return TARIFF_CHANGED
        if not isinstance(event, facts.ServicePointAdded) or known.valid_at_us < self._at_us:
            return None
        # A meter that was installed where this one was removed goes on in the same tiers.
        goes_on = event.joins and event.meter_no != self._meter_no
        return None if goes_on else NOT_COUNTED

    def _is_of_tiers(self, event: Event) -> bool:
        """Whether a fact moved the tiers that the point counts towards."""
        point: Any = event
        is_kind = self._point is not None and kind_of(point.point) == kind_of(self._point)
        return is_kind and _tariff_of(event) == self._tariff_id

    def _look_for_anchor(self, known: Known) -> None:
        event: Any = known.event
        anchor = _anchor_of(known)
        if anchor is not None and self._holds(anchor):
            self._anchor = anchor
            return
        if anchor is not None and _begins_tiers(event):
            # Something that counts now began before them: the tiers begin with that.
            self._anchor = Anchor(min(self._begins_us, anchor.until_us), None, event.tariff_id)
            return
        self._taken.append(known)
        if isinstance(event, facts.ChargeCorrected):
            self._touched_from_us = min(self._touched_from_us, event.rerated_from_us)
            for interval in event.intervals:
                self._note(interval.from_us, interval.to_us)
        elif isinstance(event, facts.AccountCharged):
            self._note(event.from_us, known.valid_at_us)

    def _note(self, from_us: int, to_us: int) -> None:
        self._begins_us = min(self._begins_us, from_us)
        self._ends_us = min(self._ends_us, to_us)

    def _holds(self, anchor: Anchor) -> bool:
        """Whether nothing behind the anchor is counted in it, and all of it can be counted on."""
        until_us, position, tariff_id = anchor
        if until_us >= self._at_us or until_us > self._touched_from_us:
            return False
        if until_us >= self._ends_us or position is None:
            return False
        tariff = self._tariff_of(tariff_id)
        if tariff.tables.is_billed and is_open(position, until_us, self._going_on, tariff.timezone):
            return False
        return self._begins_us == NEVER or self._can_take(self._begins_us, position, tariff_id)

    def _can_take(self, begins_us: int, position: Position, tariff_id: str) -> bool:
        return opened_us(self._tariff_of(tariff_id), position) <= begins_us

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


def _point_of(known: Known) -> str:
    event: Any = known.event
    return str(event.point)


def _tariff_of(event: Event) -> str | None:
    """The tariff that a fact of a point names; a removal names none."""
    return getattr(event, "tariff_id", None)


def _begins_tiers(event: Event) -> bool:
    """Whether tiers began to be counted with a fact."""
    return isinstance(event, facts.ServicePointAdded | facts.TariffAssigned) and not event.joins


def _anchor_of(known: Known) -> Anchor | None:
    """A fact that tells a position, and up to when that counts."""
    event: Any = known.event
    match event:
        case facts.AccountCharged() | facts.ServicePointAdded() | facts.MeterReplaced():
            until_us = known.valid_at_us
        case facts.TariffAssigned():
            until_us = event.from_us
        case facts.ChargeCorrected():
            until_us = event.through_us
        case _:
            return None
    return Anchor(max(until_us, event.position.ahead_us), event.position, event.tariff_id)


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
