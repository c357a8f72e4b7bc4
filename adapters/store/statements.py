"""Statements of the hot paths, told to the driver as they are: building one costs more than it."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult

from adapters.store.dialects import is_postgresql


class Statement(NamedTuple):
    """One statement in the words of each database; a list is told as JSON, whatever its length.

    PostgreSQL's names its parameters `%(name)s`, SQLite's `:name`.
    """

    postgresql: str
    sqlite: str

    def run(self, connection: Connection, **about: Any) -> CursorResult[Any]:  # noqa: ANN401 - what a driver takes
        """Execute it with these parameters."""
        statement = self.postgresql if is_postgresql(connection) else self.sqlite
        told = {
            name: json.dumps(value) if isinstance(value, list) else value
            for name, value in about.items()
        }
        return connection.exec_driver_sql(statement, told)

    def rows(self, connection: Connection, **about: Any) -> Sequence[tuple[Any, ...]]:  # noqa: ANN401 - as above
        """The driver's own tuples: wrapping each costs as much as decoding it."""
        found: Sequence[tuple[Any, ...]] = self.run(connection, **about).cursor.fetchall()
        return found
