"""Sales of units (售电): what a recharge is taken for, and how one is undone."""

from collections.abc import Iterator
from itertools import chain
from typing import Final, NamedTuple

import msgspec

from ledger.aggregates.account.state import Account, Point
from ledger.aggregates.account.tax import charge_lines
from ledger.aggregates.account.units import (
    Lines,
    joined,
    scaled,
    taxed_lines,
    total_of,
    vat_inside,
    worth,
)
from ledger.events import account as facts
from ledger.events.account import ChargeLine, UnitsHeld
from ledger.pricing import CompiledTariff, Line, Payment, Position, Sale, vend
from ledger.pricing.calendar import instants_of_midnight
from ledger.pricing.context import NOTHING_KNOWN
from ledger.pricing.vending_undone import undone
from ledger.values import local_day

CHANNEL_FEE: Final = Line("channel_fee", "pass_through:channel_fee", (0, 1))
ROUNDING: Final = "rounding"


class Offer(NamedTuple):
    """A payment for units: what is paid, and what its channel takes of it."""

    receipt_no: str
    paid_minor: int
    at_us: int
    channel_fee_minor: int = 0


def sale_of(account: Account, point: Point, tariff: CompiledTariff, offer: Offer) -> Sale:
    """What a payment that is in the wallet already buys; raises NotRateable.

    A purchase counts in the window that is open, however late its payment is told.
    """
    before = account.balance_minor - offer.paid_minor
    opened = instants_of_midnight(tariff.timezone, point.position.window_from)[1]
    payment = Payment(
        at_us=max(offer.at_us, opened),
        amount_minor=offer.paid_minor + max(before, 0),
        channel_fee_minor=offer.channel_fee_minor,
        arrears_minor=max(-before, 0),
    )
    context = account.rating_context() or NOTHING_KNOWN
    return vend(tariff, point.position, payment, context)


def sell(
    account: Account, point: Point, tariff: CompiledTariff, tariff_version: int, offer: Offer
) -> facts.UnitsSold:
    """Let the wallet's money buy units; raises NotRateable where it does not cover what is due."""
    sale = sale_of(account, point, tariff, offer)
    day = local_day(account.timezone, offer.at_us)
    lines, tax_month, taxed = _due_at_once(account, tariff, sale, day)
    bought = _bought(tariff, sale, offer.receipt_no)
    amount = total_of(lines) + total_of(bought.lines)
    ahead_us = point.position.ahead_us
    held, held_minor = worth((*point.units, bought), point.overused)
    return facts.UnitsSold(
        account_no=account.account_no,
        point=point.name,
        receipt_no=offer.receipt_no,
        tariff_id=tariff.tariff_id,
        tariff_version=tariff_version,
        unit=point.unit,
        paid_minor=offer.paid_minor,
        channel_fee_minor=sale.channel_fee_minor,
        arrears_minor=sale.arrears_minor,
        lines=lines,
        units=bought,
        remainder_minor=sale.remainder_minor,
        currency=account.currency,
        amount_minor=amount,
        balance_after_minor=account.balance_minor - amount,
        granted_after_minor=account.granted_minor,
        day=day,
        tax_month=tax_month,
        taxed=taxed,
        held_after=held,
        held_after_minor=held_minor,
        read_at_us=point.last_at_us,
        registers=point.named_registers(),
        was=point.position,
        position=msgspec.structs.replace(sale.position, ahead_us=ahead_us),
    )


def _due_at_once(
    account: Account, tariff: CompiledTariff, sale: Sale, day: int
) -> tuple[tuple[ChargeLine, ...], int, facts.Taxed]:
    """Lines that a purchase bears itself; without units what is left over as well."""
    lost = 0 if sale.quantity else sale.remainder_minor
    rounding = Line(ROUNDING, "revenue", tariff.lines[_energy_line(sale)].vat_rate)
    lines = Lines((CHANNEL_FEE, *tariff.lines, rounding))
    return charge_lines(account, lines, (sale.channel_fee_minor, *sale.at_once, lost), day)


def _bought(tariff: CompiledTariff, sale: Sale, receipt_no: str) -> UnitsHeld:
    """The units and what they were bought for: their prices, and what rounding left over."""
    later = [amount - due for amount, due in zip(sale.amounts, sale.at_once, strict=True)]
    if sale.quantity:
        later[_energy_line(sale)] += sale.remainder_minor
    lines = [
        ChargeLine(line.id, line.gl, amount, vat_inside(amount, line.vat_rate), line.vat_rate)
        for line, amount in zip(tariff.lines, later, strict=True)
        if amount
    ]
    return UnitsHeld(receipt_no, sale.quantity, tuple(lines))


def _energy_line(sale: Sale) -> int:
    return sale.step.piece.version.plans[0].consumption[0].line


# ---------------------------------------------------------------- back


def give_back(
    account: Account, point: Point, sold: facts.UnitsSold, reason: str
) -> facts.UnitsReturned:
    """Undo a sale: what is left of its units goes back, and all that the purchase itself bore.

    What was used of it stays charged, at the price it was bought at.
    """
    left = next((each for each in point.units if each.receipt_no == sold.receipt_no), None)
    units = left or UnitsHeld(sold.receipt_no, 0, ())
    position = point.position
    if point.tariff_id == sold.tariff_id:
        position = undone(position, sold.was, sold.position)
    borne = [scaled(line, -1, 1) for line in sold.lines]
    return _returned(account, point, units, borne, position, sold.day, reason)


def give_all_back(
    account: Account, point: Point, at_us: int, reason: str
) -> Iterator[facts.UnitsReturned]:
    """All that a point holds goes back into the wallet, where it holds units no longer."""
    if point.units:
        quantity = sum(each.quantity for each in point.units)
        lines = joined(chain.from_iterable(each.lines for each in point.units))
        units = UnitsHeld("", quantity, lines)
        day = local_day(account.timezone, at_us)
        yield _returned(account, point, units, [], point.position, day, reason)


def _returned(
    account: Account,
    point: Point,
    units: UnitsHeld,
    borne: list[ChargeLine],
    position: Position,
    day: int,
    reason: str,
) -> facts.UnitsReturned:
    lines, tax_month, taxed = taxed_lines(account, borne, day)
    amount = total_of(units.lines) - total_of(lines)
    left = [each for each in point.units if units.receipt_no not in {"", each.receipt_no}]
    held, held_minor = worth(left, point.overused)
    return facts.UnitsReturned(
        account_no=account.account_no,
        point=point.name,
        receipt_no=units.receipt_no,
        reason=reason,
        tariff_id=point.tariff_id,
        unit=point.unit,
        lines=lines,
        units=units,
        currency=account.currency,
        amount_minor=amount,
        balance_after_minor=account.balance_minor + amount,
        granted_after_minor=account.granted_minor,
        day=day,
        tax_month=tax_month,
        taxed=taxed,
        held_after=held,
        held_after_minor=held_minor,
        read_at_us=point.last_at_us,
        registers=point.named_registers(),
        position=position,
    )
