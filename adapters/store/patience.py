"""Bounded waiting for PostgreSQL: a server that hangs while its kernel still answers is given up.

Neither keepalives nor the timeouts of TCP notice such a server, and a timeout of its own it cannot
keep. So a watchdog of this process shuts the socket down under a call that waits too long; the
driver then says that the connection was lost, and the log finds out what became of it.
"""

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, cast

import psycopg2
from psycopg2 import extensions
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError

from adapters.store.dialects import is_postgresql

LOG_S: float = 30.0
"""How long the log waits for one answer, or for the server to take one more part of a COPY."""
BRIEF_S: float = 10.0
"""How long a connection may take to say that it is alive, and to be given back."""
TICK_S: Final = 0.5
PING_AFTER_S: Final = 1.0
"""A connection that rested less is alive unless its server says goodbye: asking costs a commit."""

_log: Final = logging.getLogger(__name__)


class PatientConnection(extensions.connection):
    """A connection whose calls end in time, if its patience has an end."""

    def __init__(self, *about: Any, **more: Any) -> None:  # noqa: ANN401 - the driver's own
        self.patience_s: float | None = BRIEF_S
        self.rests_since_s = time.monotonic()
        super().__init__(*about, **more)
        self.cursor_factory = PatientCursor
        _watchdog.start()

    def may_be_gone(self) -> bool:
        """Whether it rested for long, or the server has something to say that nobody asked for."""
        if self.closed or time.monotonic() - self.rests_since_s > PING_AFTER_S:
            return True
        line = select.poll()
        line.register(self.fileno(), select.POLLIN)
        return bool(line.poll(0))

    def begin_waiting(self) -> None:
        """From now on the server owes an answer."""
        if self.patience_s is not None:
            _watchdog.waiting[id(self)] = self, time.monotonic() + self.patience_s

    def end_waiting(self) -> None:
        """It came, or we are the ones who take their time."""
        _watchdog.waiting.pop(id(self), None)

    def commit(self) -> None:
        """Commit, in time."""
        self.begin_waiting()
        try:
            super().commit()
        finally:
            self.end_waiting()

    def rollback(self) -> None:
        """Roll back, in time."""
        self.begin_waiting()
        try:
            super().rollback()
        finally:
            self.end_waiting()


class PatientCursor(extensions.cursor):
    """A cursor of such a connection."""

    connection: PatientConnection

    def execute(self, query: Any, parameters: Any = None) -> None:  # noqa: ANN401 - the driver's own
        """Execute, in time."""
        self._in_time(super().execute, query, parameters)

    def executemany(self, query: Any, parameters: Any) -> None:  # noqa: ANN401 - the driver's own
        """Execute many times, all in time."""
        self._in_time(super().executemany, query, parameters)

    def copy_expert(self, sql: Any, file: Any, size: int = 8_192) -> None:  # noqa: ANN401 - the driver's own
        """COPY; each part that is sent has the whole time again."""
        self._in_time(super().copy_expert, sql, _Parts(file, self.connection), size)

    def _in_time(self, call: Callable[..., None], *about: Any) -> None:  # noqa: ANN401 - as above
        self.connection.begin_waiting()
        try:
            call(*about)
        finally:
            self.connection.end_waiting()


class _Parts:
    """What a COPY sends; while the next part is being made, nobody waits for the server."""

    def __init__(self, file: Any, connection: PatientConnection) -> None:  # noqa: ANN401 - a file
        self._file = file
        self._connection = connection

    def read(self, size: int) -> bytes:
        """The next part."""
        self._connection.end_waiting()
        try:
            part: bytes = self._file.read(size)
            return part
        finally:
            self._connection.begin_waiting()

    def write(self, part: bytes) -> int:
        """What a COPY to us brings (the driver asks for this method in any case)."""
        written: int = self._file.write(part)
        return written


def be_patient(engine: Engine) -> None:
    """Whoever takes a connection from the pool has a living one, and all the time it needs."""

    @event.listens_for(engine, "checkout")
    def unbounded(connection: PatientConnection, *_: object) -> None:
        if connection.may_be_gone():
            try:
                engine.dialect.do_ping(cast("DBAPIConnection", connection))
            except psycopg2.Error as error:
                raise InvalidatePoolError from error
        connection.patience_s = None

    @event.listens_for(engine, "reset")
    def bounded(connection: PatientConnection, *_: object) -> None:
        connection.patience_s = BRIEF_S
        connection.rests_since_s = time.monotonic()


def bound(connection: Connection) -> None:
    """Wait no longer than `LOG_S` for each answer, until the connection is given back."""
    if is_postgresql(connection):
        driver: Any = connection.connection.dbapi_connection
        driver.patience_s = LOG_S


class _Watchdog:
    """Looks after every call under way in this process, from one thread."""

    def __init__(self) -> None:
        self.waiting: dict[int, tuple[PatientConnection, float]] = {}
        """Calls under way, each with the time at which it is given up."""
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, if that was not done yet in this very process; a fork has no threads."""
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="patience", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        never = threading.Event()
        while not never.wait(TICK_S):
            now = time.monotonic()
            for key, (connection, until) in list(self.waiting.items()):
                if now > until:
                    self.waiting.pop(key, None)
                    _log.warning("The database does not answer; a connection is given up.")
                    _shut_down(connection)


def _shut_down(connection: PatientConnection) -> None:
    """Let whoever waits on this connection see its end."""
    with (
        suppress(OSError, psycopg2.Error),  # It may have ended by itself just now.
        socket.socket(fileno=os.dup(connection.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)


_watchdog: Final = _Watchdog()
