"""Accounts and what is counted of them, reckoned by hand from every event of the log."""


# size: one reckoning of all views stands on one page, because none of it uses the engine.

from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import text

from adapters.views.account_totals import totals
from ledger.access import Reach
from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.control import INDEX
from ledger.aggregates.account.state import days_left
from ledger.commands.quantities import decimal_text
from ledger.events import Recorded
from ledger.events import account as facts
from ledger.values import rfc3339
from tests.harness.desk import Desk, Json

DAY_US: Final = 86_400_000_000


def live(desk: Desk, view: str, columns: str) -> set[tuple[Any, ...]]:
    """Some columns of every row of a view."""
    with desk.engine.execution_options(read_only=True).begin() as connection:
        return {tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {view}"))}


def folded(log: list[Recorded]) -> dict[str, Account]:
    """Accounts by number, folded from event 1."""
    states: dict[str, Account] = {}
    for item in log:
        if type(item.event) in Account.EVOLVERS:
            state = states.setdefault(item.stream_id, Account(item.shard, item.stream_id))
            state.evolve(item.event, item.valid_at_us)
    return {state.account_no: state for state in states.values()}


def check_accounts(desk: Desk, log: list[Recorded]) -> None:
    accounts = folded(log)
    listed = {body["account_no"]: body for body in desk.views.accounts()}
    assert listed.keys() == accounts.keys()
    for account_no, state in accounts.items():
        body = desk.views.account(account_no)
        assert body == listed[account_no]
        assert {name: body[name] for name in _body(state)} == _body(state)


def _body(state: Account) -> Json:
    available = state.balance_minor + state.granted_minor
    return {
        "account_no": state.account_no,
        "status": state.status,
        "currency": state.currency,
        "site": state.site,
        "group": state.group,
        "balance_minor": state.balance_minor,
        "granted_minor": state.granted_minor,
        "available_minor": available,
        "days_left": days_left(available, sum(state.week)),
        "alert_level": max((p.level for p in state.points), key=INDEX.__getitem__, default="none"),
        "version": state.version,
        "shard": state.shard,
        "service_points": [
            {
                "service_point": point.name,
                "service_kind": point.service_kind,
                "meter_no": point.meter_no,
                "tariff_id": point.tariff_id,
                "policy_id": point.policy_id,
                "tier": _tier(point.position.window_from, point.position.window_to)
                | {"used": decimal_text(int(Fraction(point.position.used, point.position.den)))}
                | _bounds(point.tariff_id, Fraction(point.position.used, point.position.den)),
                "supply": {"intended": point.supply_intended, "actual": point.supply_actual},
                "guaranteed": point.has_guarantee,
                "disputed": point.is_disputed,
                "last_reading_at": rfc3339(point.last_at_us),
                "registers": {
                    name: decimal_text(value) for name, value in point.named_registers().items()
                },
            }
            | _prepaid(point)
            for point in state.points
        ],
    }


def _prepaid(point: Point) -> Json:
    if not point.holds_units:
        return {}
    quantity = sum(held.quantity for held in point.units) - point.overused
    amount = sum(map(worth, point.units)) if quantity > 0 else 0
    return {"prepaid": {"quantity": decimal_text(quantity), "amount_minor": amount}}


def worth(held: facts.UnitsHeld) -> int:
    return sum(line.amount_minor for line in held.lines)


def _tier(window_from: int, window_to: int) -> Json:
    days = [date.fromordinal(day).isoformat() for day in (window_from, window_to)]
    return dict(zip(("window_from", "window_to"), days, strict=True))


def _bounds(tariff_id: str, used: Fraction) -> Json:
    """Tier and next bound by the tariffs of the desk, as they are written there."""
    bounds = {"tiered": [100, 300], "tou": [100], "sold": [50, 350]}.get(tariff_id, [])
    passed = [bound for bound in bounds if used > bound * 1000]
    following = bounds[len(passed) :]
    return {"tier": len(passed) + 1, "next_bound": str(following[0]) if following else None}


def check_totals(desk: Desk, log: list[Recorded]) -> None:
    """What stands above the lists is what counting the open accounts gives."""
    sums: dict[tuple[int, str, str, str], Counter[str]] = defaultdict(Counter)
    money: Counter[str] = Counter()
    for state in folded(log).values():
        if state.status == "open":
            levels = [point.level for point in state.points]
            level = max(levels, key=INDEX.__getitem__, default="none")
            is_off = any(point.supply_intended == "off" for point in state.points)
            sums[state.shard, state.site, state.group, state.currency].update(
                {"accounts": 1, level: 1, "supply_off": is_off, "points": len(state.points)}
            )
            money[state.currency] += state.balance_minor
    names = ("accounts", "points", "supply_off", "remind", "warn", "trip")
    columns = "accounts, service_points, supply_off, remind, warn, trip"
    told = live(desk, "account_totals", f"shard, site, user_group, currency, {columns}")
    assert told == {(*key, *(total[name] for name in names)) for key, total in sums.items()}
    sites = frozenset(site for _, site, _, _ in sums)
    for reach in (Reach(), Reach(sites)):  # from the books; from the accounts
        with desk.engine.execution_options(read_only=True).begin() as connection:
            balances = totals(connection, reach, desk.terms.shards)["balances"]
        assert {one["currency"]: one["balance_minor"] for one in balances} == money
