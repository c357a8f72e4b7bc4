"""VAT inside charge lines: differences of the rounded running total of the tax period, per rate."""

from datetime import date
from typing import Final, Protocol

from ledger.aggregates.account.state import Account
from ledger.events.account import ChargeLine, Taxed
from ledger.pricing import Line


class Priced(Protocol):
    """Whose lines are charged: a tariff, or prepaid units."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """In the order of their amounts."""


_months: Final[dict[int, int]] = {}


def tax_month(day: int) -> int:
    """Tax period of a day ordinal: its calendar month, counted from the year 0."""
    month = _months.get(day)
    if month is None:
        found = date.fromordinal(day)
        month = _months[day] = found.year * 12 + found.month
    return month


def charge_lines(
    account: Account, tariff: Priced, amounts: tuple[int, ...], day: int
) -> tuple[tuple[ChargeLine, ...], int, Taxed]:
    """Lines of a charge with the VAT inside; the tax period and its totals after them."""
    month, totals = account.tax_month, account.taxed
    lines: list[ChargeLine] = []
    for line, amount in zip(tariff.lines, amounts, strict=True):
        if amount == 0:
            continue
        line_id, gl, rate = line
        vat = 0
        if rate[0]:
            if month < (now := tax_month(day)):
                month, totals = now, ()
            totals, vat = _add(totals, rate, amount)
        lines.append(ChargeLine(line_id, gl, amount, vat, rate))
    return tuple(lines), month, totals


def _add(totals: Taxed, rate: tuple[int, int], amount: int) -> tuple[Taxed, int]:
    """Totals with one more gross amount of a rate, and the VAT that it adds."""
    num, den = rate
    gross_before = vat_before = 0
    others: Taxed = ()
    for total in totals:
        if total[0] == num and total[1] == den:
            _, _, gross_before, vat_before = total
        else:
            others += (total,)
    gross = gross_before + amount
    whole = den + num
    vat = (2 * abs(gross) * num + whole) // (2 * whole)
    if gross < 0:
        vat = -vat
    return (*others, (num, den, gross, vat)), vat - vat_before
