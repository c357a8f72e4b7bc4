"""Rows of views into their tables: one statement per shape, by the merges their columns declare."""

# ruff: noqa: S608 - statements are made of the names that projections declare

from collections.abc import Mapping, Sequence
from contextlib import closing
from io import StringIO
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from adapters.views.cells import cells_of
from adapters.views.patches import extended, fresh, merged, teach
from ledger.projections import Column, Merge, Projection, Row

MANY: Final = 200
"""So many rows are mostly there already: they are updated first, and what is new is inserted."""
TOGETHER: Final = 500
"""Rows of one statement of SQLite; below its limit of 32,766 values by far."""
_encode: Final = msgspec.json.Encoder().encode


def write_rows(
    connection: Connection, projection: Projection, table: str, rows: Sequence[Row]
) -> None:
    """Merge rows, at most one per key, into a table of the projection."""
    shapes: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        shapes.setdefault(tuple(row), []).append(row)
    by_name = {column.name: column for column in projection.columns}
    for names, alike in shapes.items():
        columns = [by_name[name] for name in names]
        if len(alike) < MANY:
            _write_each(connection, table, columns, alike)
        elif connection.dialect.name == "postgresql":
            stage = _staged(connection, table, columns, alike)
            told = _stripped(columns, alike)
            _update_staged(connection, table, told, stage, len(alike))
        else:
            _write_updates(connection, table, columns, alike)


def _write_each(
    connection: Connection, table: str, columns: Sequence[Column], rows: Sequence[Row]
) -> None:
    dialect = connection.dialect.name
    teach(connection)
    names = [column.name for column in columns]
    values = {column.name: _bound(column, dialect) for column in columns}
    # A patch is bound once more: what `excluded` holds of it has lost the keys to be taken away.
    patches = {c.name: values[c.name] for c in columns if c.merge is Merge.PATCH}
    first = {name: fresh(patch, dialect) for name, patch in patches.items()}
    keys = [column.name for column in columns if column.merge is Merge.KEY]
    merges = _merges(
        columns, {name: f"excluded.{name}" for name in names} | patches, dialect, table
    )
    action = f"DO UPDATE SET {merges}" if merges else "DO NOTHING"
    statement = (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join((values | first).values())}) "
        f"ON CONFLICT ({', '.join(keys)}) {action}"
    )
    json_names = [column.name for column in columns if column.kind == "json"]
    connection.execute(text(statement), [_with_texts(row, json_names) for row in rows])


def _bound(column: Column, dialect: str) -> str:
    """SQL of a value to be bound."""
    is_typed = column.kind == "json" and dialect == "postgresql"
    return f"CAST(:{column.name} AS JSONB)" if is_typed else f":{column.name}"


def _with_texts(row: Row, json_names: Sequence[str]) -> dict[str, Any]:
    texts = {name: _encode(row[name]).decode() for name in json_names}
    return {**row, **texts}


def _staged(
    connection: Connection, table: str, columns: Sequence[Column], rows: Sequence[Row]
) -> str:
    """Name of a table of this transaction that holds the rows."""
    names = _listed(columns)
    stage = f"stage_{table}_{len(columns)}_{abs(hash(names)) % 10**8}"
    connection.execute(
        text(
            f"CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS "
            f"AS SELECT {names} FROM {table} WITH NO DATA"
        )
    )
    # This transaction may have used it for another shard.
    connection.execute(text(f"DELETE FROM {stage}"))
    with closing(connection.connection.cursor()) as cursor:
        data = StringIO(_copy_text(columns, rows))
        cursor.copy_expert(f"COPY {stage} ({names}) FROM STDIN", data, size=1 << 20)
    return stage


def _update_staged(
    connection: Connection, table: str, columns: Sequence[Column], stage: str, count: int
) -> None:
    names = _listed(columns)
    keys = [column.name for column in columns if column.merge is Merge.KEY]
    match = " AND ".join(f"{table}.{key} = s.{key}" for key in keys)
    staged = {column.name: f"s.{column.name}" for column in columns}
    merges = _merges(columns, staged, "postgresql", table)
    updated = 0
    if merges:
        # The staging table is small: the plan must never read the whole view.
        connection.execute(text("SET LOCAL enable_hashjoin = off"))
        connection.execute(text("SET LOCAL enable_mergejoin = off"))
        done = connection.execute(text(f"UPDATE {table} SET {merges} FROM {stage} s WHERE {match}"))
        updated = done.rowcount
    if updated < count:
        first = ", ".join(
            fresh(column.name, "postgresql") if column.merge is Merge.PATCH else column.name
            for column in columns
        )
        connection.execute(
            text(
                f"INSERT INTO {table} ({names}) SELECT {first} FROM {stage} ON CONFLICT DO NOTHING"
            )
        )


def _write_updates(
    connection: Connection, table: str, columns: Sequence[Column], rows: Sequence[Row]
) -> None:
    """SQLite: many rows a statement, beneath SQLAlchemy, whose binding costs as much as they."""
    teach(connection)
    with closing(connection.connection.cursor()) as cursor:
        for start in range(0, len(rows), TOGETHER):
            _update_or_insert(cursor, table, columns, rows[start : start + TOGETHER])


def _update_or_insert(
    cursor: Any,  # noqa: ANN401 - the driver's own
    table: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
) -> None:
    names = ", ".join(column.name for column in columns)
    marks = ", ".join([f"({', '.join('?' * len(columns))})"] * len(rows))
    given = f"WITH given ({names}) AS (VALUES {marks})"
    values = tuple(
        _encode(row[column.name]).decode() if column.kind == "json" else row[column.name]
        for row in rows
        for column in columns
    )
    keys = [column.name for column in columns if column.merge is Merge.KEY]
    match = " AND ".join(f"{table}.{key} = given.{key}" for key in keys)
    fresh_values = {column.name: f"given.{column.name}" for column in columns}
    updated = 0
    if merges := _merges(columns, fresh_values, "sqlite", table):
        cursor.execute(f"{given} UPDATE {table} SET {merges} FROM given WHERE {match}", values)
        updated = cursor.rowcount
    if updated < len(rows):
        first = ", ".join(
            fresh(column.name, "sqlite") if column.merge is Merge.PATCH else column.name
            for column in columns
        )
        # WHERE tells SQLite that ON CONFLICT is not part of the SELECT.
        cursor.execute(
            f"{given} INSERT INTO {table} ({names}) SELECT {first} FROM given WHERE TRUE "
            "ON CONFLICT DO NOTHING",
            values,
        )


def _listed(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns)


def _stripped(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """Columns with the cheaper merge where no row of the batch takes a key away (the hot path)."""
    return [
        column._replace(merge=Merge.EXTEND)
        if column.merge is Merge.PATCH and not any(_takes_away(row[column.name]) for row in rows)
        else column
        for column in columns
    ]


def _takes_away(patch: Any) -> bool:  # noqa: ANN401 - a JSON object
    return None in patch.values()


def _merges(columns: Sequence[Column], values: Mapping[str, str], dialect: str, table: str) -> str:
    """The SET list that brings new values to the stored ones."""
    parts = []
    for name, _, merge in columns:
        new, old = values[name], f"{table}.{name}"
        if merge is Merge.ADD:
            parts.append(f"{name} = {old} + {new}")
        elif merge is Merge.EXTEND:
            parts.append(f"{name} = {extended(old, new)}")
        elif merge is Merge.PATCH:
            parts.append(f"{name} = {merged(old, new, dialect)}")
        elif merge is Merge.REPLACE:
            parts.append(f"{name} = {new}")
    return ", ".join(parts)


def _copy_text(columns: Sequence[Column], rows: Sequence[Row]) -> str:
    """Rows in COPY's text format."""
    cells = [cells_of(column, [row[column.name] for row in rows]) for column in columns]
    return "\n".join((*map("\t".join, zip(*cells, strict=True)), ""))
