"""The books (记账): every fact that moves money as balanced double-entry postings.

One pure function of the event alone. Customer money is a liability until supplied: what a balance
holds above zero is contract liability (合同负债), what it owes below zero is receivable (应收欠费);
the two are never netted.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from ledger.events import Event
from ledger.events import account as facts
from ledger.events.account import ChargeLine

CHANNEL: Final = "1012"
"""Money in transit, one account per channel: `1012/<channel>`."""
RECEIVABLE: Final = "1122"
LIABILITY: Final = "2205"
UNITS: Final = "2205/units"
"""What prepaid units were bought for that are not used yet."""
VAT: Final = "2221"
PASS_THROUGH: Final = "2241.02"  # noqa: S105 - an account of the books
"""Collected for others: `2241.02/<payee>`."""
REVENUE: Final = "6001"
"""Revenue net of VAT, by the kind of line: `6001/<gl>` where it is not plain revenue."""
PROMOTION: Final = "6601"
"""Granted credit as it is used."""
ADJUSTMENT: Final = "6711"
"""The other side of a correction by a named person."""

Posting = tuple[str, int]
"""(ledger account, signed minor units): debit positive, credit negative; a fact's sum is zero."""


def postings(event: Event) -> list[Posting]:
    """Balanced postings of a fact; none when it moves no money."""
    posted_by = _POSTINGS.get(type(event))
    return posted_by(event) if posted_by is not None else []


def _customer(before_minor: int, after_minor: int) -> list[Posting]:
    """The customer's side of a change of balance: liability above zero, receivable below."""
    if before_minor >= 0 and after_minor >= 0:
        return [(LIABILITY, before_minor - after_minor)]
    liability = max(before_minor, 0) - max(after_minor, 0)
    receivable = min(before_minor, 0) - min(after_minor, 0)
    parts = ((LIABILITY, liability), (RECEIVABLE, receivable))
    return [(account, amount) for account, amount in parts if amount]


def _credited(event: facts.AccountCredited) -> list[Posting]:
    after = event.balance_after_minor
    debit = (f"{CHANNEL}/{event.channel}", event.amount_minor)
    return [debit, *_customer(after - event.amount_minor, after)]


def _reversed(event: facts.CreditReversed) -> list[Posting]:
    after = event.balance_after_minor
    credit = (f"{CHANNEL}/{event.channel}", -event.amount_minor)
    return [credit, *_customer(after + event.amount_minor, after)]


def _adjusted(event: facts.AccountAdjusted) -> list[Posting]:
    if event.wallet != "paid":
        return []  # Granted credit is no liability for cash; it costs when it is used.
    after = event.balance_after_minor
    return [(ADJUSTMENT, event.amount_minor), *_customer(after - event.amount_minor, after)]


Rated = facts.AccountCharged | facts.ChargeCorrected | facts.FixedFeeCharged


def _charged(event: Rated) -> list[Posting]:
    if event.amount_minor == 0 and not event.lines:
        return []
    paid = event.amount_minor - event.granted_used_minor
    units = None if isinstance(event, facts.FixedFeeCharged) else event.units
    if units is not None:
        paid -= units.paid_minor
    after = event.balance_after_minor
    entries = _customer(after + paid, after)
    if event.granted_used_minor:
        entries.append((PROMOTION, event.granted_used_minor))
    if units is not None:
        entries.append((UNITS, units.paid_minor))
    return entries + _earned(event.lines)


def _earned(lines: Iterable[ChargeLine]) -> list[Posting]:
    entries = []
    for line in lines:
        entries.append((_income(line.gl), line.vat_minor - line.amount_minor))
        if line.vat_minor:
            entries.append((VAT, -line.vat_minor))
    return entries


def _units_sold(event: facts.UnitsSold) -> list[Posting]:
    after = event.balance_after_minor
    entries = _customer(after + event.amount_minor, after)
    return [*entries, (UNITS, -_sum(event.units.lines)), *_earned(event.lines)]


def _units_returned(event: facts.UnitsReturned) -> list[Posting]:
    after = event.balance_after_minor
    entries = _customer(after - event.amount_minor, after)
    return [*entries, (UNITS, _sum(event.units.lines)), *_earned(event.lines)]


def _sum(lines: Iterable[ChargeLine]) -> int:
    return sum(line.amount_minor for line in lines)


def _income(gl: str) -> str:
    if gl == "revenue":
        return REVENUE
    if gl == "tax":
        return VAT
    kind, _, payee = gl.partition(":")
    return f"{PASS_THROUGH}/{payee}" if kind == "pass_through" else f"{REVENUE}/{gl}"


_POSTINGS: Final[dict[type[Event], Callable[[Any], list[Posting]]]] = {
    facts.AccountCharged: _charged,
    facts.ChargeCorrected: _charged,
    facts.FixedFeeCharged: _charged,
    facts.UnitsSold: _units_sold,
    facts.UnitsReturned: _units_returned,
    facts.AccountCredited: _credited,
    facts.CreditReversed: _reversed,
    facts.AccountAdjusted: _adjusted,
}
