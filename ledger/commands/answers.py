"""How a command answers: the state of the account right after it."""

from collections.abc import Callable
from datetime import date

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.control import INDEX
from ledger.aggregates.account.state import days_left
from ledger.commands import Json
from ledger.commands.quantities import decimal_text
from ledger.pricing import CompiledTariff
from ledger.store import Session
from ledger.values import rfc3339


def money_of(account: Account) -> Json:
    """Wallets and alert level of an account, in the words of the API."""
    return {
        "account_no": account.account_no,
        "currency": account.currency,
        "balance_minor": account.balance_minor,
        "granted_minor": account.granted_minor,
        "available_minor": account.available_minor,
        "alert_level": alert_level(account),
    }


def alert_level(account: Account) -> str:
    """The highest level that holds at any point of the account."""
    return max((point.level for point in account.points), key=INDEX.__getitem__, default="none")


def account_answer(account: Account, session: Session) -> Json:
    """An account right after a command."""
    position = session.positions[account.shard]
    return account_body(account, lambda tariff_id: session.tariff(tariff_id)[0], position)


def account_body(
    account: Account, tariff_of: Callable[[str], CompiledTariff], position: int
) -> Json:
    """An account as it reads everywhere (`GET /accounts/{id}`), except names of people."""
    return {
        **money_of(account),
        "status": account.status,
        "site": account.site,
        "group": account.group,
        "timezone": account.timezone,
        "days_left": days_left(account.available_minor, sum(account.week)),
        "service_points": [_point(point, tariff_of(point.tariff_id)) for point in account.points],
        "version": account.version,
        "shard": account.shard,
        "position": position,
    }


def _point(point: Point, tariff: CompiledTariff) -> Json:
    tier, next_bound = tariff.tier(point.position)
    used = point.position.used // point.position.den
    return {
        "service_point": point.name,
        "service_kind": point.service_kind,
        "meter_no": point.meter_no,
        "tariff_id": point.tariff_id,
        "policy_id": point.policy_id,
        "tier": {
            "window_from": date.fromordinal(point.position.window_from).isoformat(),
            "window_to": date.fromordinal(point.position.window_to).isoformat(),
            "used": decimal_text(used),
            "tier": tier,
            "next_bound": None if next_bound is None else decimal_text(next_bound),
        },
        "supply": {"intended": point.supply_intended, "actual": point.supply_actual},
        "guaranteed": point.has_guarantee,
        "disputed": point.is_disputed,
        "last_reading_at": rfc3339(point.last_at_us),
        "registers": {name: decimal_text(value) for name, value in point.named_registers().items()},
        **prepaid_body(point.units_left, point.units_minor, holds_units=point.holds_units),
    }


def prepaid_body(quantity: int, amount_minor: int, *, holds_units: bool) -> Json:
    """What a point holds in units, where recharges buy such."""
    if not holds_units:
        return {}
    return {"prepaid": {"quantity": decimal_text(quantity), "amount_minor": amount_minor}}
