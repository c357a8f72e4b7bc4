"""The intervals of a service point (计量区间), and how a reading that comes late changes them.

Points that share their tiers have one series: they are rated together, or not at all.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import astuple, replace

from ledger.aggregates.account.consumption import Metering, Quarantine, measure
from ledger.aggregates.account.state import Point
from ledger.events import Event
from ledger.events import account as facts
from ledger.events.account import MeteredInterval
from ledger.pricing import CompiledTariff, Position
from ledger.pricing.bills import End, beside, closed, closed_before, with_bills
from ledger.pricing.context import Context
from ledger.pricing.hours import counted

Registers = dict[str, int]
Place = tuple[str, int]
"""An interval among others: its meter, and when it began."""
NOT_COUNTED: Final = Quarantine("not_counted", "The meter did not count for this point then.")


class Known(NamedTuple):
    """A fact of an account and the time it was true at."""

    event: Event
    valid_at_us: int


class MeterTerms(msgspec.Struct, gc=False):
    """How one of the point's meters counts."""

    register_names: tuple[str, ...]
    wrap: int
    multiplier_milli: int
    unit: str


class Anchor(NamedTuple):
    """A time up to which the position is known for sure; without one, where tiers begin anew."""

    until_us: int
    position: Position | None
    tariff_id: str


class Series:
    """Intervals of a point behind an anchor, what was charged for them, and what meters showed.

    Those of points with the same tiers are among them.
    """

    def __init__(self, point: str, anchor: Anchor, terms: dict[str, MeterTerms]) -> None:
        self.point = point
        self.anchor = anchor
        self.posted: dict[str, int] = {}
        """Minor units that each line has come to."""
        self.granted_used_minor = 0
        self.fixed_at_us = 0
        """The day that fixed charges of a silent meter have reached."""
        self.powers: frozenset[str] = frozenset()
        """Registers that show a highest power instead of counting, by the tariff."""
        self.unit = next((each.unit for each in terms.values()), "")
        self.going_on: set[End] = set()
        """Meters that were replaced within a bill, and when."""
        self._terms = terms
        self._by_place: dict[Place, MeteredInterval] = {}
        self._of_others: set[Place] = set()
        self._told: dict[tuple[str, int], list[Registers]] = {}

    def take(self, known: Known) -> None:
        """Bring the next fact of the tiers into the series."""
        event: Any = known.event
        if isinstance(event, facts.AccountCharged):
            self._insert(
                MeteredInterval(event.meter_no, event.from_us, known.valid_at_us, event.registers),
                event.point,
            )
        elif isinstance(event, facts.ChargeCorrected):
            for gone in event.replaced:
                self._by_place.pop(place_of(gone), None)
            for interval in event.intervals:
                self._insert(interval, event.point)
        elif isinstance(event, facts.FixedFeeCharged):
            self.fixed_at_us = max(self.fixed_at_us, known.valid_at_us)
        else:
            return
        for line in event.lines:
            self.posted[line.id] = self.posted.get(line.id, 0) + line.amount_minor
        self.granted_used_minor += event.granted_used_minor

    def _insert(self, interval: MeteredInterval, point: str) -> None:
        place = place_of(interval)
        self._by_place[place] = interval
        if point != self.point:
            self._of_others.add(place)
        for at_us, shown in (
            (interval.from_us, before(interval)),
            (interval.to_us, after(interval)),
        ):
            self._told.setdefault((interval.meter_no, at_us), []).append(shown)

    def copy(self) -> "Series":
        """The same, to be kept as it is while this one changes."""
        other = Series(self.point, self.anchor, self._terms)
        other.going_on = self.going_on
        other._by_place, other._of_others = dict(self._by_place), set(self._of_others)
        return other

    def intervals(self) -> list[MeteredInterval]:
        """What counts, in the order in which it is rated."""
        return sorted(self._by_place.values(), key=in_rating_order)

    def own(self) -> list[MeteredInterval]:
        """What counts of the point itself, in order of time."""
        mine = [each for place, each in self._by_place.items() if place not in self._of_others]
        return sorted(mine, key=in_rating_order)

    def begin(self, tariff: CompiledTariff) -> Position:
        """Where the first interval is rated from; raises NotRateable."""
        position = self.anchor.position
        if position is None:
            return tariff.start(self.anchor.until_us)
        return replace(position, bill_goes_on=False)  # Whose bill goes on is known of each meter.

    def rateable(
        self, tariff: CompiledTariff, context: Context | None
    ) -> list[tuple[int, int, tuple[int, ...], Context | None]]:
        """Of each interval from when to when, how much, and what else is known of it."""
        bills = self.bills(tariff) if tariff.tables.is_billed else []
        found = []
        for each in self.intervals():
            known, times = context, (each.from_us, each.to_us)
            if tariff.tables.is_billed:
                known = with_bills(context, beside(bills, *times, tariff.timezone))
            found.append((*times, counted(tariff, each.registers), known))
        return found

    def bills(self, tariff: CompiledTariff) -> list[int]:
        """When bills ended, as far as the intervals may lie over them."""
        ends = [(each.meter_no, each.to_us) for each in self._by_place.values()]
        found = closed(ends, self.going_on, tariff.timezone)
        until_us, position, _ = self.anchor
        if position is not None:
            found.update(closed_before(position, until_us, self.going_on, tariff.timezone))
        return sorted(found)

    def left_to(self, position: Position, point: Point | None) -> Position:
        """Where the point's meter goes on from after what counts: in the bill of a replaced one."""
        own = self.own()
        if point is None or point.is_shared or not own:
            return position
        goes_on = (own[-1].meter_no, own[-1].to_us) in self.going_on
        return replace(position, bill_goes_on=goes_on, bills=())

    def was_told(self, meter_no: str, at_us: int, registers: Registers) -> bool:
        """Whether the very same reading was taken before, even if it no longer counts."""
        return any(shows(registers, values) for values in self._told.get((meter_no, at_us), ()))

    def shown(self, meter_no: str, at_us: int) -> Registers | None:
        """What a meter showed at a time by the intervals that count; None where it was not read."""
        ending, beginning = self._beside(meter_no, at_us)
        if ending is not None:
            return after(ending)
        return None if beginning is None else before(beginning)

    def split(self, meter_no: str, at_us: int, registers: Registers) -> Quarantine | None:
        """Let a late reading cut the interval it falls into."""
        for whole in self._by_place.values():
            if whole.meter_no == meter_no and whole.from_us < at_us < whole.to_us:
                return self._swap(
                    [whole],
                    self._measured(meter_no, whole.from_us, before(whole), at_us, registers),
                    self._measured(meter_no, at_us, registers, whole.to_us, after(whole)),
                )
        return NOT_COUNTED

    def correct(self, meter_no: str, at_us: int, registers: Registers) -> Quarantine | None:
        """Let a reading that was taken have shown other values."""
        ending, following = self._beside(meter_no, at_us)
        if ending is None:
            return NOT_COUNTED
        earlier = self._measured(meter_no, ending.from_us, before(ending), at_us, registers)
        if following is None:
            return self._swap([ending], earlier)
        later = self._measured(meter_no, at_us, registers, following.to_us, after(following))
        return self._swap([ending, following], earlier, later)

    def cancel(self, meter_no: str, at_us: int) -> Quarantine | None:
        """Let a reading not have been taken: what lay on both sides of it becomes one."""
        ending, following = self._beside(meter_no, at_us)
        if ending is None:
            return NOT_COUNTED
        if following is None:
            return self._swap([ending])
        whole = self._measured(
            meter_no, ending.from_us, before(ending), following.to_us, after(following)
        )
        return self._swap([ending, following], whole)

    def append(
        self, meter_no: str, from_us: int, shown: Registers, at_us: int, registers: Registers
    ) -> Quarantine | None:
        """Let a reading close an interval behind the meter's last one."""
        return self._swap([], self._measured(meter_no, from_us, shown, at_us, registers))

    def exchange(
        self, gone: Iterable[MeteredInterval], come: Iterable[MeteredInterval]
    ) -> str | None:
        """Do what a correction says; why it cannot be, if it does not follow from the series."""
        for interval in gone:
            if self._by_place.pop(place_of(interval), None) != interval:
                return "it replaces an interval that did not count"
        for interval in come:
            meter_no, from_us, to_us, _ = astuple(interval)
            if meter_no not in self._terms:
                return "an interval is of a meter that did not count"
            shown = before(interval)
            if self._measured(meter_no, from_us, shown, to_us, after(interval)) != interval:
                return "an interval is not what its registers tell"
            self._by_place[meter_no, from_us] = interval
        return None

    def _swap(
        self, old: list[MeteredInterval], *new: MeteredInterval | Quarantine
    ) -> Quarantine | None:
        for measured in new:
            if isinstance(measured, Quarantine):
                return measured
        for interval in old:
            del self._by_place[place_of(interval)]
        for measured in new:
            if isinstance(measured, MeteredInterval):
                self._by_place[place_of(measured)] = measured
        return None

    def _measured(
        self, meter_no: str, from_us: int, shown: Registers, at_us: int, registers: Registers
    ) -> MeteredInterval | Quarantine:
        meter: Metering = self._terms[meter_no]
        for name in meter.register_names:
            if name not in shown:
                return Quarantine("register_missing", f"The reading lacks the register {name}.")
        values = tuple([shown[name] for name in meter.register_names])
        measured = measure(meter, from_us, values, at_us, registers, self.powers)
        if isinstance(measured, Quarantine):
            return measured
        return MeteredInterval(meter_no, from_us, at_us, measured[0])

    def _beside(
        self, meter_no: str, at_us: int
    ) -> tuple[MeteredInterval | None, MeteredInterval | None]:
        """The intervals of a meter that end and begin at a time."""
        following = self._by_place.get((meter_no, at_us))
        for each in self._by_place.values():
            if each.to_us == at_us and each.meter_no == meter_no:
                return each, following
        return None, following


def place_of(interval: MeteredInterval) -> Place:
    """Where an interval stands among others."""
    return interval.meter_no, interval.from_us


def only(
    these: list[MeteredInterval], others: list[MeteredInterval]
) -> tuple[MeteredInterval, ...]:
    """Intervals of one list that the other lacks."""
    known = {place_of(each): each for each in others}
    return tuple([each for each in these if known.get(place_of(each)) != each])


def in_rating_order(interval: MeteredInterval) -> tuple[int, int, str]:
    """Intervals are rated in order of their ends, whichever meter they are of."""
    return interval.to_us, interval.from_us, interval.meter_no


def shows(registers: Registers, values: Registers) -> bool:
    """Whether a reading tells these values; it may tell more registers than are charged."""
    return all(registers.get(name) == value for name, value in values.items())


def before(interval: MeteredInterval) -> Registers:
    """What the meter showed at the beginning."""
    return {name: values[0] for name, values in interval.registers.items()}


def after(interval: MeteredInterval) -> Registers:
    """What the meter showed at the end."""
    return {name: values[1] for name, values in interval.registers.items()}
