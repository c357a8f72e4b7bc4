"""What a fault of the database means for the ledger."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg2
import sqlalchemy.exc
from sqlalchemy.exc import DBAPIError, IntegrityError

from ledger.ports import ConflictError, LogUnavailableError

DRIVER_FAULTS: Final = (DBAPIError, psycopg2.Error, sqlite3.Error, sqlalchemy.exc.TimeoutError)
TAKEN: Final = (IntegrityError, psycopg2.IntegrityError, sqlite3.IntegrityError)
UNFIT: Final = (sqlalchemy.exc.DataError, psycopg2.DataError, sqlite3.DataError)
ROLLED_BACK_FOR_OTHERS: Final = {"40001", "40P01"}
"""Serialization failure and deadlock: the same again will do."""


@contextmanager
def translated() -> Iterator[None]:
    """Faults in the words of the ledger; a value that does not fit its column stays as it is."""
    try:
        yield
    except UNFIT:
        raise
    except TAKEN as error:
        raise ConflictError(str(error)) from error
    except DRIVER_FAULTS as error:
        if sqlstate(error) in ROLLED_BACK_FOR_OTHERS:
            raise ConflictError(str(error)) from error
        raise LogUnavailableError(f"The database cannot record now: {error}") from error


def sqlstate(error: BaseException) -> str | None:
    """The code of a refusal by PostgreSQL; None where the server said nothing."""
    code: str | None = getattr(getattr(error, "orig", error), "pgcode", None)
    return code
