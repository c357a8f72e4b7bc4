"""Accounts with a silent meter, for fixed charges that fall due by time alone."""

from collections.abc import Iterator
from typing import Final

import msgspec
from sqlalchemy import Engine, select

from adapters.views.accounts import ACCOUNTS

PAGE_ROWS: Final = 2_000


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
        select(ACCOUNTS.c.account_no, ACCOUNTS.c.status, ACCOUNTS.c.usage)
        .where(ACCOUNTS.c.shard == shard, ACCOUNTS.c.account_no > after)
        .order_by(ACCOUNTS.c.account_no)
        .limit(PAGE_ROWS)
    )
    with engine.execution_options(read_only=True).begin() as connection:
        rows = connection.execute(statement).all()
    silent = [
        row.account_no
        for row in rows
        if row.status == "open" and _last_read_us(row.usage) <= before_us
    ]
    return silent, rows[-1].account_no if len(rows) == PAGE_ROWS else None


def _last_read_us(usage: str | dict[str, list[object]]) -> int:
    """Time of the reading that is the longest ago, of all points; far ahead without points."""
    points = msgspec.json.decode(usage) if isinstance(usage, str) else usage
    return min((int(str(point[0])) for point in points.values()), default=2**62)
