"""The ratings of a case: what each interval, each window and the whole come to."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import msgspec

from ledger.pricing.case_meters import Interval
from ledger.pricing.compiled import CompiledTariff
from ledger.pricing.context import NOTHING_KNOWN, Context
from ledger.pricing.generic import Step, Tally
from ledger.pricing.pieces import Piece
from ledger.pricing.position import NotRateable

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
        intervals: Sequence[Interval],
        context: Context = NOTHING_KNOWN,
    ) -> None:
        self.tariff = tariff
        self.context = context
        self.windows: dict[tuple[int, int], tuple[Tally, list[Step]]] = {}
        self._start = tariff.start(min(interval.from_us for interval in intervals))
        self.derived = [self._derive(interval) for interval in intervals]

    def _derive(self, interval: Interval) -> Derived:
        start, end, pieces = self.tariff.pieces(
            self._start, interval.from_us, interval.to_us, self.context
        )
        steps = []
        for piece in pieces:
            tally, history = self._window(piece)
            step = tally.consume(piece, interval.quantities, start, end)
            # Days and months are charged once, whichever window is entered next.
            self._start = msgspec.structs.replace(
                self._start,
                fixed_through=tally.fixed_through,
                months_through=tally.months_through,
                peaks=tally.remembered_peaks(),
            )
            history.append(step)
            steps.append(step)
        return Derived(interval, tuple(steps))

    def _window(self, piece: Piece) -> tuple[Tally, list[Step]]:
        """Tally of the piece's window; a version that resets opens the window once more."""
        upto = self.tariff.versions[: piece.version.number + 1]
        reset_by = max((version.number for version in upto if version.resets), default=0)
        return self.windows.setdefault(
            (piece.window_from, reset_by), (self.tariff.tally(self._start, self.context), [])
        )


def charge(
    tariff: CompiledTariff, intervals: Sequence[Interval], context: Context = NOTHING_KNOWN
) -> list[Amounts]:
    """Amounts of each interval, in order, by the same `rate` that charges accounts."""
    if not intervals:
        return []
    try:
        return _charge_in_turn(tariff, intervals, context)
    except NotRateable as error:
        if error.code != "closed_window":
            raise
        # One meter's window has closed, another's reading goes back to it.
        return [derived.amounts() for derived in Book(tariff, intervals, context).derived]


def _charge_in_turn(
    tariff: CompiledTariff, intervals: Sequence[Interval], context: Context
) -> list[Amounts]:
    position = tariff.start(min(interval.from_us for interval in intervals))
    charged = []
    for interval in intervals:
        whole = tuple(int(quantity) for quantity in interval.quantities)
        if whole == interval.quantities:
            position, amounts = tariff.rate(
                position, interval.from_us, interval.to_us, whole, context
            )
        else:
            position, amounts, _ = tariff.derive(
                position, interval.from_us, interval.to_us, interval.quantities, context
            )
        charged.append(amounts)
    return charged


def tier_quantities(steps: Sequence[Step]) -> list[Fraction]:
    """What of a window fell into each tier of its last terms."""
    tiers = len(steps[-1].bounds) + 1
    for part in (part for step in steps for part in step.tiers):
        tiers = max(tiers, part.tier + 1)
    found = [Fraction(0)] * tiers
    for part in (part for step in steps for part in step.tiers):
        found[part.tier] += sum(part.quantities)
    return found
