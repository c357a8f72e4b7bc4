"""Rebuild a view beside the live one, from event 1, and swap only when both say the same."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, insert, select, text

from adapters.store.tables import log_heads
from adapters.views.feed import lock_position, parked_streams, read_batch
from adapters.views.tables import create_view, view_versions
from adapters.views.writer import write_rows
from ledger.projections import Projection
from ledger.projections.batch import project
from ledger.projections.catalogue import FeedSpec

READ_MAX = 20_000
SHOWN_MAX = 20
Progress = Callable[[int, int], None]
"""Called with (events folded, events in all)."""


class Difference(NamedTuple):
    """A row that the live view has and the log does not tell (`live`), or the reverse (`log`)."""

    view: str
    side: str
    row: dict[str, Any]


class Rebuilt(NamedTuple):
    """What a rebuild found: events folded, rows made, and how the live view differed."""

    view: str
    events: int
    rows: int
    differences: list[Difference]
    swapped: bool


def rebuild(
    engine: Engine,
    spec: FeedSpec,
    name: str,
    *,
    swap: bool = True,
    accept: bool = False,
    on_progress: Progress = lambda _done, _all: None,
) -> Rebuilt:
    """Build the view anew while the live one goes on; swap at equal position and equal rows.

    A difference keeps the live view as it is unless `accept` says that the new rows are right.
    """
    projection = next(p for p in spec.projections if p.name == name)
    beside = f"{name}__next"
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE IF EXISTS {beside}"))
        create_view(connection, projection, beside)
        heads = connection.execute(select(log_heads.c.shard, log_heads.c.position)).all()
    total = sum(head.position for head in heads)
    shards = sorted(head.shard for head in heads)
    reached = dict.fromkeys(shards, 0)
    for shard in shards:
        while taken := _build_batch(engine, spec.name, projection, beside, shard, reached):
            on_progress(sum(reached.values()), total)
            if taken < READ_MAX:
                break
    with engine.begin() as connection:
        positions = {shard: lock_position(connection, shard, spec.name) for shard in shards}
        for shard in shards:
            while reached[shard] < positions[shard]:
                _fold(connection, spec.name, projection, beside, shard, reached, positions[shard])
        differences = compare(connection, projection, beside)
        rows = connection.scalar(text(f"SELECT count(*) FROM {beside}")) or 0
        is_new_version = _version(connection, name) != projection.version
        do_swap = swap and (accept or not (differences or is_new_version))
        if do_swap:
            connection.execute(text(f"DROP TABLE {name}"))
            connection.execute(text(f"ALTER TABLE {beside} RENAME TO {name}"))
            connection.execute(delete(view_versions).where(view_versions.c.view == name))
            versions = insert(view_versions).values(view=name, version=projection.version)
            connection.execute(versions)
        else:
            connection.execute(text(f"DROP TABLE {beside}"))
    return Rebuilt(name, sum(reached.values()), int(rows), differences, do_swap)


def _build_batch(
    engine: Engine,
    feed: str,
    projection: Projection,
    beside: str,
    shard: int,
    reached: dict[int, int],
) -> int:
    """Fold one batch that the live feed has passed already; how many events it held."""
    with engine.begin() as connection:
        live = lock_position(connection, shard, feed)
        return _fold(connection, feed, projection, beside, shard, reached, live)


def _fold(
    connection: Connection,
    feed: str,
    projection: Projection,
    beside: str,
    shard: int,
    reached: dict[int, int],
    until: int,
) -> int:
    limit = min(READ_MAX, until - reached[shard])
    if limit <= 0:
        return 0
    batch = read_batch(connection, shard, reached[shard], limit)
    parked = parked_streams(connection, shard, feed)
    rows = project((projection,), batch, parked).rows[0]
    if rows:
        write_rows(connection, projection, beside, rows)
    reached[shard] = batch[-1].position
    return len(batch)


def compare(connection: Connection, projection: Projection, other: str) -> list[Difference]:
    """Rows in which the live view and another table of it differ; a few of each side."""
    names = ", ".join(column.name for column in projection.columns)
    sides = (("live", projection.name, other), ("log", other, projection.name))
    differences: list[Difference] = []
    for side, have, lack in sides:
        rows = connection.execute(
            text(f"SELECT {names} FROM {have} EXCEPT SELECT {names} FROM {lack} LIMIT {SHOWN_MAX}")
        )
        differences += [Difference(projection.name, side, dict(row._mapping)) for row in rows]
    return differences


def _version(connection: Connection, name: str) -> int | None:
    return connection.scalar(
        select(func.max(view_versions.c.version)).where(view_versions.c.view == name)
    )
