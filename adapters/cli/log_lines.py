"""Rows of the log, read by position in pages: a log of any size in little memory."""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Engine, select

from adapters.store.eras import in_order
from adapters.store.rows import to_row
from adapters.store.tables import events
from ledger.ports import Row

PAGE_ROWS: Final = 2_000


def log_rows(
    engine: Engine,
    shard: int,
    where: Sequence[ColumnElement[bool]] = (),
    after: int = 0,
    stream: str | None = None,
) -> Iterator[Row]:
    """Rows of a shard, or of one stream of it, behind a position and in order."""
    reader = engine.execution_options(read_only=True)
    position = events.c.position
    while True:
        page = select(events).where(*where, position > after)
        with reader.begin() as connection:
            if stream is None:
                of_shard = page.where(events.c.shard == shard).order_by(position)
                rows = list(connection.execute(of_shard.limit(PAGE_ROWS)))
            else:
                rows = list(in_order(connection, shard, stream, page, limit=PAGE_ROWS))
        yield from map(to_row, rows)
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].position
