"""Accrue fixed charges (计提固定费): one event per local day of each point whose meter is silent.

Set-based: many accounts are one work. Running it again charges nothing twice, because a point's
position knows through which day it has paid.
"""

from collections.abc import Sequence
from typing import Final

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.fixed_fees import charge_day, days_due
from ledger.commands import Json
from ledger.store import Context, Ledger, Session
from ledger.values import shard_of, stream_id

ACCOUNTS_MAX: Final = 1_000
"""Accounts of one work."""


def handle(account_nos: Sequence[str], ledger: Ledger, context: Context) -> Json:
    """Charge every due day of these accounts; how many accounts and days there were."""
    days = charged = 0
    for start in range(0, len(account_nos), ACCOUNTS_MAX):
        part = account_nos[start : start + ACCOUNTS_MAX]
        body = ledger.decide(
            lambda session, part=part: _decide(part, session),  # type: ignore[misc]
            context,
            shards={ledger.shard_of(number) for number in part},
            weight=len(part),
            is_bulk=True,
        ).body
        days += body["days"]
        charged += body["accounts"]
    return {"looked_at": len(account_nos), "accounts": charged, "days": days}


def _decide(account_nos: Sequence[str], session: Session) -> Json:
    homes = [
        (shard_of(number, session.shards), stream_id(Account.KIND, number))
        for number in account_nos
    ]
    counts = [_accrue(session, account) for account in session.accounts_at(homes).values()]
    return {"days": sum(counts), "accounts": sum(count > 0 for count in counts)}


def _accrue(session: Session, account: Account) -> int:
    if account.status != "open":
        return 0
    days = sum(_accrue_point(session, account, point) for point in account.points)
    if days:
        session.decide_levels(account, session.now_us)
    return days


def _accrue_point(session: Session, account: Account, point: Point) -> int:
    tariff, version = session.tariff(point.tariff_id)
    days = 0
    for end_us in days_due(point, tariff, session.now_us):
        fact = charge_day(account, point, tariff, version, end_us)
        if fact is not None:
            session.record(account, fact, end_us)
            days += 1
    return days
