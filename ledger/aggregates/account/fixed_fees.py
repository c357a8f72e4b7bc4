"""Fixed charges of a silent meter (固定费): each local day is paid for, read or not."""

from collections.abc import Iterator
from typing import Final

from ledger.aggregates.account import sharing
from ledger.aggregates.account.state import Account, Point, shifted_week
from ledger.aggregates.account.tax import charge_lines
from ledger.events import account as facts
from ledger.pricing import CompiledTariff, NotRateable
from ledger.pricing.calendar import instants_of_midnight
from ledger.pricing.vending import sells_units
from ledger.values import MICROS_PER_DAY, closing_day, local_day

SILENT_US: Final = MICROS_PER_DAY
DAYS_MAX: Final = 400
"""Local days that one look at a point charges; the next look goes on."""


def is_silent(point: Point, now_us: int) -> bool:
    """Whether a meter has told nothing for a day."""
    return point.last_at_us <= now_us - SILENT_US


def days_due(point: Point, tariff: CompiledTariff, now_us: int) -> Iterator[int]:
    """The ends of local days, in UTC, up to which fixed charges are still to be borne."""
    if is_silent(point, now_us) and not sells_units(tariff):  # Those are borne by purchases.
        first = point.position.fixed_through + 1
        last = local_day(tariff.timezone, now_us)
        for day in range(first, min(last, first + DAYS_MAX - 1) + 1):
            yield instants_of_midnight(tariff.timezone, day)[1]


def charge_day(
    account: Account, point: Point, tariff: CompiledTariff, tariff_version: int, end_us: int
) -> facts.FixedFeeCharged | None:
    """What the point owes up to the end of a day, if that is anything."""
    try:
        position, amounts = tariff.to_fixed_only(point.position, end_us, account.rating_context())
    except NotRateable:
        return None  # Without a version in force nothing is due; a reading will tell the reason.
    if not any(amounts):
        return None
    position = sharing.ahead(position, point.position.ahead_us, 0)
    day = closing_day(account.timezone, end_us)
    total = sum(amounts)
    lines, tax_month, taxed = charge_lines(account, tariff, amounts, day)
    granted_used = min(account.granted_minor, total) if total > 0 else 0
    return facts.FixedFeeCharged(
        account_no=account.account_no,
        point=point.name,
        tariff_id=tariff.tariff_id,
        tariff_version=tariff_version,
        lines=lines,
        currency=account.currency,
        amount_minor=total,
        granted_used_minor=granted_used,
        balance_after_minor=account.balance_minor - total + granted_used,
        granted_after_minor=account.granted_minor - granted_used,
        day=day,
        week_minor=sum(shifted_week(account, day)) + total,
        tax_month=tax_month,
        taxed=taxed,
        position=position,
    )
