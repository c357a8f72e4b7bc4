"""The event log on SQLAlchemy Core: one code, two databases, one lock per shard."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine, and_, select

from adapters.store.claims import find_claims
from adapters.store.copying_writer import CopyingWriter
from adapters.store.dialects import is_postgresql
from adapters.store.heads import lock_heads
from adapters.store.late_locking_writer import LateLockingWriter
from adapters.store.log_faults import DRIVER_FAULTS, sqlstate, translated
from adapters.store.log_writer import SqlLogWriter
from adapters.store.patience import bound
from adapters.store.tables import events
from ledger.ports import (
    ClaimKey,
    ConflictError,
    Head,
    LogUnavailableError,
    OutcomeUnknownError,
    Row,
)

READ_BACK_S: Final = 45.0
"""How long a lost COMMIT is asked for: longer than a server keeps a session that fell silent."""
READ_BACK_PAUSE_S: Final = 0.2


class SqlLog:
    """The log of one ledger with `shards` shards."""

    def __init__(self, engine: Engine, shards: int) -> None:
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        self._left: dict[int, Head] = {}
        """The heads as our own last commits left them, or as we found them before the first."""
        self.shards = shards

    @contextmanager
    def write(self, shards: Sequence[int]) -> Iterator[SqlLogWriter]:
        """Begin a write with the heads of `shards` locked, in shard order; commit at the end.

        Raises `ConflictError` when nothing was written because of others and the same again will
        do, `OutcomeUnknownError` when the answer to COMMIT was lost and could not be asked for.
        """
        with translated():
            connection = self._engine.connect()
        with connection:
            with translated():
                bound(connection)
                writer = self._begin(connection, shards)
            try:
                yield writer
                writer.advance_heads()
            except BaseException as error:
                writer.abandon()
                if _is_lost(connection):
                    connection.invalidate()
                    raise ConflictError(f"The connection was lost: {error}") from error
                raise
            self._commit(connection, writer.last_row)
            self._left |= writer.heads | writer.advanced

    def _begin(self, connection: Connection, shards: Sequence[int]) -> SqlLogWriter:
        if is_postgresql(connection):
            connection.begin()
            return CopyingWriter(connection, self.shards, lock_heads(connection, shards))

        def take_lock() -> dict[int, Head]:
            connection.rollback()
            connection.execution_options(read_only=False)
            connection.begin()
            return lock_heads(connection, shards)

        connection.execution_options(read_only=True)
        heads = lock_heads(connection, shards)
        connection.rollback()
        self._left = heads | self._left
        if any(self._left[shard] != head for shard, head in heads.items()):
            # Others write as well: whoever decides without the lock might never be first.
            return LateLockingWriter(connection, self.shards, take_lock(), None)
        return LateLockingWriter(connection, self.shards, heads, take_lock)

    def event(self, shard: int, position: int) -> tuple[str, bytes] | None:
        """Topic and payload at a position."""
        at = and_(events.c.shard == shard, events.c.position == position)
        with translated(), self._reader.begin() as connection:
            bound(connection)
            row = connection.execute(select(events.c.topic, events.c.payload).where(at)).first()
        return None if row is None else (row.topic, row.payload.encode())

    def owners(self, keys: Sequence[ClaimKey]) -> dict[ClaimKey, str]:
        """Who owns which claim."""
        with translated(), self._reader.begin() as connection:
            bound(connection)
            found = find_claims(connection, keys, self.shards)
        return {key: claim.owner for key, claim in found.items()}

    def _commit(self, connection: Connection, last: Row | None) -> None:
        """Commit; where the answer is lost, ask the log, and never send it twice."""
        try:
            connection.commit()
        except DRIVER_FAULTS as error:
            if _is_refusal(connection, error):
                raise LogUnavailableError(f"The database cannot record now: {error}") from error
            if last is None or not self._landed_at_last(last, error):
                raise ConflictError(f"The connection was lost before COMMIT: {error}") from error

    def _landed_at_last(self, row: Row, lost: Exception) -> bool:
        until = time.monotonic() + READ_BACK_S
        while True:
            try:
                return self._landed(row)
            except LogUnavailableError:
                if time.monotonic() > until:
                    raise OutcomeUnknownError(
                        "The connection was lost at COMMIT and the log cannot be asked whether it "
                        "took place; ask again with the same key."
                    ) from lost
            time.sleep(READ_BACK_PAUSE_S)

    def _landed(self, row: Row) -> bool:
        """Whether a row is in the log; waits for a pending COMMIT by taking the head's lock."""
        at = and_(events.c.shard == row.shard, events.c.position == row.position)
        with translated(), self._engine.begin() as connection:
            bound(connection)
            lock_heads(connection, [row.shard])
            found = connection.scalar(select(events.c.leaf_hash).where(at))
            return found is not None and bytes(found) == row.leaf_hash


def _is_refusal(connection: Connection, error: BaseException) -> bool:
    """Whether the database itself said no to COMMIT, so that nothing was written."""
    if connection.dialect.name == "sqlite":
        return True  # It runs in this process: there is no connection to lose.
    return sqlstate(error) is not None and not _is_lost(connection)


def _is_lost(connection: Connection) -> bool:
    """Whether the server is gone from the other end; COPY breaks beneath SQLAlchemy's eyes."""
    if connection.invalidated:
        return True
    closed: int = getattr(connection.connection.dbapi_connection, "closed", 0)
    return closed != 0
