"""The daily report reckoned by hand: wallets after the last fact of a day, and what lay between."""

from collections import Counter, defaultdict
from typing import Any, NamedTuple

from adapters.views.queries import SqlQueries
from ledger.events import Recorded
from ledger.events import account as facts
from ledger.queries import DailyAsked
from ledger.values import instant
from tests.harness.desk import TIMEZONE, Desk
from tests.harness.reckoned_accounts import live

Json = dict[str, Any]
CUSTOMERS = {"2205", "1122"}


class Booked(NamedTuple):
    """A fact of an account on the day it was recorded."""

    day: str
    account_no: str
    event: Any


def check_days(desk: Desk, log: list[Recorded]) -> None:
    """Every day and the span of all of them, against the log and against the journal."""
    events: list[tuple[str, Any]] = [(_day(item), item.event) for item in log]
    booked = [
        Booked(day, event.account_no, event)
        for day, event in events
        if hasattr(event, "balance_after_minor")
    ]
    days = sorted({each.day for each in booked if not _is_silent(each.event)})
    for first, last in [*((day, day) for day in days), (days[0], days[-1])] if days else ():
        rows = report(desk, first, last)
        _check_wallets(rows, booked, first, last)
        _check_sums(rows, booked, first, last)
        _check_books(desk, rows, first, last)
        _check_total(desk, rows, first, last)


def report(desk: Desk, first: str, last: str, **asked: Any) -> dict[str, Json]:  # noqa: ANN401 - as it is asked
    """Rows of the daily report by account, gathered from pages of two."""
    queries = SqlQueries(desk.engine, desk.terms)
    rows: dict[str, Json] = {}
    cursor = None
    while True:
        page = queries.daily(DailyAsked(first, last, cursor=cursor, limit=2, **asked))
        found = {row["account_no"]: row for row in page.items}
        assert not found.keys() & rows.keys()
        rows |= found
        cursor = page.cursor
        if cursor is None:
            return rows


def _check_wallets(rows: dict[str, Json], booked: list[Booked], first: str, last: str) -> None:
    """Opening and closing are what the facts themselves say that the wallets held."""
    opening, closing = _held(booked, lambda day: day < first), _held(booked, lambda d: d <= last)
    told = {number: closing[number] for number in rows}
    assert {
        number: (row["closing_minor"], row["granted_closing_minor"]) for number, row in rows.items()
    } == told
    assert {
        number: (row["opening_minor"], row["granted_opening_minor"]) for number, row in rows.items()
    } == {number: opening.get(number, (0, 0)) for number in rows}
    assert all(held == (0, 0) for number, held in closing.items() if number not in rows)


def _check_sums(rows: dict[str, Json], booked: list[Booked], first: str, last: str) -> None:
    """Each column is the plain sum over the facts; opening and movements make the closing."""
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for day, account_no, event in booked:
        if first <= day <= last:
            expected[account_no].update(_moves(event))
    for number, row in rows.items():
        moved = expected.pop(number, Counter())
        names = [name for name in row if name.endswith("_minor") and "ing" not in name]
        assert {name: row[name] for name in names} == {name: moved[name] for name in names}
        assert milli(row["quantity_kwh"]) == moved["wh"]
        assert milli(row["quantity_m3"]) == moved["l"]
        assert row["closing_minor"] - row["opening_minor"] == (
            row["recharged_minor"] - row["reversed_minor"] + row["adjusted_minor"]
            - row["charged_minor"] + row["granted_used_minor"] + row["units_used_minor"]
            - row["units_bought_minor"]
        )  # fmt: skip
    assert not [number for number, moved in expected.items() if any(moved.values())]


def _check_books(desk: Desk, rows: dict[str, Json], first: str, last: str) -> None:
    """What all accounts moved is what the journal booked on the same days."""
    net: Counter[str] = Counter()
    of_day = live(desk, "journal_totals", "shard, day, ledger_account, debit_minor, credit_minor")
    for _, day, account, debit, credit in of_day:
        if first <= day <= last:
            net["customers" if account in CUSTOMERS else account] += credit - debit
    total: Counter[str] = Counter()
    for row in rows.values():
        total.update({name: row[name] for name in row if name.endswith("_minor")})
    assert net["customers"] == total["closing_minor"] - total["opening_minor"]
    assert net["2205/units"] == total["units_bought_minor"] - total["units_used_minor"]
    assert -net["6601"] == total["granted_used_minor"]
    assert -net["6711"] == total["adjusted_minor"]
    channels = sum(amount for account, amount in net.items() if account.startswith("1012/"))
    assert -channels == total["recharged_minor"] - total["reversed_minor"]
    earned = ("6001", "2221", "2241.02")
    charged = sum(amount for account, amount in net.items() if account.startswith(earned))
    assert charged == total["charged_minor"]


def _check_total(desk: Desk, rows: dict[str, Json], first: str, last: str) -> None:
    """What is told of all together is the sum of what is told of each."""
    queries = SqlQueries(desk.engine, desk.terms)
    (told,) = queries.daily_sums(DailyAsked(first, last))
    assert told["accounts"] == len(rows)
    for name in (name for name in told if name.endswith("_minor")):
        assert told[name] == sum(row[name] for row in rows.values())
    for name in ("quantity_kwh", "quantity_m3"):
        assert milli(told[name]) == sum(milli(row[name]) for row in rows.values())


def milli(text: str) -> int:
    """Wh or litres of a decimal in kWh or m³."""
    whole, _, part = text.partition(".")
    sign = -1 if whole.startswith("-") else 1
    return int(whole) * 1_000 + sign * int(part.ljust(3, "0")[:3] or 0)


def _held(booked: list[Booked], is_then: Any) -> dict[str, tuple[int, int]]:  # noqa: ANN401 - a predicate of days
    return {
        number: (event.balance_after_minor, event.granted_after_minor)
        for day, number, event in booked
        if is_then(day)
    }


def _moves(event: Any) -> Counter[str]:  # noqa: ANN401 - a fact that moves money
    match event:
        case facts.AccountCredited(amount_minor=amount):
            return Counter(recharged_minor=amount)
        case facts.CreditReversed(amount_minor=amount):
            return Counter(reversed_minor=amount)
        case facts.AccountAdjusted(amount_minor=amount, wallet=wallet):
            return Counter({"adjusted_minor" if wallet == "paid" else "granted_minor": amount})
        case (
            facts.UnitsSold(lines=lines, units=units)
            | facts.UnitsReturned(lines=lines, units=units)
        ):
            sign = 1 if isinstance(event, facts.UnitsSold) else -1
            return Counter(
                charged_minor=sum(line.amount_minor for line in lines),
                units_bought_minor=sign * sum(line.amount_minor for line in units.lines),
            )
        case facts.AccountClosed():
            return Counter()
        case _:
            return _rated(event)


def _rated(event: Any) -> Counter[str]:  # noqa: ANN401 - a fact that charges
    moved = Counter(charged_minor=event.amount_minor, granted_used_minor=event.granted_used_minor)
    if not isinstance(event, facts.FixedFeeCharged):
        moved["units_used_minor"] = 0 if event.units is None else event.units.paid_minor
        one = isinstance(event, facts.AccountCharged)
        signed = [(event, 1)] if one else [(each, 1) for each in event.intervals]
        signed += [] if one else [(each, -1) for each in event.replaced]
        for interval, sign in signed:
            moved[event.unit] += sign * sum(count for _, _, count in interval.registers.values())
    return moved


def _is_silent(event: Any) -> bool:  # noqa: ANN401 - a fact of an account
    """A closing says what is left, which is nothing, and moves nothing."""
    return isinstance(event, facts.AccountClosed)


def _day(item: Recorded) -> str:
    return f"{instant(item.recorded_at_us).astimezone(TIMEZONE):%Y-%m-%d}"
