"""Parts of a quantity by tier; each has the registers' shares of the whole (R2, R4)."""

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import NamedTuple


class TierPart(NamedTuple):
    """What of a piece fell into one tier."""

    tier: int
    bound: Fraction | None
    start: Fraction
    """The window's quantity at which this part begins."""
    quantities: tuple[Fraction, ...]
    """Of each register that has a price, in Wh or litres."""


def tier_parts(
    begins: Sequence[Fraction],
    passed: Sequence[Fraction],
    bounds: Sequence[Fraction],
    cuts: Collection[Fraction],
    free: Fraction,
) -> list[TierPart]:
    """Parts of what the registers passed, from what the window had counted before.

    One beginning: the tiers are shared by all registers. One for each register: each has its own.
    What lies below `free` has no tier; `cuts` split a part without a change of tier.
    """
    if len(begins) == 1:
        return _parts(begins[0], passed, bounds, cuts, free)
    parts = []
    for register, begin in enumerate(begins):
        alone = [Fraction(0)] * len(passed)
        alone[register] = passed[register]
        parts += _parts(begin, alone, bounds, cuts, free)
    return parts


def _parts(
    begin: Fraction,
    passed: Sequence[Fraction],
    bounds: Sequence[Fraction],
    cuts: Collection[Fraction],
    free: Fraction,
) -> list[TierPart]:
    total = sum(passed, Fraction(0))
    start, end = max(begin - free, Fraction(0)), max(begin + total - free, Fraction(0))
    parts = []
    while start < end:
        tier = sum(bound <= start for bound in bounds)
        bound = bounds[tier] if tier < len(bounds) else None
        borders = [border for border in (*bounds, *cuts) if start < border < end]
        stop = min(borders, default=end)
        share = (stop - start) / total
        parts.append(TierPart(tier, bound, start, tuple(each * share for each in passed)))
        start = stop
    return parts
