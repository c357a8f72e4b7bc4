"""Units for money (售电): what a payment owes first, and what the rest buys (R11, R12)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from ledger.pricing.bounds import Household
from ledger.pricing.calendar import day_at
from ledger.pricing.charges import Percent
from ledger.pricing.compiled import CompiledTariff
from ledger.pricing.computed import MAJOR, WHOLE
from ledger.pricing.context import NOTHING_KNOWN, Context
from ledger.pricing.document import Vending
from ledger.pricing.exact import ROUNDERS, half_up, minor_digits
from ledger.pricing.generic import LineStep, Step
from ledger.pricing.pieces import Piece, version_at
from ledger.pricing.position import NotRateable, Position
from ledger.values import local_us

CENTI: Final = Fraction("0.01")
"""The customary quantum of a token, in kWh or m³."""
ARREARS: Final = "arrears"
"""How a tariff's order names what is owed."""
TOO_SMALL: Final = "payment_too_small"
"""Code of a payment that does not cover what comes first."""
By = dict[int, Fraction]


class Payment(NamedTuple):
    """What is paid for units, and what else is to be paid from it."""

    at_us: int
    amount_minor: int
    channel_fee_minor: int = 0
    arrears_minor: int = 0


class Sale(NamedTuple):
    """What a payment was taken for, and the units that the rest bought."""

    position: Position
    quantity: int
    """Wh or litres, a whole number of the token's quanta."""
    channel_fee_minor: int
    arrears_minor: int
    amounts: tuple[int, ...]
    """Minor units by line of the tariff."""
    at_once: tuple[int, ...]
    """What of them was due before the first unit."""
    remainder_minor: int
    """Not enough for another quantum, or given up by rounding to one; it is not carried on."""
    step: Step


def vend(
    tariff: CompiledTariff, position: Position, payment: Payment, context: Context = NOTHING_KNOWN
) -> Sale:
    """Sell units; raises NotRateable where the payment does not cover what comes first."""
    terms = tariff.vending or Vending()
    piece = _piece(tariff, payment.at_us)
    at_once = _at_once(tariff, position, piece, context)
    fee = min(payment.channel_fee_minor, payment.amount_minor)
    arrears = _arrears(tariff, terms, payment, payment.amount_minor - fee, at_once)
    left = payment.amount_minor - fee - arrears
    tally = tariff.tally(position, context)
    tally.enter(piece)
    cost = _Cost(piece, Household(context, position.in_service_from))
    due = sum((line.accrued_after - line.accrued_before for line in at_once.lines), Fraction(0))
    money = Fraction(left, 10 ** minor_digits(tariff.currency)) - due / MAJOR
    units = _quantised(terms, cost.bought(money, tally.used))
    step = tally.consume(piece, [Fraction(units)], piece.start, piece.end)
    amounts = tuple(tally.amounts)
    return Sale(
        position=tally.position(),
        quantity=units,
        channel_fee_minor=fee,
        arrears_minor=arrears,
        amounts=amounts,
        at_once=tuple(_posted(line) for line in at_once.lines),
        remainder_minor=left - sum(amounts),
        step=step,
    )


def sells_units(tariff: CompiledTariff) -> bool:
    """Whether money buys units of the tariff, and what a meter counts is paid already."""
    return tariff.versions[0].by_purchase


def _at_once(tariff: CompiledTariff, position: Position, piece: Piece, context: Context) -> Step:
    """What falls due with a purchase, even of nothing."""
    return tariff.tally(position, context).consume(piece, [Fraction(0)], piece.start, piece.end)


def _posted(line: LineStep) -> int:
    return line.posted_after - line.posted_before


def _arrears(
    tariff: CompiledTariff, terms: Vending, payment: Payment, left: int, at_once: Step
) -> int:
    """All that is owed, or the share of the payment that the tariff names.

    What the tariff's order puts before the arrears is kept for that.
    """
    order = terms.order or []
    before = order[: order.index(ARREARS)] if ARREARS in order else []
    kept = sum(_posted(line) for line in at_once.lines if tariff.lines[line.line].id in before)
    owed = min(payment.arrears_minor, max(left - kept, 0))
    if terms.arrears_share is None:
        return owed
    share = Fraction(terms.arrears_share) * payment.amount_minor
    return min(owed, half_up(share.numerator, share.denominator))


def _piece(tariff: CompiledTariff, at_us: int) -> Piece:
    """The moment of a sale: it belongs to the day that it falls on."""
    local = local_us(tariff.timezone, at_us)
    day = day_at(local)
    version = version_at(tariff.versions, day)
    if not version.by_purchase:
        raise NotRateable("not_sold", "The tariff charges what a meter counts; it sells no units.")
    window, season = version.window.around(day), version.season(day)
    return Piece(local, local + 1, version, *window, season, local)


def quantum_of(tariff: CompiledTariff) -> Fraction:
    """The token's smallest quantity, in kWh or m³."""
    return _quantum(tariff.vending or Vending())


def _quantum(terms: Vending) -> Fraction:
    return Fraction(terms.unit_quantum or CENTI)


def _quantised(terms: Vending, units: Fraction) -> int:
    """Whole quanta of the token, in Wh or litres."""
    quantum = _quantum(terms) * WHOLE
    quanta = units / quantum
    rounder = ROUNDERS[terms.unit_mode or "half_up"]
    return int(rounder(quanta.numerator, quanta.denominator) * quantum)


class _Cost:
    """What units come to, over all lines: a broken line that can be turned round exactly."""

    def __init__(self, piece: Piece, household: Household) -> None:
        self._piece = piece
        self._household = household
        self._plan = piece.version.plans[0]
        self._bounds = household.bounds(self._plan, piece)

    def bought(self, left: Fraction, used: Fraction) -> Fraction:
        """Units, in Wh or litres, that an amount of major units pays for."""
        if left < 0:
            message = "The payment does not cover what is due before the first unit."
            raise NotRateable(TOO_SMALL, message)
        units = Fraction(0)
        for tier, bound in enumerate([*self._bounds, None]):
            price = self._price(tier)
            room = None if bound is None else max(bound - used - units, Fraction(0))
            if room is not None and room * price <= left:
                units += room
                left -= room * price
            elif price:
                return units + left / price
            else:
                break
        raise NotRateable("no_price", "The last tier has no price; any number of units is free.")

    def _price(self, tier: int) -> Fraction:
        """Major units per Wh or litre, with the shares that follow from it."""
        prices: By = {}
        for charge in self._plan.consumption:
            if self._household.holds(charge.condition, self._piece.start):
                prices[charge.line] = charge.prices[self._piece.season][tier][0] / MAJOR
        return self._with_shares(prices)

    def _with_shares(self, amounts: Mapping[int, Fraction]) -> Fraction:
        found = dict(amounts)
        for charge in self._plan.computed:
            if isinstance(charge, Percent) and self._household.holds(
                charge.condition, self._household.opened(self._piece)
            ):
                shares = (rate * found.get(line, Fraction(0)) for line, rate in charge.shares)
                found[charge.line] = sum(shares, Fraction(0))
        return sum(found.values(), Fraction(0))
