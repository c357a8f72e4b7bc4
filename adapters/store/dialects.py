"""The few expressions that PostgreSQL and SQLite say differently."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, any_, cast, false, or_
from sqlalchemy.dialects import postgresql, sqlite


def is_postgresql(connection: Connection) -> bool:
    """Whether a server is asked, not a file."""
    return connection.dialect.name == "postgresql"


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT."""
    return postgresql.insert(table) if is_postgresql(connection) else sqlite.insert(table)


def any_of(
    connection: Connection, column: ColumnElement[Any], values: Sequence[Any]
) -> ColumnElement[bool]:
    """`column = ANY(array)` where one parameter carries them all, else IN."""
    if is_postgresql(connection):
        return column == any_(cast(list(values), postgresql.ARRAY(column.type)))
    return column.in_(values)


def by_shard(
    connection: Connection,
    shard: ColumnElement[Any],
    key: ColumnElement[Any],
    wanted: Iterable[tuple[int, Any]],
) -> ColumnElement[bool]:
    """Rows of these (shard, key): a list for each shard, which both stores find in their index.

    `(shard, key) IN (…)` would say the same, and SQLite would read the whole table for it.
    """
    keys: dict[int, list[Any]] = {}
    for of_shard, one in wanted:
        keys.setdefault(of_shard, []).append(one)
    of_shards = [
        and_(shard == place, any_of(connection, key, held)) for place, held in keys.items()
    ]
    return or_(false(), *of_shards)
