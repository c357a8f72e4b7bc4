"""The views reckoned by hand from every event of the log: slow, plain, and by other ways."""

# size: one reckoning of all views stands on one page, because none of it uses the engine.

from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction
from math import floor
from typing import Any, Final

from ledger.events import Recorded
from ledger.events import account as facts
from ledger.events.meter import QuarantineSettled, ReadingQuarantined
from ledger.values import instant
from tests.harness.desk import TIMEZONE, Desk
from tests.harness.reckoned_accounts import check_accounts, check_totals, folded, live, worth
from tests.harness.reckoned_days import check_days

DAY_US: Final = 86_400_000_000


def check_all(desk: Desk) -> None:
    """Every view says what its events add up to."""
    log = desk.recorded()
    check_accounts(desk, log)
    check_totals(desk, log)
    check_statements(desk, log)
    check_days(desk, log)
    check_energy(desk, log)
    check_journal(desk, log)
    check_tax(log)
    check_alerts(desk, log)
    check_quarantine(desk, log)


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
                    units_bought=sign * worth(item.event.units),
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
    columns = ", ".join(f"CAST(SUM({name}_minor) AS BIGINT)" for name in names)
    by_month = "statements GROUP BY account_no, month"
    assert live(desk, by_month, f"account_no, month, {columns}") == expected
    _check_wallets(log, sums)


def _by_units(event: Any) -> int:  # noqa: ANN401 - of what was rated
    units = getattr(event, "units", None)
    return 0 if units is None else int(units.paid_minor)


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
            expected["2205/units"] -= sum(map(worth, point.units))
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
