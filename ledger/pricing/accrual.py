"""Integer arithmetic of an interval inside a frame: what each line accrues."""

from math import gcd
from operator import mul
from typing import Final

from ledger.pricing.frames import Bounds, Frame
from ledger.pricing.position import Position

Accrued = tuple[int, ...]
Numbers = tuple[int, ...]
PEAK_AND_VALLEY: Final = 2  # So common that it has its own line.


def within_tier(
    accrued: Accrued, quantities: Numbers, den: int, frame: Frame, tier: int
) -> Accrued:
    """Accruals (over `den`) after quantities that lie in one tier."""
    if len(quantities) == 1:
        quantity = quantities[0] * den
        prices = frame.single_prices[tier]
        return tuple(
            [units + quantity * price for units, price in zip(accrued, prices, strict=True)]
        )
    rows = frame.prices[tier]
    if len(quantities) == PEAK_AND_VALLEY:
        peak, valley = quantities[0] * den, quantities[1] * den
        pairs = zip(accrued, rows, strict=True)
        return tuple([units + peak * a + valley * b for units, (a, b) in pairs])
    scaled = [quantity * den for quantity in quantities]
    pairs = zip(accrued, rows, strict=True)
    return tuple([units + sum(map(mul, scaled, row)) for units, row in pairs])


def across_tiers(
    position: Position, quantities: Numbers, frame: Frame, bounds: Bounds, tier: int
) -> tuple[int, Accrued, int]:
    """Quantity, accruals and their denominator after quantities that begin in `tier`.

    Each tier's part has the shares of the whole by register (R4): their sums are over `total`.
    """
    limits, parts = bounds
    den, total = position.den, sum(quantities)
    shares = 1 if len(quantities) == 1 else total
    start = position.used * parts
    end = start + total * den * parts
    wider = parts * shares
    accrued = [units * wider for units in position.accrued]
    while start < end:
        stop = min(end, limits[tier] * den)
        if shares == 1:
            row = frame.single_prices[tier]
        else:
            row = tuple([sum(map(mul, quantities, prices)) for prices in frame.prices[tier]])
        part = stop - start
        accrued = [units + part * price for units, price in zip(accrued, row, strict=True)]
        start, tier = stop, tier + 1
    if wider == 1:
        return end, tuple(accrued), den
    used, den = end * shares, den * wider
    common = gcd(den, used, *accrued)
    return used // common, tuple([units // common for units in accrued]), den // common


def with_days(accrued: Accrued, days: int, frame: Frame) -> Accrued:
    """Accruals with `days` (over the same denominator) of the daily charges."""
    units = list(accrued)
    for line, amount in frame.daily:
        units[line] += days * amount
    return tuple(units)
