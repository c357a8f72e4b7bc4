"""Rows on their way into the log on a thread of their own: they are written while more are decided.

psycopg2 and sqlite3 let other threads run while the database works.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from queue import SimpleQueue
from typing import Any, Final, Generic, TypeVar

from adapters.store.copy import COLUMNS, SIGNATURE, TRAILER, pack_rows
from ledger.ports import Row

_NAMES: Final = ", ".join(COLUMNS)
_MARKS: Final = f"({', '.join('?' * len(COLUMNS))})"
COPY: Final = f"COPY events ({_NAMES}) FROM STDIN (FORMAT binary)"
_INSERT: Final = f"INSERT INTO events ({_NAMES}) VALUES "  # noqa: S608 - our names
TOGETHER: Final = 500
"""Rows of one INSERT: with one row each, a busy process hands its lock to and fro per row."""
_INSERT_TOGETHER: Final = _INSERT + ", ".join([_MARKS] * TOGETHER)
_INSERT_ONE: Final = _INSERT + _MARKS

Part = TypeVar("Part", bytes, list[tuple[Any, ...]])


class HandingOver(ABC, Generic[Part]):
    """Rows handed over in parts; nothing else may use the connection until it has ended."""

    def __init__(self, cursor: Any) -> None:  # noqa: ANN401 - the driver's own cursor
        self._cursor = cursor
        self._parts: SimpleQueue[Part | None] = SimpleQueue()
        self._fault: BaseException | None = None
        self._begin()
        self._thread = threading.Thread(target=self._run, name="handing-over", daemon=True)
        self._thread.start()

    def _begin(self) -> None:
        """Queue what comes before all rows."""

    @abstractmethod
    def add(self, rows: Sequence[Row]) -> None:
        """Hand at least one row over without waiting."""

    @abstractmethod
    def _finish(self) -> None:
        """Queue what tells the thread that nothing more comes."""

    @abstractmethod
    def _write(self) -> None:
        """Write what is queued until its end (on the thread)."""

    def end(self) -> None:
        """Wait until every row is taken; raises what the database said against them."""
        self._finish()
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def abandon(self) -> None:
        """Break off; the transaction can only be rolled back."""
        self._parts.put(None)
        self._thread.join()

    def _next(self) -> Part:
        part = self._parts.get()
        if part is None:
            raise _AbandonedError
        return part

    def _run(self) -> None:
        try:
            self._write()
        except BaseException as fault:  # noqa: BLE001 - told to whoever waits for the end
            self._fault = fault
        finally:
            with suppress(Exception):
                self._cursor.close()


class Copying(HandingOver[bytes]):
    """One binary COPY of PostgreSQL."""

    def add(self, rows: Sequence[Row]) -> None:
        """Hand rows over without waiting."""
        self._parts.put(pack_rows(rows))

    def read(self, _size: int) -> bytes:
        """What COPY sends next (called by the driver)."""
        return self._next()

    def _finish(self) -> None:
        self._parts.put(TRAILER)
        self._parts.put(b"")

    def _begin(self) -> None:
        self._parts.put(SIGNATURE)

    def _write(self) -> None:
        self._cursor.copy_expert(COPY, self, size=1 << 20)


class Inserting(HandingOver[list[tuple[Any, ...]]]):
    """INSERTs of SQLite."""

    def add(self, rows: Sequence[Row]) -> None:
        """Hand rows over without waiting."""
        self._parts.put([as_texts(row) for row in rows])

    def _finish(self) -> None:
        self._parts.put([])

    def _write(self) -> None:
        while rows := self._next():
            insert_rows(self._cursor, rows)


def insert_rows(cursor: Any, rows: Sequence[tuple[Any, ...]]) -> None:  # noqa: ANN401 - see above
    """Many rows into SQLite's log by few statements."""
    singly = len(rows) % TOGETHER
    for start in range(0, len(rows) - singly, TOGETHER):
        values = tuple(chain.from_iterable(rows[start : start + TOGETHER]))
        cursor.execute(_INSERT_TOGETHER, values)
    if singly:
        cursor.executemany(_INSERT_ONE, rows[len(rows) - singly :])


def as_texts(row: Row) -> tuple[Any, ...]:
    """A row as SQLite's columns hold it."""
    return (*row[:8], row.metadata.decode(), row.payload.decode(), row.salt, row.leaf_hash)


class _AbandonedError(Exception):
    """The rows that were handed over end here."""
