"""Integer arithmetic of an interval inside a frame: what each line accrues."""

from collections.abc import Iterable
from math import gcd
from operator import add, mul
from typing import Final

from ledger.pricing.frames import Bounds, Frame
from ledger.pricing.position import Position
from ledger.values import local_day

Accrued = tuple[int, ...]
Numbers = tuple[int, ...]
PEAK_AND_VALLEY: Final = 2  # So common that it has its own line.


def consumed(
    frame: Frame,
    position: Position,
    quantities: Numbers,
    share: int,
    own_bounds: Bounds | None = None,
) -> tuple[int, Accrued, int]:
    """Quantity, accruals and their denominator after `share` / `position.den` of the quantities."""
    bounds = frame.bounds
    if own_bounds is not None:
        bounds = own_bounds
    elif position.in_service_from > frame.window_from:
        bounds = frame.bounds_for(position.in_service_from)
    limits, parts = bounds
    den, used = position.den, position.used
    after = used + sum(quantities) * share
    tier = 0
    while used * parts >= limits[tier] * den:
        tier += 1
    if after * parts > limits[tier] * den:
        return _across_tiers(frame, position, quantities, share, bounds, tier)
    return after, _within_tier(frame, position.accrued, quantities, share, tier), den


def _within_tier(
    frame: Frame, accrued: Accrued, quantities: Numbers, share: int, tier: int
) -> Accrued:
    if len(quantities) == 1:
        quantity = quantities[0] * share
        return tuple(map(add, accrued, [quantity * price for price in frame.single_prices[tier]]))
    rows = frame.prices[tier]
    if len(quantities) == PEAK_AND_VALLEY:
        peak, valley = quantities[0] * share, quantities[1] * share
        return tuple(map(add, accrued, [peak * one + valley * other for one, other in rows]))
    shared = [quantity * share for quantity in quantities]
    return tuple(map(add, accrued, [sum(map(mul, shared, row)) for row in rows]))


def _across_tiers(
    frame: Frame, position: Position, quantities: Numbers, share: int, bounds: Bounds, tier: int
) -> tuple[int, Accrued, int]:
    """From `tier` on; each tier's part has the shares of the whole by register (R4).

    Their sums are therefore over the total.
    """
    limits, parts = bounds
    den, total = position.den, sum(quantities)
    split = 1 if len(quantities) == 1 else total
    start = position.used * parts
    end = start + total * share * parts
    wider = parts * split
    accrued = [units * wider for units in position.accrued]
    while start < end:
        stop = min(end, limits[tier] * den)
        part = stop - start
        if split == 1:
            rows: Iterable[int] = frame.single_prices[tier]
        else:
            rows = [sum(map(mul, quantities, prices)) for prices in frame.prices[tier]]
        accrued = list(map(add, accrued, [part * price for price in rows]))
        start, tier = stop, tier + 1
    return reduced(end * split, accrued, den * wider) if wider > 1 else (end, tuple(accrued), den)


def reduced(used: int, accrued: Iterable[int], den: int) -> tuple[int, Accrued, int]:
    """The same numbers over their smallest common denominator."""
    units = tuple(accrued)
    common = gcd(den, used, *units)
    return used // common, tuple([unit // common for unit in units]), den // common


def with_days(accrued: Accrued, days: int, frame: Frame) -> Accrued:
    """Accruals with `days` (over the same denominator) of the daily charges."""
    units = list(accrued)
    for line, amount in frame.daily:
        units[line] += days * amount
    return tuple(units)


def with_fixed(
    frame: Frame, before: Position, accrued: Accrued, den: int, from_us: int, to_us: int
) -> tuple[Accrued, int] | None:
    """Accruals with the days that are due; None where other charges or left days are."""
    if before.fixed_window or before.fixed_gaps:
        return None
    if frame.is_monthly and before.months_through <= frame.month:
        return None
    if not all(before.accrued[line] for line in frame.once):
        return None
    if to_us < frame.day_end_us(before.fixed_through):
        return accrued, before.fixed_through
    today = local_day(frame.timezone, to_us)
    if today <= before.fixed_through:
        return accrued, before.fixed_through
    if before.fixed_through < local_day(frame.timezone, from_us):
        return None  # Days in between are left to another meter.
    return with_days(accrued, (today - before.fixed_through) * den, frame), today
