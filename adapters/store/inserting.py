"""Rows into SQLite's log, many a statement: with one row each, a process hands its lock to and fro.

sqlite3 lets other threads run while a statement works.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from adapters.store.copy import COLUMNS
from ledger.ports import Row

TOGETHER: Final = 500
_INSERT: Final = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES "  # noqa: S608 - our names
_MARKS: Final = f"({', '.join('?' * len(COLUMNS))})"
_INSERT_ONE: Final = _INSERT + _MARKS
_INSERT_TOGETHER: Final = _INSERT + ", ".join([_MARKS] * TOGETHER)


def insert_rows(cursor: Any, rows: Sequence[Row]) -> None:  # noqa: ANN401 - the driver's own
    """Write events beneath SQLAlchemy, in their order."""
    singly = len(rows) % TOGETHER
    for start in range(0, len(rows) - singly, TOGETHER):
        values = map(_texts, rows[start : start + TOGETHER])
        cursor.execute(_INSERT_TOGETHER, tuple(chain.from_iterable(values)))
    if singly:
        cursor.executemany(_INSERT_ONE, map(_texts, rows[-singly:]))


def _texts(row: Row) -> tuple[Any, ...]:
    return (*row[:8], row.metadata.decode(), row.payload.decode(), row.salt, row.leaf_hash)
