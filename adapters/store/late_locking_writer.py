"""A write transaction of SQLite: decided without its one write lock, which is taken to write.

While it is held nobody else can write, so the views of the batch before would have to wait until
the next is decided. That nothing was recorded in between is seen by the heads, under the lock.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection

from adapters.store.inserting import insert_rows
from adapters.store.log_writer import SqlLogWriter
from ledger.ports import ConflictError, Head, Row

Heads = dict[int, Head]


class LateLockingWriter(SqlLogWriter):
    """Takes the lock at the first statement that writes, unless it has it from the start.

    Raises `ConflictError` there when another process has written since the heads were read.
    """

    def __init__(
        self,
        connection: Connection,
        shards: int,
        heads: Heads,
        take_lock: Callable[[], Heads] | None,
    ) -> None:
        super().__init__(connection, shards, heads)
        self._take_lock = take_lock
        self._taken: list[Row] = []

    def _take(self, rows: Sequence[Row]) -> None:
        self._taken += rows

    def _write(self, rows: Sequence[Row]) -> None:
        everything = [*self._taken, *rows]
        self._taken.clear()
        if everything:
            cursor: Any = self._locked.connection.cursor()
            with closing(cursor):
                insert_rows(cursor, everything)

    def abandon(self) -> None:
        """Nothing is under way."""

    @property
    def _locked(self) -> Connection:
        take_lock, self._take_lock = self._take_lock, None
        if take_lock is not None and take_lock() != self.heads:
            raise ConflictError("Another process recorded something in between.")
        return self._shared
