"""The few expressions that PostgreSQL and SQLite say differently."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, any_, cast
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
