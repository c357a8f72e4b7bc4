"""The feed: log to views, by position, rows and position in one transaction, at its own pace."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from adapters.store.tables import events
from adapters.views.tables import feed_parked, feed_positions
from adapters.views.writer import write_rows
from ledger.events import Recorded
from ledger.events.registry import decode
from ledger.projections import Projection
from ledger.projections.batch import Unreadable, project
from ledger.projections.catalogue import FeedSpec
from ledger.projections.tail import Tail

Batch = Sequence[Recorded | Unreadable]
_COLUMNS: Final = (
    events.c.shard,
    events.c.position,
    events.c.stream_id,
    events.c.version,
    events.c.recorded_at,
    events.c.valid_at,
    events.c.command_id,
    events.c.metadata,
    events.c.topic,
    events.c.payload,
)


def read_batch(connection: Connection, shard: int, after: int, limit: int) -> Batch:
    """Decoded events behind a position, in order; what cannot be decoded is marked."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(events.c.shard == shard, events.c.position > after)
        .order_by(events.c.position)
        .limit(limit)
    )
    return [_recorded(row) for row in rows]


def _recorded(row: Any) -> Recorded | Unreadable:  # noqa: ANN401 - a database row
    try:
        event = decode(row[8], row[9].encode())
    except Exception as error:  # noqa: BLE001 - the reason is kept, the stream is parked
        return Unreadable(row[0], row[1], row[2], f"{type(error).__name__}: {error}")
    return Recorded(
        shard=row[0],
        position=row[1],
        stream_id=row[2],
        version=row[3],
        recorded_at_us=row[4],
        valid_at_us=row[5],
        command_id=row[6],
        metadata=row[7].encode(),
        event=event,
    )


class Feed:
    """Keeps the views of one feed behind the log; of several processes, one at a time acts."""

    def __init__(self, engine: Engine, spec: FeedSpec, tail: Tail | None = None) -> None:
        self.spec = spec
        self._engine = engine
        self._tail = tail

    def step(self, shard: int) -> int:
        """Bring one batch into the views; the number of events it held."""
        with self._engine.begin() as connection:
            position = lock_position(connection, shard, self.spec.name)
            batch: Batch = []
            if self._tail is not None:
                batch = self._tail.after(shard, position, self.spec.batch_max)
            if not batch:
                batch = read_batch(connection, shard, position, self.spec.batch_max)
            if batch:
                apply_batch(connection, self.spec.name, self.spec.projections, batch)
                move_position(connection, shard, self.spec.name, batch[-1].position)
        if self._tail is not None and batch:
            self._tail.passed(self.spec.name, shard, batch[-1].position)
        return len(batch)

    def catch_up(self, shard: int) -> int:
        """Step until the log's end; the number of events brought in."""
        total = 0
        while taken := self.step(shard):
            total += taken
        return total

    def unpark(self, shard: int, stream_id: str) -> int:
        """Fold a parked stream's events in order and let it go on; how many there were.

        Raises the reason again while its first event still cannot be folded.
        """
        with self._engine.begin() as connection:
            position = lock_position(connection, shard, self.spec.name)
            of_stream = (
                (feed_parked.c.shard == shard)
                & (feed_parked.c.feed == self.spec.name)
                & (feed_parked.c.stream_id == stream_id)
            )
            since = connection.scalar(select(feed_parked.c.position).where(of_stream))
            if since is None:
                return 0
            rows = connection.execute(
                select(*_COLUMNS)
                .where(
                    events.c.shard == shard,
                    events.c.stream_id == stream_id,
                    events.c.position.between(since, position),
                )
                .order_by(events.c.version)
            )
            batch = [_recorded(row) for row in rows]
            projected = project(self.spec.projections, batch, {})
            if projected.poisons:
                raise StillPoisonedError(projected.poisons[0].reason)
            for projection, made in zip(self.spec.projections, projected.rows, strict=True):
                write_rows(connection, projection, projection.name, made)
            connection.execute(delete(feed_parked).where(of_stream))
            return len(batch)


class StillPoisonedError(Exception):
    """A parked stream still holds an event that cannot be folded."""


def apply_batch(
    connection: Connection, feed: str, projections: Sequence[Projection], batch: Batch
) -> None:
    """Write what the feed's views make of a batch; park the streams that poison it."""
    shard = batch[0].shard
    projected = project(projections, batch, parked_streams(connection, shard, feed))
    for projection, rows in zip(projections, projected.rows, strict=True):
        if rows:
            write_rows(connection, projection, projection.name, rows)
    if projected.poisons:
        values = [
            {"shard": shard, "feed": feed, **poison._asdict()} for poison in projected.poisons
        ]
        connection.execute(insert(feed_parked), values)


def parked_streams(connection: Connection, shard: int, feed: str) -> dict[str, int]:
    """Streams that a feed passes over, with the position from which on."""
    rows = connection.execute(
        select(feed_parked.c.stream_id, feed_parked.c.position).where(
            feed_parked.c.shard == shard, feed_parked.c.feed == feed
        )
    )
    return {row.stream_id: row.position for row in rows}


def lock_position(connection: Connection, shard: int, feed: str) -> int:
    """Position of a feed, locked until the transaction ends; 0 before its first batch."""
    here = (feed_positions.c.shard == shard) & (feed_positions.c.feed == feed)
    found = connection.scalar(select(feed_positions.c.position).where(here).with_for_update())
    if found is None:
        connection.execute(insert(feed_positions).values(shard=shard, feed=feed, position=0))
        return 0
    return int(found)


def move_position(connection: Connection, shard: int, feed: str, position: int) -> None:
    """Say how far a feed has come."""
    here = (feed_positions.c.shard == shard) & (feed_positions.c.feed == feed)
    connection.execute(update(feed_positions).where(here).values(position=position))
