"""The ratings of a case: what each interval, each window and the whole come to."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, takewhile
from typing import NamedTuple

import msgspec

from ledger.pricing.calendar import day_at, month_of
from ledger.pricing.case_meters import Interval, Meters
from ledger.pricing.compiled import CompiledTariff
from ledger.pricing.context import NOTHING_KNOWN, Context
from ledger.pricing.gaps import Borne
from ledger.pricing.generic import Step, Tally
from ledger.pricing.pieces import Piece
from ledger.pricing.position import NotRateable, Position

Amounts = tuple[int, ...]


class Derived(NamedTuple):
    """An interval with the steps of its derivation."""

    interval: Interval
    steps: tuple[Step, ...]

    def amounts(self) -> Amounts:
        """Minor units by line."""
        by_line = zip(*(step.lines for step in self.steps), strict=True)
        return tuple(
            sum(line.posted_after - line.posted_before for line in lines) for lines in by_line
        )


class Book:
    """The window of every step, open at once: meters side by side may come back to an old one."""

    def __init__(
        self,
        tariff: CompiledTariff,
        found: Meters,
        context: Context = NOTHING_KNOWN,
    ) -> None:
        self.tariff = tariff
        self.context = context
        self.windows: dict[tuple[int, int], tuple[Tally, list[Step]]] = {}
        self._start = tariff.start(found.since_us)
        self._days: set[int] = set()
        self._months: set[int] = set()
        self.derived = [self._derive(interval) for interval in found.intervals]

    def _derive(self, interval: Interval) -> Derived:
        start, end, pieces = self.tariff.pieces(
            self._start, interval.from_us, interval.to_us, self.context
        )
        steps = []
        for piece in pieces:
            tally, history = self._window(piece)
            step = self._charge(tally, piece, interval.quantities, (start, end))
            self._start = msgspec.structs.replace(self._start, peaks=tally.remembered_peaks())
            history.append(step)
            steps.append(step)
        return Derived(interval, tuple(steps))

    def _charge(
        self, tally: Tally, piece: Piece, quantities: Sequence[Fraction], times: tuple[int, int]
    ) -> Step:
        """Days and months are charged once, whichever meter and window they come with first."""
        days = set(range(day_at(piece.start), day_at(piece.end)))
        month = month_of(day_at(piece.start))
        tally.days = Borne(day_at(piece.end) - len(days - self._days))
        tally.months = Borne(month + (month in self._months))
        step = tally.consume(piece, quantities, *times)
        self._days |= days
        if tally.months.through > month:
            self._months.add(month)
        return step

    def _window(self, piece: Piece) -> tuple[Tally, list[Step]]:
        """Tally of the piece's window; a version that resets opens the window once more."""
        upto = self.tariff.versions[: piece.version.number + 1]
        reset_by = max((version.number for version in upto if version.resets), default=0)
        return self.windows.setdefault(
            (piece.window_from, reset_by), (self.tariff.tally(self._start, self.context), [])
        )


class Charges:
    """Amounts of intervals, by the same `rate` that charges accounts.

    What the last list had in common with the next one, from the beginning on, is not rated again.
    """

    def __init__(self, tariff: CompiledTariff) -> None:
        self._tariff = tariff
        self._context = NOTHING_KNOWN
        self._since_us = 0
        self._intervals: list[Interval] = []
        self._charged: list[tuple[Position, Amounts]] = []

    def of(self, found: Meters, context: Context) -> list[Amounts]:
        """Amounts of each interval, in order."""
        try:
            if self._tariff.tables.fixed_tracks and _go_back(found.intervals):
                return self._side_by_side(found, context)
            self._charge_in_turn(found, context)
        except NotRateable as error:
            self._forget(0)
            if error.code != "closed_window":
                raise
            return self._side_by_side(found, context)
        return [amounts for _, amounts in self._charged]

    def _side_by_side(self, found: Meters, context: Context) -> list[Amounts]:
        """One meter's window has closed, or its days are charged; another's reading goes back."""
        return [derived.amounts() for derived in Book(self._tariff, found, context).derived]

    def _charge_in_turn(self, found: Meters, context: Context) -> None:
        same, intervals = 0, found.intervals
        if context == self._context and found.since_us == self._since_us:
            pairs = zip(self._intervals, intervals, strict=False)
            same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        self._forget(same)
        self._context, self._since_us = context, found.since_us
        for interval in intervals[same:]:
            position = self._charged[-1][0] if self._charged else self._tariff.start(found.since_us)
            self._intervals.append(interval)
            self._charged.append(self._rate(position, interval))

    def _forget(self, kept: int) -> None:
        del self._intervals[kept:]
        del self._charged[kept:]

    def _rate(self, position: Position, interval: Interval) -> tuple[Position, Amounts]:
        times = interval.from_us, interval.to_us
        whole = tuple(int(quantity) for quantity in interval.quantities)
        if whole == interval.quantities:
            return self._tariff.rate(position, *times, whole, self._context)
        exact = self._tariff.derive(position, *times, interval.quantities, self._context)
        return exact[:2]


def _go_back(intervals: Sequence[Interval]) -> bool:
    """Whether a meter's interval begins before another's has ended."""
    return any(after.from_us < before.to_us for before, after in pairwise(intervals))


def tier_quantities(steps: Sequence[Step]) -> list[Fraction]:
    """What of a window fell into each tier of its last terms."""
    tiers = len(steps[-1].bounds) + 1
    for part in (part for step in steps for part in step.tiers):
        tiers = max(tiers, part.tier + 1)
    found = [Fraction(0)] * tiers
    for part in (part for step in steps for part in step.tiers):
        found[part.tier] += sum(part.quantities)
    return found
