"""Rows of the log, read by position in pages: a log of any size in little memory."""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Engine, select

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
    condition = [events.c.shard == shard, *where]
    order: ColumnElement[int] = events.c.position
    if stream is not None:  # Versions follow positions, and there is an index on them.
        condition.append(events.c.stream_id == stream)
        order = events.c.version
    while True:
        page = select(events).where(*condition, events.c.position > after)
        with reader.begin() as connection:
            rows = connection.execute(page.order_by(order).limit(PAGE_ROWS)).all()
        yield from map(to_row, rows)
        if len(rows) < PAGE_ROWS:
            return
        after = rows[-1].position
