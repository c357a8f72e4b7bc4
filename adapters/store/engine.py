"""The one way to open the database: SQLite durable and honest, PostgreSQL bounded and alive.

`engine.begin()` writes; `engine.execution_options(read_only=True).begin()` reads. The difference
matters on SQLite alone: a writer takes the write lock with its BEGIN (IMMEDIATE), because a reader
that turns into a writer half-way cannot wait for the lock and fails; a reader takes no lock at all.
`execution_options(derived=True)` writes what the log can make again: its commit is whole but does
not wait for the disk, and the next durable one takes it along.
"""

import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any, cast

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry

from adapters.store.patience import PatientConnection, be_patient
from adapters.store.turnstile import Turnstile

BUSY_TIMEOUT_MS = 15_000
BUSY_ASKED_MS = 25
"""Within this the lock is asked for five times."""
PRIMARY = 0xFF
"""What of an error code names the kind of error."""
BEGIN = "BEGIN IMMEDIATE"
TURN = "turn"
"""Says of a pooled connection that its writer has gone through the turnstile."""
WAL_PAUSE_S = 0.02
SQLITE_CACHE_KIB = 160 * 1024
WAL_PAGES = 16_384
"""The log goes into the file after 64 MiB: pages that many batches touch are then written once."""
LOCK_TIMEOUT_MS = 15_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000
CONNECT_TIMEOUT_S = 10
POOL_TIMEOUT_S = 30.0
POOL_SIZE = 5
POOL_OVERFLOW = 20

SQLITE_PRAGMAS = (
    # First, because the ones after it may have to wait for another connection.
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA synchronous=FULL",
    # Without it REPLACE deletes rows past the triggers that refuse DELETE.
    "PRAGMA recursive_triggers=ON",
    "PRAGMA foreign_keys=ON",
    # Streams lie at random in their index: with the default of 2 MiB a batch evicts its own pages.
    # What an era of a million accounts holds takes some 100 MiB; a cache grows only as it is used.
    f"PRAGMA cache_size=-{SQLITE_CACHE_KIB}",
    f"PRAGMA wal_autocheckpoint={WAL_PAGES}",
)

POSTGRESQL_PARAMETERS: dict[str, str | int] = {
    "application_name": "wattledger",
    "client_encoding": "utf8",
    "connect_timeout": CONNECT_TIMEOUT_S,
    # A peer that vanished without a word is noticed after a minute instead of two hours.
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
POSTGRESQL_SETTINGS = (
    # A writer that waited for a head row must see the row as the one before it left it.
    "-c default_transaction_isolation=read\\ committed "
    # Statements over lists look costly to a planner without statistics: it would compile each anew,
    # for a third of a second, to run it for a thousandth.
    "-c jit=off "
    f"-c lock_timeout={LOCK_TIMEOUT_MS} "
    f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS}"
)


def create_engine(url: str) -> Engine:
    """Open `sqlite:///path`, `sqlite://` (in memory) or `postgresql://user@host:port/name`."""
    parsed = make_url(url)
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return _sqlite(parsed.set(drivername="sqlite+pysqlite"))
        case "postgresql" | "postgres" | "postgresql+psycopg2":
            return _postgresql(parsed.set(drivername="postgresql+psycopg2"))
        case other:
            message = f"The database must be sqlite:// or postgresql://, not {other}://."
            raise ValueError(message)


def _sqlite(url: URL) -> Engine:
    in_memory = url.database in {None, "", ":memory:"}
    if url.database and not in_memory and not url.database.startswith("file:"):
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    # A database in memory lives and dies with its one connection, so everybody takes turns on it.
    engine = _open(
        url,
        # The driver's own BEGIN is switched off: it comes late and takes no lock.
        {"isolation_level": None, "check_same_thread": False},
        pool_size=1 if in_memory else POOL_SIZE,
        max_overflow=0 if in_memory else POOL_OVERFLOW,
    )
    event.listen(engine, "connect", _set_pragmas)
    turnstile = Turnstile()
    event.listen(engine, "begin", partial(_begin_on_sqlite, turnstile))
    event.listen(engine, "checkin", partial(_leave, turnstile))
    return engine


def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    _write_ahead(cursor)
    cursor.close()


def _write_ahead(cursor: DBAPICursor) -> None:
    # Of several connections that open a new file at once, all but one may be refused the switch
    # to WAL without a wait: SQLite does not ask its busy handler here.
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(WAL_PAUSE_S)
        else:
            return


def _begin_on_sqlite(turnstile: Turnstile, connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    if options.get("read_only"):
        connection.exec_driver_sql("BEGIN")
        return
    level = "NORMAL" if options.get("derived") else "FULL"
    if connection.info.get("synchronous", "FULL") != level:
        connection.exec_driver_sql(f"PRAGMA synchronous={level}")
        connection.info["synchronous"] = level
    known = connection.connection.record_info
    if known is not None and TURN not in known and turnstile.enter(BUSY_TIMEOUT_MS / 1000):
        known[TURN] = True
    _begin_immediate(connection)


def _leave(turnstile: Turnstile, _connection: object, entry: ConnectionPoolEntry) -> None:
    """A connection comes back, its transaction over: the next writer of this process may begin."""
    if entry.record_info is not None and entry.record_info.pop(TURN, False):
        turnstile.leave()


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock, asking for it often: another process may leave it for an instant only.

    SQLite itself asks after ever longer pauses, up to 100 ms, and would miss such an instant.
    """
    driver = cast("sqlite3.Connection", connection.connection.dbapi_connection)
    (patience_ms,) = driver.execute("PRAGMA busy_timeout").fetchone()
    deadline = time.monotonic() + patience_ms / 1000
    driver.execute(f"PRAGMA busy_timeout={BUSY_ASKED_MS}")
    try:
        while not _is_begun(driver):
            if time.monotonic() > deadline:
                connection.exec_driver_sql(BEGIN)  # It fails as everybody expects it to.
                return
    except sqlite3.OperationalError:
        connection.exec_driver_sql(BEGIN)  # As above.
    finally:
        driver.execute(f"PRAGMA busy_timeout={patience_ms}")


def _is_begun(driver: sqlite3.Connection) -> bool:
    """Whether the lock could be taken now; False while another has it."""
    try:
        driver.execute(BEGIN)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & PRIMARY != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _postgresql(url: URL) -> Engine:
    parameters = {key: to for key, to in POSTGRESQL_PARAMETERS.items() if key not in url.query}
    # What the URL says comes later, so it wins.
    asked = url.query.get("options", "")
    settings = " ".join((POSTGRESQL_SETTINGS, *([asked] if isinstance(asked, str) else asked)))
    engine = _open(
        url,
        {**parameters, "options": settings, "connection_factory": PatientConnection},
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
    )
    be_patient(engine)
    event.listen(engine, "begin", _begin_on_postgresql)
    return engine


def _begin_on_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("derived"):
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")


def _open(url: URL, connect_args: dict[str, Any], **pool: int) -> Engine:
    return sqlalchemy.create_engine(
        url,
        connect_args=connect_args,
        poolclass=sqlalchemy.QueuePool,
        **pool,
        pool_timeout=POOL_TIMEOUT_S,
        # Parameters are customers' data; an error message goes to a log.
        hide_parameters=True,
    )
