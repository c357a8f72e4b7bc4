"""Units explained (售电推导): what a recharge bought, and what a reading took of it."""

from collections.abc import Iterator, Sequence
from typing import Any

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.sales import Offer, sale_of
from ledger.aggregates.account.units import take
from ledger.events import account as facts
from ledger.pricing import CompiledTariff, Line, explain
from ledger.pricing.exact import decimal
from ledger.pricing.explain import money_text, quantity_text
from ledger.pricing.vending import quantum_of

Json = dict[str, Any]


def units_used(point: Point, quantity: int, tariff: CompiledTariff) -> list[Json]:
    """What a quantity is taken from: units of which recharge, and what part of their price."""
    found, wanted = [], quantity + point.overused
    for held in point.units:
        used = min(held.quantity, wanted)
        if used:
            found.append(_units_of(held, used, tariff))
        wanted -= used
    if wanted:
        found.append({"receipt_no": None, "quantity": quantity_text(wanted), "lines": []})
    return found


def _units_of(held: facts.UnitsHeld, used: int, tariff: CompiledTariff) -> Json:
    taken = take((held,), 0, used)
    part = f"{quantity_text(used)} / {quantity_text(held.quantity)}"
    return {
        "receipt_no": held.receipt_no or None,
        "quantity": quantity_text(used),
        "of": quantity_text(held.quantity),
        "lines": [
            {
                "id": line.id,
                "arithmetic": f"{money_text(tariff, whole.amount_minor)} × {part}",
                "amount": money_text(tariff, line.amount_minor),
            }
            for line, whole in zip(taken.lines, held.lines, strict=True)
        ],
    }


def sale_explained(
    event: facts.UnitsSold, at_us: int, before: Account, tariff: CompiledTariff
) -> Json:
    """What a payment was taken for, one thing after the other, and what the rest bought."""
    offer = Offer(event.receipt_no, event.paid_minor, at_us, event.channel_fee_minor)
    sale = sale_of(before, before.point(event.point), tariff, offer)
    return {
        "receipt_no": event.receipt_no,
        "sold": quantity_text(event.units.quantity),
        "quantum": decimal(quantum_of(tariff)),
        "deductions": [
            {"id": name, "amount": money_text(tariff, amount)}
            for name, amount in (
                ("paid", event.paid_minor),
                ("wallet", event.amount_minor + event.arrears_minor - event.paid_minor),
                ("channel_fee", -event.channel_fee_minor),
                ("arrears", -event.arrears_minor),
                *((line.id, -amount) for line, amount in _shown(tariff, sale.amounts)),
                ("remainder", -event.remainder_minor),
            )
            if amount
        ],
        "steps": explain(tariff, (sale.step,)),
        "currency": event.currency,
        "amount": money_text(tariff, event.amount_minor),
        "amount_minor": event.amount_minor,
        "granted_used_minor": 0,
        "balance_after_minor": event.balance_after_minor,
    }


def _shown(tariff: CompiledTariff, amounts: Sequence[int]) -> Iterator[tuple[Line, int]]:
    return ((line, each) for line, each in zip(tariff.lines, amounts, strict=True) if each)
