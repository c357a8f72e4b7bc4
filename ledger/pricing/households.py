"""Households with allowances in integers: bounds of their own, and a quantity given back."""

from fractions import Fraction
from math import lcm
from operator import sub
from typing import NamedTuple

import msgspec

from ledger.pricing.accrual import consumed, with_fixed
from ledger.pricing.bounds import Household
from ledger.pricing.calendar import midnight
from ledger.pricing.charges import FreeQuantity
from ledger.pricing.computed import deducted
from ledger.pricing.context import NOTHING_KNOWN, Context
from ledger.pricing.exact import PRICE_DIGITS
from ledger.pricing.frames import UNBOUNDED, Bounds, Frame
from ledger.pricing.pieces import Piece
from ledger.pricing.position import NotRateable, Position
from ledger.pricing.terms import Version


class Allowance(NamedTuple):
    """What a household has in a window, beside what everyone has."""

    bounds: Bounds
    limits: tuple[int, ...]
    """The same as a position keeps them: none where they are everyone's."""
    limits_den: int
    free: tuple[tuple[int, int, int], ...]
    """(line, Wh or litres, price): what is given back of the window's quantity."""

    def given_back(self, accrued: tuple[int, ...], used: int, den: int) -> tuple[int, ...]:
        """Accruals with the free quantity of so much used, all over `den`."""
        units = list(accrued)
        for line, quantity, price in self.free:
            units[line] = -min(used, quantity * den) * price
        return tuple(units)


def rate_allowed(
    frame: Frame,
    before: Position,
    interval: tuple[int, int],
    quantities: tuple[int, ...],
    own: Allowance,
    *,
    has_fixed: bool,
) -> tuple[Position, tuple[int, ...]] | None:
    """Rate an interval inside a frame; None where a charge of the window or month falls due."""
    used, accrued, den = consumed(frame, before, quantities, before.den, own.bounds)
    fixed_through = before.fixed_through
    if has_fixed:
        fixed = with_fixed(frame, before, accrued, den, *interval)
        if fixed is None:
            return None
        accrued, fixed_through = fixed
    accrued = own.given_back(accrued, used, den)
    ladders = zip(frame.version.rounding, accrued, strict=True)
    posted = tuple([ladder.minor(units, den) for ladder, units in ladders])
    after = msgspec.structs.replace(
        before,
        used=used,
        accrued=accrued,
        posted=posted,
        fixed_through=fixed_through,
        den=den,
        season=frame.season,
        limits=own.limits,
        limits_den=own.limits_den,
    )
    return after, tuple(map(sub, posted, before.posted))


def allowance(frame: Frame, household: Household, start: int) -> Allowance | None:
    """What the household has from a wall-clock time on; None where integers do not do."""
    version = frame.version
    plan = version.plans[0]
    window = frame.window_from, frame.window_to
    piece = Piece(start, start + 1, version, *window, frame.season, start)
    has_conditions = any(charge.condition is not None for charge in plan.consumption)
    has_conditions |= any(fee.condition is not None for fee in plan.fixed)
    if has_conditions or any(each.flat_price is not None for each in version.modifiers):
        return None
    free = []
    for charge in plan.computed:
        if household.holds(charge.condition, household.opened(piece)):
            given = _given(charge, household.months(piece))
            if given is None:
                return None
            free.append(given)
    bounds = household.bounds(plan, piece)
    den = lcm(*(bound.denominator for bound in bounds))
    numerators = tuple(int(bound * den) for bound in bounds)
    everyone = version.bounds(frame.season, frame.window_from, household.in_service_from)
    is_plain = [Fraction(limit, everyone[1]) for limit in everyone[0]] == bounds
    limits = ((), 1) if is_plain else (numerators, den)
    return Allowance(((*numerators, UNBOUNDED), den), *limits, tuple(free))


def with_limits(
    versions: tuple[Version, ...], position: Position, context: Context | None
) -> Position:
    """A position at its beginning with the bounds that the household has then."""
    version = versions[position.version]
    if version.is_billed:
        return position  # They follow from how long the period turns out to be.
    at = midnight(position.in_service_from)
    window = position.window_from, position.window_to
    piece = Piece(at, at + 1, version, *window, position.season, at)
    household = Household(context or NOTHING_KNOWN, position.in_service_from)
    if household.flat_price(piece) is not None:
        return msgspec.structs.replace(position, limits_den=0)
    plan = version.plans[0]
    try:
        bounds = household.bounds(plan, piece)
    except NotRateable:
        return position  # Something is not told yet; the first interval asks for it.
    free = deducted(plan, household, piece)
    bounds = [bound + free for bound in bounds]
    everyone = version.bounds(position.season, position.window_from, position.in_service_from)
    if [Fraction(limit, everyone[1]) for limit in everyone[0]] == bounds:
        return position
    den = lcm(*(bound.denominator for bound in bounds))
    limits = tuple(int(bound * den) for bound in bounds)
    return msgspec.structs.replace(position, limits=limits, limits_den=den)


def _given(charge: object, months: int) -> tuple[int, int, int] | None:
    if not isinstance(charge, FreeQuantity) or charge.rate is None:
        return None
    price = charge.rate * 10**PRICE_DIGITS
    if price.denominator != 1:
        return None
    return charge.line, charge.per_month * months, price.numerator
