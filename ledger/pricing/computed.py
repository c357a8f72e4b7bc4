"""Lines that follow from others, from the window's quantity, or from its peaks."""

from fractions import Fraction
from math import isqrt
from typing import Final, NamedTuple

from ledger.pricing.arithmetic import (
    ZERO,
    Difference,
    Expression,
    Greatest,
    Least,
    Number,
    Product,
    Sum,
    sum_of,
)
from ledger.pricing.bounds import Household
from ledger.pricing.calendar import month_of
from ledger.pricing.charges import (
    Computed,
    Demand,
    FreeQuantity,
    Minimum,
    Percent,
    Plan,
    PowerFactor,
    TierReached,
)
from ledger.pricing.exact import ACCRUAL_DIGITS, QUANTITY_DIGITS
from ledger.pricing.pieces import Piece
from ledger.pricing.position import NotRateable

MAJOR: Final = Fraction(10**ACCRUAL_DIGITS)
"""Units of an accrual in one major unit of the currency."""
WHOLE: Final = 10**QUANTITY_DIGITS
"""Wh or litres in a kWh or m³; W in a kW."""
CONTRACT: Final = "contract_kw"
"""Attribute that tells the power agreed upon, for a demand charge's least share of it."""
POWER_FACTOR: Final = "power_factor"
"""Attribute that tells the power factor where no register counts reactive energy."""


class Window(NamedTuple):
    """What a line can follow from: the window so far, under one schedule."""

    piece: Piece
    household: Household
    bounds: list[Fraction]
    block: list[Fraction]
    used: Fraction
    reactive: Fraction | None
    """var-hours; None where no register counts them."""
    peaks: dict[tuple[int, int], int]
    formulas: dict[int, list[Expression]]
    """What this piece has added to each line so far."""
    is_whole: bool
    """The piece has a length: what is due for time is due."""

    def major(self, line: int) -> Fraction:
        """What a line has accrued in the window, in major units."""
        return self.block[line] / MAJOR

    def added(self, line: int) -> Fraction:
        """What this piece has added to a line, in major units."""
        return sum((term.value for term in self.formulas.get(line, [])), Fraction(0))


def derived_line(charge: Computed, window: Window) -> Expression:
    """What is added to the charge's line so that it stands where it must."""
    if isinstance(charge, Percent):
        return _percent(charge, window)
    found = _standing(charge, window)
    before = window.major(charge.line)
    return Difference(found, Number(before)) if before else found


def _standing(charge: Computed, window: Window) -> Expression:
    """Where the charge's line must stand after the piece."""
    found: Expression = ZERO
    match charge:
        case PowerFactor():
            found = _power_factor(charge, window)
        case FreeQuantity():
            found = _free(charge, window)
        case Minimum():
            floor = Number(window.major(charge.floor))
            others = sum_of([window.major(line) for line in charge.of])
            found = Greatest((ZERO, Difference(floor, others)))
        case TierReached() if window.is_whole or window.block[charge.line]:
            tier = sum(window.used > bound for bound in window.bounds)
            found = Number(charge.amounts[min(tier, len(charge.amounts) - 1)])
        case Demand():
            found = _demand(charge, window)
        case _:
            pass
    return found


def deducted(plan: Plan, household: Household, piece: Piece) -> Fraction:
    """Quantity of the window that has no price at all, in Wh or litres."""
    opened = household.opened(piece)
    months = household.months(piece)
    return sum(
        (
            Fraction(charge.per_month * months)
            for charge in plan.computed
            if isinstance(charge, FreeQuantity)
            and charge.rate is None
            and household.holds(charge.condition, opened)
        ),
        Fraction(0),
    )


def _percent(charge: Percent, window: Window) -> Expression:
    """Each share of what the piece added to the lines, equal shares taken together."""
    rates = dict.fromkeys(rate for _, rate in charge.shares)
    terms: list[Expression] = []
    for rate in rates:
        added = [window.added(line) for line, of_line in charge.shares if of_line == rate]
        if any(added):
            terms.append(Product(Number(rate), sum_of(added)))
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def _free(charge: FreeQuantity, window: Window) -> Expression:
    if charge.rate is None:
        return ZERO
    months = window.household.months(window.piece)
    allowed = Product(Number(Fraction(months)), Number(Fraction(charge.per_month, WHOLE)))
    return Product(Number(-charge.rate), Least((Number(window.used / WHOLE), allowed)))


def _power_factor(charge: PowerFactor, window: Window) -> Expression:
    factor = _hundredths(charge, window)
    base = sum_of([window.major(line) for line in charge.of])
    return Product(Number(charge.percent(factor) / 100), base)


def _hundredths(charge: PowerFactor, window: Window) -> int:
    """The power factor, rounded to a hundredth before anything else: kWh / √(kWh² + kvarh²)."""
    active, reactive = window.used, window.reactive
    if reactive is not None and (active or reactive):
        square = 40_000 * active * active / (active * active + reactive * reactive)
        return (isqrt(square.numerator // square.denominator) + 1) // 2
    at = window.piece.end
    if window.household.context.attribute(POWER_FACTOR, at)[0] is None:
        return charge.standard
    factor = window.household.number(POWER_FACTOR, at)
    if not 0 <= factor <= 1:
        raise NotRateable("attribute_wrong", "A power factor lies between 0 and 1, like 0.93.")
    hundredths = factor * 100
    return (2 * hundredths.numerator + hundredths.denominator) // (2 * hundredths.denominator)


def _demand(charge: Demand, window: Window) -> Expression:
    """For each month of the window its peak, or what the ratchet or the contract asks for.

    A bill has one peak, which counts for each of its whole months.
    """
    piece = window.piece
    months = range(month_of(piece.window_from), month_of(piece.window_to - 1) + 1)
    times = 1
    if piece.version.is_billed:
        months, times = months[-1:], window.household.months(piece)
    terms: list[Expression] = []
    for month in months:
        peak = window.peaks.get((charge.register, month))
        if peak is not None:
            billed = _billed_power(charge, window, month, Fraction(peak, WHOLE))
            term = Product(billed, Number(charge.price))
            terms.append(term if times == 1 else Product(Number(Fraction(times)), term))
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def _billed_power(charge: Demand, window: Window, month: int, peak: Fraction) -> Expression:
    parts: list[Expression] = [Number(peak)]
    earlier = [
        found
        for (register, at), found in window.peaks.items()
        if register == charge.register and month - charge.lookback <= at < month
    ]
    if earlier:
        parts.append(Product(Number(charge.ratchet), Number(Fraction(max(earlier), WHOLE))))
    if charge.of_contract:
        contract = window.household.number(CONTRACT, window.piece.end)
        parts.append(Product(Number(charge.of_contract), Number(contract)))
    return parts[0] if len(parts) == 1 else Greatest(tuple(parts))
