"""A write transaction of PostgreSQL: the heads locked from its start, events by binary COPY."""

from collections.abc import Sequence
from contextlib import closing
from io import BytesIO
from typing import Any, Final

from sqlalchemy import Connection

from adapters.store.copy import COLUMNS, SIGNATURE, TRAILER, pack_rows
from adapters.store.copying import Copying
from adapters.store.log_writer import SqlLogWriter
from ledger.ports import Head, Row

COPY: Final = f"COPY events ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"


class CopyingWriter(SqlLogWriter):
    """Copies rows while more are decided, as other processes wait for the same heads."""

    def __init__(self, connection: Connection, shards: int, heads: dict[int, Head]) -> None:
        super().__init__(connection, shards, heads)
        self._copying: Copying | None = None

    def _take(self, rows: Sequence[Row]) -> None:
        if self._copying is None:
            self._copying = Copying(self._cursor(), COPY)
        self._copying.add(rows)

    def _write(self, rows: Sequence[Row]) -> None:
        if rows and self._copying is not None:
            self._copying.add(rows)
        elif rows:
            stream = BytesIO(b"".join((SIGNATURE, pack_rows(rows), TRAILER)))
            with closing(self._cursor()) as cursor:
                cursor.copy_expert(COPY, stream, size=1 << 20)
        self._end_copying()

    def abandon(self) -> None:
        """Break off what is under way; the transaction is rolled back."""
        copying, self._copying = self._copying, None
        if copying is not None:
            copying.abandon()

    @property
    def _connection(self) -> Connection:
        """The connection, free for a statement: a COPY under way is brought to its end first."""
        self._end_copying()
        return self._shared

    def _end_copying(self) -> None:
        copying, self._copying = self._copying, None
        if copying is not None:
            copying.end()

    def _cursor(self) -> Any:  # noqa: ANN401 - the driver's own: COPY does not exist above
        return self._shared.connection.cursor()
