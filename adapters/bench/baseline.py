"""The yardstick: the very same event rows, straight into a table like the log's, same batches."""

import time
from collections.abc import Iterator, Sequence
from io import BytesIO

from sqlalchemy import Engine, select, text

from adapters.store.copy import COLUMNS, SIGNATURE, TRAILER, pack_rows
from adapters.store.rows import to_row
from adapters.store.tables import events
from ledger.ports import Row

BATCH = 5_000
COPY_TABLE = "events_baseline"


def copy_rate(engine: Engine, after: dict[int, int]) -> float:
    """Rows a second of binary COPY (SQLite: executemany), one commit per batch.

    The rows behind the positions `after` are timed; those before fill the table first, so that its
    indexes are as large as the log's were.
    """
    _make_table(engine)
    rows = seconds = 0.0
    for shard, position in after.items():
        for batch in _batches(engine, shard, 0, position):
            _write(engine, batch)
        for batch in _batches(engine, shard, position, None):
            seconds += _write(engine, batch)
            rows += len(batch)
    return rows / seconds if seconds else 0.0


def _make_table(engine: Engine) -> None:
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"CREATE TABLE {COPY_TABLE} (LIKE events INCLUDING ALL)"))
            return
        ddl = connection.scalars(
            text(
                "SELECT sql FROM sqlite_master WHERE tbl_name = 'events' AND type <> 'trigger' "
                "AND sql IS NOT NULL ORDER BY type DESC"
            )
        )
        for statement in ddl.all():
            connection.execute(text(str(statement).replace("events", COPY_TABLE)))


def _batches(engine: Engine, shard: int, after: int, until: int | None) -> Iterator[list[Row]]:
    position = after
    while until is None or position < until:
        limit = BATCH if until is None else min(BATCH, until - position)
        with engine.execution_options(read_only=True).begin() as connection:
            found = connection.execute(
                select(events)
                .where(events.c.shard == shard, events.c.position > position)
                .order_by(events.c.position)
                .limit(limit)
            ).all()
        if not found:
            return
        yield [to_row(row) for row in found]
        position = found[-1].position


def _write(engine: Engine, batch: Sequence[Row]) -> float:
    """Seconds that a batch takes, its commit included."""
    names = ", ".join(COLUMNS)
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if engine.dialect.name == "postgresql":
            data = BytesIO(b"".join((SIGNATURE, pack_rows(batch), TRAILER)))
            started = time.perf_counter()
            cursor.copy_expert(
                f"COPY {COPY_TABLE} ({names}) FROM STDIN (FORMAT binary)", data, size=1 << 20
            )
            connection.commit()
        else:
            marks = ", ".join("?" * len(COLUMNS))
            rows = [(*r[:8], r[8].decode(), r[9].decode(), r[10], r[11]) for r in batch]
            started = time.perf_counter()
            cursor.execute("BEGIN IMMEDIATE")
            insert = f"INSERT INTO {COPY_TABLE} ({names}) VALUES ({marks})"  # noqa: S608 - our names
            cursor.executemany(insert, rows)
            cursor.execute("COMMIT")
        return time.perf_counter() - started
    finally:
        connection.close()
