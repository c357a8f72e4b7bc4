"""A COPY under way on a thread of its own: the database takes rows while more are decided."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final

from adapters.store.copy import SIGNATURE, TRAILER, pack_rows
from ledger.ports import Row

END: Final = b""


class Copying:
    """One COPY; nothing else may use its connection until it has ended."""

    def __init__(self, cursor: Any, statement: str) -> None:  # noqa: ANN401 - psycopg2's own cursor
        self._cursor = cursor
        self._statement = statement
        self._parts: SimpleQueue[bytes | None] = SimpleQueue()
        self._parts.put(SIGNATURE)
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="copy", daemon=True)
        self._thread.start()

    def add(self, rows: Sequence[Row]) -> None:
        """Hand rows over without waiting."""
        self._parts.put(pack_rows(rows))

    def end(self) -> None:
        """Wait until every row is taken; raises what the database said against them."""
        self._parts.put(TRAILER)
        self._parts.put(END)
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def abandon(self) -> None:
        """Break off; the transaction can only be rolled back."""
        self._parts.put(None)
        self._thread.join()

    def read(self, _size: int) -> bytes:
        """What COPY sends next (called by the driver)."""
        part = self._parts.get()
        if part is None:
            raise _AbandonedError
        return part

    def _run(self) -> None:
        try:
            self._cursor.copy_expert(self._statement, self, size=1 << 20)
        except BaseException as fault:  # noqa: BLE001 - told to whoever waits for the end
            self._fault = fault
        finally:
            with suppress(Exception):
                self._cursor.close()


class _AbandonedError(Exception):
    """The rows of an abandoned COPY end here."""
