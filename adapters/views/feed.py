"""The feed: log to views, by position, rows and position in one transaction, at its own pace."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, Text, cast, delete, insert, select, text, update
from sqlalchemy.exc import OperationalError

from adapters.store.eras import in_order
from adapters.store.tables import events
from adapters.views.account_totals import kept
from adapters.views.tables import feed_parked, feed_positions
from adapters.views.writer import write_rows
from ledger.events import Recorded
from ledger.events.registry import decode
from ledger.projections import Projection, Row
from ledger.projections.batch import Poison, Unreadable, project
from ledger.projections.catalogue import FeedSpec
from ledger.projections.tail import Tail

Batch = Sequence[Recorded | Unreadable]
COLUMNS: Final = (
    events.c.shard,
    events.c.position,
    cast(events.c.stream_id, Text),  # The driver would make an object of each UUID.
    events.c.version,
    events.c.recorded_at,
    events.c.valid_at,
    events.c.command_id,
    events.c.metadata,
    events.c.topic,
    events.c.payload,
)
"""What an event is decoded from, in the order of `recorded_or_unreadable`."""


def read_batch(connection: Connection, shard: int, after: int, limit: int) -> Batch:
    """Decoded events behind a position, in order; what cannot be decoded is marked."""
    return [recorded_or_unreadable(row) for row in read_rows(connection, shard, after, limit)]


def read_rows(connection: Connection, shard: int, after: int, limit: int) -> Sequence[Any]:
    """The same as rows of `COLUMNS`, not decoded yet."""
    found = connection.execute(
        select(*COLUMNS)
        .where(events.c.shard == shard, events.c.position > after)
        .order_by(events.c.position)
        .limit(limit)
    )
    # The driver's own tuples: wrapping each costs as much as decoding it.
    rows: Sequence[Any] = found.cursor.fetchall()
    return rows


def recorded_or_unreadable(row: Any) -> Recorded | Unreadable:  # noqa: ANN401 - a database row
    """The event of a row of `COLUMNS`, marked where it cannot be decoded."""
    try:
        event = decode(row[8], row[9])
    except Exception as error:  # noqa: BLE001 - the reason is kept, the stream is parked
        return Unreadable(row[0], row[1], row[2], f"{type(error).__name__}: {error}")
    return Recorded(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7].encode(), event)


FIRST_POSITION: Final = text(
    "INSERT INTO feed_positions (shard, feed, position) VALUES (:shard, :feed, 0) "
    "ON CONFLICT DO NOTHING"
)
"""Of two processes that begin a feed at once, one waits for the other."""
POSITION: Final = text("SELECT position FROM feed_positions WHERE shard = :shard AND feed = :feed")


NO_TABLE_OR_RIGHT: Final = "42"
"""PostgreSQL's class of errors of a statement itself."""
OVERFLOW: Final = "integer overflow"
"""What SQLite says of a sum that no integer holds, as if it were broken itself."""


class Feed:
    """Keeps the views of one feed behind the log; of several processes, one at a time acts."""

    def __init__(self, engine: Engine, spec: FeedSpec, tail: Tail | None = None) -> None:
        self.spec = spec
        self.engine = engine
        self._engine = engine.execution_options(derived=True)
        self._reader = engine.execution_options(read_only=True)
        self._tail = tail

    def step(self, shard: int) -> int:
        """Bring one batch into the views; the number of events it held.

        Where a table does not take what the views make of it, the batch is brought in again one
        event after the other, so that only the streams that break are parked.
        """
        try:
            while (taken := self._step_together(shard)) is None:
                pass  # Somebody else has brought the feed on meanwhile.
        except Exception as error:
            if concerns_all(error):
                raise
            return self._step_singly(shard)
        return taken

    def _step_together(self, shard: int) -> int | None:
        """All but writing is done without a lock: most looks find nothing.

        None when what it began from holds no longer under the lock: then nothing is written.
        """
        name = self.spec.name
        with self._reader.begin() as connection:
            position = connection.scalar(POSITION, {"shard": shard, "feed": name}) or 0
            parked = parked_streams(connection, shard, name)
            batch = self._next(connection, shard, position)
        if not batch:
            return 0
        projected = project(self.spec.projections, batch, dict(parked))
        with self._engine.begin() as connection:
            if lock_position(connection, shard, name) != position:
                return None
            if parked_streams(connection, shard, name) != parked:
                return None
            write_all(connection, self.spec.projections, projected.rows)
            if projected.poisons:
                park(connection, shard, name, projected.poisons)
            move_position(connection, shard, name, batch[-1].position)
        self._passed(shard, batch)
        return len(batch)

    def _step_singly(self, shard: int) -> int:
        with self._engine.begin() as connection:
            position = lock_position(connection, shard, self.spec.name)
            batch = self._next(connection, shard, position)
            if batch:
                apply_singly(connection, self.spec, batch)
                move_position(connection, shard, self.spec.name, batch[-1].position)
        self._passed(shard, batch)
        return len(batch)

    def _next(self, connection: Connection, shard: int, position: int) -> Batch:
        batch: Batch = []
        if self._tail is not None:
            batch = self._tail.after(shard, position, self.spec.batch_max)
        return batch or read_batch(connection, shard, position, self.spec.batch_max)

    def _passed(self, shard: int, batch: Batch) -> None:
        if self._tail is not None and batch:
            self._tail.passed(self.spec.name, shard, batch[-1].position)

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
            parked = select(*COLUMNS).where(events.c.position.between(since, position))
            rows = in_order(connection, shard, stream_id, parked)
            batch = [recorded_or_unreadable(row) for row in rows]
            projected = project(self.spec.projections, batch, {})
            if projected.poisons:
                raise StillPoisonedError(projected.poisons[0].reason)
            try:
                write_all(connection, self.spec.projections, projected.rows)
            except Exception as error:
                if concerns_all(error):
                    raise
                raise StillPoisonedError(f"{type(error).__name__}: {error}") from error
            connection.execute(delete(feed_parked).where(of_stream))
            return len(batch)


class StillPoisonedError(Exception):
    """A parked stream still holds an event that cannot be folded."""


def concerns_all(error: Exception) -> bool:
    """Whether the database refuses whatever the row: it is gone or full, a table or right lacks.

    All other ways in which drivers say that a value does not fit concern one stream alone.
    """
    cause = getattr(error, "orig", None)
    if isinstance(error, OperationalError):
        return OVERFLOW not in str(cause)
    return str(getattr(cause, "pgcode", None) or "").startswith(NO_TABLE_OR_RIGHT)


def apply_singly(connection: Connection, spec: FeedSpec, batch: Batch) -> None:
    """Write a batch event by event, each in a savepoint; what cannot be written is poison too."""
    shard = batch[0].shard
    parked = parked_streams(connection, shard, spec.name)
    for item in batch:
        try:
            with connection.begin_nested():
                projected = project(spec.projections, [item], parked)
                write_all(connection, spec.projections, projected.rows)
            poisons = projected.poisons
        except Exception as error:
            if concerns_all(error):
                raise
            poisons = [Poison(item.stream_id, item.position, f"{type(error).__name__}: {error}")]
        if poisons:
            park(connection, shard, spec.name, poisons)
            parked[item.stream_id] = item.position


def write_all(
    connection: Connection, projections: Sequence[Projection], made: Sequence[Sequence[Row]]
) -> None:
    """Rows of each view into its own table."""
    for projection, rows in zip(projections, made, strict=True):
        if rows:
            with kept(connection, projection, rows):
                write_rows(connection, projection, projection.name, rows)


def park(connection: Connection, shard: int, feed: str, poisons: Sequence[Poison]) -> None:
    """Pass streams over from these positions on, until they are unparked."""
    values = [{"shard": shard, "feed": feed, **poison._asdict()} for poison in poisons]
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
    locked = select(feed_positions.c.position).where(here).with_for_update()
    found = connection.scalar(locked)
    if found is None:
        connection.execute(FIRST_POSITION, {"shard": shard, "feed": feed})
        found = connection.execute(locked).scalar_one()
    return int(found)


def move_position(connection: Connection, shard: int, feed: str, position: int) -> None:
    """Say how far a feed has come."""
    here = (feed_positions.c.shard == shard) & (feed_positions.c.feed == feed)
    connection.execute(update(feed_positions).where(here).values(position=position))
