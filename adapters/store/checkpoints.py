"""SQLite's write-ahead log moves into its file on a thread of its own, not in a writer's commit.

A commit that finds the log long moves it itself (`wal_autocheckpoint`); with this it rarely does.
"""

import logging
import threading
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

LOOK_S: Final = 0.05
LONG: Final = 8 << 20
"""Bytes; below this it is left until more has come."""

_log: Final = logging.getLogger(__name__)


class Checkpoints:
    """Looks after the log of one file; does nothing for another database."""

    def __init__(self, engine: Engine) -> None:
        self._upkeep = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._file = Path(f"{engine.url.database}-wal")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
        self._is_needed = engine.dialect.name == "sqlite"

    def start(self) -> "Checkpoints":
        """Begin to look."""
        if self._is_needed:
            self._thread.start()
        return self

    def stop(self) -> None:
        """Finish what is under way and stop."""
        self._stopping.set()
        if self._is_needed:
            self._thread.join()

    def _run(self) -> None:
        moved_at = 0
        while not self._stopping.wait(LOOK_S):
            try:
                found = self._file.stat()
            except FileNotFoundError:
                continue
            # The file keeps its length when the log begins anew, so its time tells of new pages.
            if found.st_size < LONG or found.st_mtime_ns == moved_at:
                continue
            moved_at = found.st_mtime_ns
            try:
                with self._upkeep.connect() as connection:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
            except OperationalError:
                _log.warning("The write-ahead log could not be moved; it is tried again.")
