"""Accounts with a silent meter, for fixed charges that fall due by time alone."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from sqlalchemy import Engine, select

from adapters.views.accounts import ACCOUNTS

PAGE_ROWS: Final = 2_000
Told = str | dict[str, Any]
"""A JSON column: text on SQLite, an object on PostgreSQL."""


def silent_accounts(engine: Engine, shards: int, before_us: int) -> Iterator[list[str]]:
    """Open accounts with a point that was not read since a time, page by page."""
    for shard in range(shards):
        after: str | None = ""
        while after is not None:
            found, after = _page(engine, shard, after, before_us)
            if found:
                yield found


def _page(engine: Engine, shard: int, after: str, before_us: int) -> tuple[list[str], str | None]:
    statement = (
        select(ACCOUNTS.c.account_no, ACCOUNTS.c.status, ACCOUNTS.c.usage, ACCOUNTS.c.supply)
        .where(ACCOUNTS.c.shard == shard, ACCOUNTS.c.account_no > after)
        .order_by(ACCOUNTS.c.account_no)
        .limit(PAGE_ROWS)
    )
    with engine.execution_options(read_only=True).begin() as connection:
        rows = connection.execute(statement).all()
    silent = [
        row.account_no
        for row in rows
        if row.status == "open" and _last_read_us(row.usage, row.supply) <= before_us
    ]
    return silent, rows[-1].account_no if len(rows) == PAGE_ROWS else None


def _last_read_us(usage: Told, supply: Told) -> int:
    """Time of the reading that is the longest ago, of all points; far ahead without points."""
    last, points = _object(usage), _object(supply)
    return min((int(str(last[name][0])) for name in points), default=2**62)


def _object(told: Told) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(told) if isinstance(told, str) else told
    return found
