"""The views reckoned by hand from every event of the log: slow, plain, and by other ways."""

# size: one reckoning of all views stands on one page, because none of it uses the engine.

from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction
from math import floor
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
from ledger.events.meter import QuarantineSettled, ReadingQuarantined
from ledger.values import instant, rfc3339
from tests.harness.desk import TIMEZONE, Desk, Json

DAY_US: Final = 86_400_000_000


def live(desk: Desk, view: str, columns: str) -> set[tuple[Any, ...]]:
    """Some columns of every row of a view."""
    with desk.engine.execution_options(read_only=True).begin() as connection:
        return {tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {view}"))}


def check_all(desk: Desk) -> None:
    """Every view says what its events add up to."""
    log = desk.recorded()
    check_accounts(desk, log)
    check_totals(desk, log)
    check_statements(desk, log)
    check_energy(desk, log)
    check_journal(desk, log)
    check_tax(log)
    check_alerts(desk, log)
    check_quarantine(desk, log)


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
    amount = sum(map(_worth, point.units)) if quantity > 0 else 0
    return {"prepaid": {"quantity": decimal_text(quantity), "amount_minor": amount}}


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


def check_statements(desk: Desk, log: list[Recorded]) -> None:
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for item in log:
        match item.event:
            case facts.ChargeCorrected() | facts.FixedFeeCharged():
                month = date.fromordinal(item.event.day).isoformat()[:7]
                moved = {
                    "charged": item.event.amount_minor,
                    "granted_used": item.event.granted_used_minor,
                    "units_used": _by_units(item.event),
                }
                sums[item.event.account_no, month].update(moved)
                continue
            case facts.AccountCharged(account_no=no, amount_minor=amount, granted_used_minor=used):
                # A midnight closes the day before.
                month = f"{instant(item.valid_at_us - 1).astimezone(TIMEZONE):%Y-%m}"
                units = _by_units(item.event)
                sums[no, month].update(charged=amount, granted_used=used, units_used=units)
                continue
            case facts.UnitsSold(lines=lines) | facts.UnitsReturned(lines=lines):
                sign = 1 if isinstance(item.event, facts.UnitsSold) else -1
                month = date.fromordinal(item.event.day).isoformat()[:7]
                sums[item.event.account_no, month].update(
                    charged=sum(line.amount_minor for line in lines),
                    units_bought=sign * _worth(item.event.units),
                )
                continue
            case facts.AccountCredited(account_no=no, amount_minor=amount):
                moved = {"recharged": amount}
            case facts.CreditReversed(account_no=no, amount_minor=amount):
                moved = {"reversed": amount}
            case facts.AccountAdjusted(account_no=no, amount_minor=amount, wallet=wallet):
                moved = {"adjusted" if wallet == "paid" else "granted": amount}
            case _:
                continue
        sums[no, f"{instant(item.valid_at_us).astimezone(TIMEZONE):%Y-%m}"].update(moved)
    names = (
        "recharged", "reversed", "charged", "adjusted", "granted", "granted_used", "units_bought",
        "units_used",
    )  # fmt: skip
    expected = {
        (no, month, *(total[name] for name in names)) for (no, month), total in sums.items()
    }
    columns = ", ".join(f"{name}_minor" for name in names)
    assert live(desk, "statements", f"account_no, month, {columns}") == expected
    _check_wallets(log, sums)


def _by_units(event: Any) -> int:  # noqa: ANN401 - of what was rated
    units = getattr(event, "units", None)
    return 0 if units is None else int(units.paid_minor)


def _worth(held: facts.UnitsHeld) -> int:
    return sum(line.amount_minor for line in held.lines)


def _check_wallets(log: list[Recorded], sums: dict[tuple[str, str], "Counter[str]"]) -> None:
    """The opening of a month and its movements are the opening of the next; the last is now."""
    for account_no, state in folded(log).items():
        balance = granted = 0
        for month in sorted(month for no, month in sums if no == account_no):
            moved = sums[account_no, month]
            balance += moved["recharged"] - moved["reversed"] + moved["adjusted"]
            balance -= moved["charged"] - moved["granted_used"] - moved["units_used"]
            balance -= moved["units_bought"]
            granted += moved["granted"] - moved["granted_used"]
        assert (balance, granted) == (state.balance_minor, state.granted_minor)


def check_energy(desk: Desk, log: list[Recorded]) -> None:
    expected: Counter[tuple[str, str, str, str]] = Counter()
    for item in log:
        if isinstance(item.event, facts.AccountCharged):
            for register, (_, _, quantity) in item.event.registers.items():
                for day, share in _days(item.event.from_us, item.valid_at_us, quantity):
                    expected[item.event.account_no, item.event.point, register, day] += share
        if isinstance(item.event, facts.ChargeCorrected):
            no, name = item.event.account_no, item.event.point
            for sign, changed in ((-1, item.event.replaced), (1, item.event.intervals)):
                for each in changed:
                    for register, (_, _, quantity) in each.registers.items():
                        for day, share in _days(each.from_us, each.to_us, quantity):
                            expected[no, name, register, day] += sign * share
    rows = live(desk, "energy_by_day", "account_no, point, register, day, quantity")
    assert {row for row in rows if row[-1]} == {
        (*key, quantity) for key, quantity in expected.items() if quantity
    }


def _days(from_us: int, to_us: int, quantity: int) -> list[tuple[str, int]]:
    """Each day's whole units: what the line has reached by its end, less what was given."""
    zone_us = 8 * 3_600_000_000
    start, end = from_us + zone_us, to_us + zone_us
    shares, given = [], 0
    for number in range(start // DAY_US, max(start, end - 1) // DAY_US + 1):
        reached = quantity
        if (number + 1) * DAY_US < end:
            reached = int(Fraction(quantity * ((number + 1) * DAY_US - start), end - start))
        shares.append((date.fromordinal(719_163 + number).isoformat(), reached - given))
        given = reached
    return shares


def check_journal(desk: Desk, log: list[Recorded]) -> None:
    """Totals of every ledger account, from the wallets and the lines and not from postings."""
    expected: Counter[str] = Counter()
    for state in folded(log).values():
        expected["2205"] -= max(state.balance_minor, 0)
        expected["1122"] -= min(state.balance_minor, 0)
        for point in state.points:
            expected["2205/units"] -= sum(map(_worth, point.units))
    for item in log:
        match item.event:
            case facts.AccountCredited(channel=channel, amount_minor=amount):
                expected[f"1012/{channel}"] += amount
            case facts.CreditReversed(channel=channel, amount_minor=amount):
                expected[f"1012/{channel}"] -= amount
            case facts.AccountAdjusted(wallet="paid", amount_minor=amount):
                expected["6711"] += amount
            case (
                facts.AccountCharged(granted_used_minor=used, lines=lines)
                | facts.ChargeCorrected(granted_used_minor=used, lines=lines)
                | facts.FixedFeeCharged(granted_used_minor=used, lines=lines)
            ):
                expected["6601"] += used
                expected["2221"] -= sum(line.vat_minor for line in lines)
                expected["6001"] -= sum(line.amount_minor - line.vat_minor for line in lines)
            case facts.UnitsSold(lines=lines) | facts.UnitsReturned(lines=lines):
                fees = [line for line in lines if line.id == "channel_fee"]
                expected["2241.02/channel_fee"] -= sum(line.amount_minor for line in fees)
                lines = tuple(line for line in lines if line not in fees)
                expected["2221"] -= sum(line.vat_minor for line in lines)
                expected["6001"] -= sum(line.amount_minor - line.vat_minor for line in lines)
            case _:
                pass
    told: Counter[str] = Counter()
    rows = live(
        desk, "journal_totals", "day, shard, ledger_account, currency, debit_minor - credit_minor"
    )
    for _, _, account, currency, net in rows:
        assert currency == "CNY"
        told[account] += net
    assert sum(told.values()) == 0
    assert {no: net for no, net in told.items() if net} == {
        no: net for no, net in expected.items() if net
    }


def check_tax(log: list[Recorded]) -> None:
    """VAT of an account's month is that of the month's total; a month that has begun stays open."""
    gross: Counter[tuple[str, str, tuple[int, int]]] = Counter()
    vat: Counter[tuple[str, str, tuple[int, int]]] = Counter()
    open_months: dict[str, str] = {}
    for item in log:
        rated = facts.AccountCharged | facts.ChargeCorrected | facts.FixedFeeCharged
        if isinstance(item.event, rated | facts.UnitsSold | facts.UnitsReturned):
            account_no = item.event.account_no
            month = date.fromordinal(item.event.day).isoformat()[:7]
            for line in item.event.lines:
                month = open_months[account_no] = max(month, open_months.get(account_no, ""))
                gross[account_no, month, line.vat_rate] += line.amount_minor
                vat[account_no, month, line.vat_rate] += line.vat_minor
    for (account_no, month, (part, whole)), total in gross.items():
        exact = Fraction(total * part, whole + part)
        assert vat[account_no, month, (part, whole)] == closest_minor(exact)


def closest_minor(exact: Fraction) -> int:
    """Half up, away from zero: the rounding of the books, told independently of the engine."""
    return floor(exact + Fraction(1, 2)) if exact >= 0 else -floor(-exact + Fraction(1, 2))


def check_alerts(desk: Desk, log: list[Recorded]) -> None:
    expected: dict[tuple[str, str], tuple[str, int]] = {}
    for item in log:
        event: Any = item.event
        if hasattr(event, "trace"):
            expected[event.account_no, event.point] = (event.trace.level_after, item.position)
        elif isinstance(event, facts.ServicePointRemoved):
            expected[event.account_no, event.point] = ("none", item.position)
    rows = live(desk, "alerts", "account_no, point, level, position")
    assert rows == {(*key, *value) for key, value in expected.items()}


def check_quarantine(desk: Desk, log: list[Recorded]) -> None:
    settled = {
        (item.shard, item.event.item): item.event.outcome
        for item in log
        if isinstance(item.event, QuarantineSettled)
    }
    rows = live(desk, "quarantine", "shard, position, meter_no, at_us, code, settled")
    assert rows == {
        (
            item.shard,
            item.position,
            item.event.meter_no,
            item.valid_at_us,
            item.event.code,
            settled.get((item.shard, item.position)),
        )
        for item in log
        if isinstance(item.event, ReadingQuarantined)
    }
