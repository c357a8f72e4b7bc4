"""Commits whose outcome is found out, and errors in the words of `eventsourcing`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy.exc
from eventsourcing import persistence
from eventsourcing.persistence import DataError, OperationalError, PersistenceError
from sqlalchemy import Connection, Engine

# A database that restarts is back within seconds; each attempt waits for locks on its own.
SETTLING_PAUSES_S = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)

EQUIVALENTS: dict[type[sqlalchemy.exc.SQLAlchemyError], type[PersistenceError]] = {
    sqlalchemy.exc.InterfaceError: persistence.InterfaceError,
    sqlalchemy.exc.DataError: DataError,
    sqlalchemy.exc.OperationalError: OperationalError,
    sqlalchemy.exc.IntegrityError: persistence.IntegrityError,
    sqlalchemy.exc.InternalError: persistence.InternalError,
    sqlalchemy.exc.ProgrammingError: persistence.ProgrammingError,
    sqlalchemy.exc.NotSupportedError: persistence.NotSupportedError,
    sqlalchemy.exc.DatabaseError: persistence.DatabaseError,
    # No connection became free in time.
    sqlalchemy.exc.TimeoutError: OperationalError,
}

WasRecorded = Callable[[Connection], bool]


class OutcomeUnknownError(OperationalError):
    """The answer to a COMMIT was lost and the database could not be asked again in time."""


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the database as the library names them; the original is the cause."""
    try:
        yield
    except sqlalchemy.exc.SQLAlchemyError as error:
        equivalent = EQUIVALENTS.get(type(error), PersistenceError)
        raise equivalent(str(getattr(error, "orig", None) or error)) from error


@contextmanager
def refusing_unfit_values() -> Iterator[None]:
    """Values that never reach the database: a NUL in text, 65-bit integers, a str for a UUID."""
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise DataError(f"A value does not fit its column: {error}") from error
    except sqlalchemy.exc.StatementError as error:
        if isinstance(error, sqlalchemy.exc.DBAPIError):
            raise
        raise DataError(f"A value does not fit its column: {error.orig}") from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    with translated(), engine.execution_options(read_only=True).connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, was_recorded: WasRecorded) -> Iterator[Connection]:
    """One transaction; if the answer to its COMMIT is lost, the database is asked for it.

    `was_recorded` looks for the effect in a new transaction and must wait for the lost one, because
    the server may still be busy with it. A commit is never sent twice.
    """
    sent = False
    with translated():
        try:
            with engine.connect() as connection, connection.begin() as transaction:
                yield connection
                sent = True
                transaction.commit()
        except sqlalchemy.exc.DBAPIError as lost:
            if not sent or not _settled(engine, was_recorded, lost):
                raise


def _settled(engine: Engine, was_recorded: WasRecorded, lost: Exception) -> bool:
    for pause_s in SETTLING_PAUSES_S:
        time.sleep(pause_s)
        try:
            with engine.begin() as connection:
                return was_recorded(connection)
        except sqlalchemy.exc.OperationalError:
            continue  # Not reachable yet, or the lost transaction still holds its locks.
    message = "The connection broke during COMMIT, and whether it took place could not be read."
    raise OutcomeUnknownError(message) from lost
