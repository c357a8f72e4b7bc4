"""Loading a new table of a view from runs: every key once, in order, and the index at the end."""

# ruff: noqa: S608 - statements are made of the names that projections declare

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from adapters.store.dialects import is_postgresql
from adapters.views.cells import ABSENT, text_of
from adapters.views.runs import Run, Stream, merged
from adapters.views.tables import create_view, index_view
from adapters.views.workers import Counted
from ledger.projections import Column, View

ROWS_OF_COMMIT: Final = 20_000
"""SQLite has one writer: others shall not wait for the whole table."""
_ROOM_TO_SORT: Final = "SET LOCAL maintenance_work_mem = '256MB'"


def load_view(engine: Engine, counted: Counted, job: tuple[View, str, Sequence[Run]]) -> None:
    """Make a table of a view that holds what the runs add up to."""
    view, table, runs = job
    lines = _counting(merged(view, runs), counted)
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
        create_view(connection, view, table, is_indexed=not is_postgresql(connection))
        if is_postgresql(connection):
            _copy(connection, view, table, lines)
            connection.execute(text(_ROOM_TO_SORT))
            index_view(connection, view, table)
            return
    for rows in _in_parts(view, lines):
        with engine.execution_options(derived=True).begin() as connection:
            _insert(connection, view, table, rows)


def _counting(lines: Iterator[bytes], counted: Counted) -> Iterator[bytes]:
    for number, line in enumerate(lines, start=1):
        yield line
        if number % ROWS_OF_COMMIT == 0:
            counted(ROWS_OF_COMMIT)


def _copy(connection: Connection, view: View, table: str, lines: Iterator[bytes]) -> None:
    names = ", ".join(column.name for column in view.columns)
    with closing(connection.connection.cursor()) as cursor:
        # Frozen: nobody else sees the table yet, and nobody has to touch its rows once more.
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FREEZE)", Stream(lines))


def _in_parts(view: View, lines: Iterator[bytes]) -> Iterator[list[tuple[Any, ...]]]:
    while part := [_values(view.columns, line) for line in islice(lines, ROWS_OF_COMMIT)]:
        yield part


def _values(columns: Sequence[Column], line: bytes) -> tuple[Any, ...]:
    cells = line[:-1].decode().split("\t")
    return tuple(
        None if cell == ABSENT else int(cell) if column.kind == "int" else text_of(cell)
        for column, cell in zip(columns, cells, strict=True)
    )


def _insert(
    connection: Connection, view: View, table: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    names = ", ".join(column.name for column in view.columns)
    marks = ", ".join("?" * len(view.columns))
    with closing(connection.connection.cursor()) as cursor:
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
