"""Two tables of a view: whether they hold the same rows, and a few in which they differ."""

# ruff: noqa: S608 - statements are made of the names that projections declare

from typing import Any, Final

from sqlalchemy import Connection, text

from adapters.store.dialects import is_postgresql
from adapters.views.folding import Difference
from ledger.projections import View, key_columns

SHOWN_MAX: Final = 20
_ROOM_TO_JOIN: Final = """SELECT set_config('work_mem', '256MB', true),
set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)"""
Sides = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def compare(connection: Connection, view: View, other: str) -> list[Difference]:
    """Rows in which the live view and another table of it differ; a few of each side."""
    if not is_postgresql(connection):
        pairs = _subtracted(connection, view, other)
    elif _digest(connection, view, view.name) == _digest(connection, view, other):
        return []
    else:
        pairs = _joined(connection, view, other)
    sides = zip(("live", "log"), pairs, strict=True)
    return [Difference(view.name, side, row) for side, rows in sides for row in rows]


def _digest(connection: Connection, view: View, table: str) -> tuple[Any, ...]:
    """The number of rows and the sum of their hashes: one look at each row, in any order.

    Two hashes of 64 bits: other rows by accident have the same once in 10^38.
    """
    row = f"ROW({', '.join(column.name for column in view.columns)})"
    sums = ", ".join(f"sum(hash_record_extended({row}, {seed}))" for seed in (1, 2))
    found = connection.execute(text(f"SELECT count(*), {sums} FROM {table}"))
    return tuple(found.one())


def _joined(connection: Connection, view: View, other: str) -> Sides:
    """Both sides in one pass: sorting millions of rows for each would take longer than folding."""
    connection.execute(text(_ROOM_TO_JOIN))
    names = [column.name for column in view.columns]
    live, log = ([f"{side}.{name}" for name in names] for side in ("live", "log"))
    keys = key_columns(view)
    match = " AND ".join(f"live.{key} = log.{key}" for key in keys)
    found = connection.execute(
        text(
            f"SELECT {', '.join(live + log)} "
            f"FROM {view.name} live FULL JOIN {other} log ON {match} "
            f"WHERE ({', '.join(live)}) IS DISTINCT FROM ({', '.join(log)}) LIMIT {SHOWN_MAX}"
        )
    )
    pairs = [(tuple(row[: len(names)]), tuple(row[len(names) :])) for row in found]
    key = names.index(keys[0])
    of_live, of_log = (
        [dict(zip(names, pair[side], strict=True)) for pair in pairs if pair[side][key] is not None]
        for side in (0, 1)
    )
    return of_live, of_log


def _subtracted(connection: Connection, view: View, other: str) -> Sides:
    names = ", ".join(column.name for column in view.columns)
    of_live, of_log = (
        [
            dict(row)
            for row in connection.execute(
                text(
                    f"SELECT {names} FROM {have} EXCEPT SELECT {names} FROM {lack} "
                    f"LIMIT {SHOWN_MAX}"
                )
            ).mappings()
        ]
        for have, lack in ((view.name, other), (other, view.name))
    )
    return of_live, of_log
