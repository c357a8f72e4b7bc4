"""The feed: log to views, by position, rows and position in one transaction, at its own pace."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import OperationalError

from adapters.store.eras import in_order
from adapters.store.tables import events
from adapters.views.account_totals import kept
from adapters.views.stretch import COLUMNS, Batch, Stretch, fold, read_stretch
from adapters.views.tables import feed_parked, feed_positions
from adapters.views.writer import write_rows
from ledger.projections import Projection, Row
from ledger.projections.batch import Poison, project
from ledger.projections.catalogue import FeedSpec
from ledger.projections.tail import Tail

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
            stretch = self._next(connection, shard, position)
        if not stretch:
            return 0
        projected = fold(self.spec.projections, stretch, parked)
        with self._engine.begin() as connection:
            if lock_position(connection, shard, name) != position:
                return None
            if parked_streams(connection, shard, name) != parked:
                return None
            write_all(connection, self.spec.projections, projected.rows)
            if projected.poisons:
                park(connection, shard, name, projected.poisons)
            move_position(connection, shard, name, stretch.position)
        self._passed(shard, stretch)
        return len(stretch)

    def _step_singly(self, shard: int) -> int:
        with self._engine.begin() as connection:
            position = lock_position(connection, shard, self.spec.name)
            stretch = self._next(connection, shard, position)
            if stretch:
                apply_singly(connection, self.spec, stretch.whole())
                move_position(connection, shard, self.spec.name, stretch.position)
        self._passed(shard, stretch)
        return len(stretch)

    def _next(self, connection: Connection, shard: int, position: int) -> Stretch:
        if self._tail is not None:
            recent = self._tail.after(shard, position, self.spec.batch_max)
            if recent:
                return Stretch(recorded=recent)
        return read_stretch(connection, shard, position, self.spec.batch_max)

    def _passed(self, shard: int, stretch: Stretch) -> None:
        if self._tail is not None and stretch:
            self._tail.passed(self.spec.name, shard, stretch.position)

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
            stretch = Stretch(rows=[*in_order(connection, shard, stream_id, parked)])
            projected = fold(self.spec.projections, stretch, {})
            if projected.poisons:
                raise StillPoisonedError(projected.poisons[0].reason)
            try:
                write_all(connection, self.spec.projections, projected.rows)
            except Exception as error:
                if concerns_all(error):
                    raise
                raise StillPoisonedError(f"{type(error).__name__}: {error}") from error
            connection.execute(delete(feed_parked).where(of_stream))
            return len(stretch)


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
