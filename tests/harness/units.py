"""Accounts that hold prepaid units: their books, and what must hold of them at any time."""

from collections import Counter

from ledger.aggregates.account import Point
from ledger.projections.postings import LIABILITY, RECEIVABLE, UNITS, postings
from tests.harness.desk import Desk, point
from tests.harness.documents import sold
from tests.harness.reckoning import check_all


def opened(desk: Desk) -> Desk:
    """A1 buys units for its meter M1."""
    desk.publish(sold())
    desk.open("A1", point("M1", "sold"))
    return desk


def held(desk: Desk, account_no: str = "A1") -> Point:
    """The only point of an account."""
    return desk.account(account_no).points[0]


def books(desk: Desk) -> Counter[str]:
    """Every ledger account by the postings of all facts, each of which is balanced."""
    totals: Counter[str] = Counter()
    for item in desk.recorded():
        entries = postings(item.event)
        assert sum(amount for _, amount in entries) == 0
        for account, amount in entries:
            totals[account] += amount
    return totals


def check(desk: Desk) -> None:
    """The books hold what the accounts hold, nothing is found wrong, views say the same."""
    totals = books(desk)
    numbers = {getattr(item.event, "account_no", "") for item in desk.recorded()} - {""}
    accounts = [desk.account(number) for number in numbers]
    assert -totals[LIABILITY] == sum(max(each.balance_minor, 0) for each in accounts)
    assert totals[RECEIVABLE] == sum(max(-each.balance_minor, 0) for each in accounts)
    points = [each for account in accounts for each in account.points]
    lines = [line for each in points for units in each.units for line in units.lines]
    assert -totals[UNITS] == sum(line.amount_minor for line in lines)
    assert desk.views.verify() == []
    desk.views.catch_up()
    check_all(desk)
