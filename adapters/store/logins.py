"""Passwords, and how often they may be wrong: Argon2 hashes, failures counted in the database."""

from collections.abc import Callable
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine, delete, select

from adapters.store.dialects import insert_into
from adapters.store.people import failed_logins
from ledger.access import LoginsLimitedError
from ledger.values import MICROS_PER_SECOND

FAILURES_MAX: Final = {"user": 5, "origin": 50}
"""So many wrong passwords within the window; an office shares one origin."""
WINDOW_US: Final = 300 * MICROS_PER_SECOND

_hasher: Final = PasswordHasher()


def hashed(password: str) -> str:
    """Argon2id hash of a password."""
    return _hasher.hash(password)


def is_right(password_hash: str, password: str) -> bool:
    """Whether a password is the one; nobody's takes as long as somebody's."""
    try:
        _hasher.verify(password_hash or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(password_hash)


@cache
def _nobody() -> str:
    return hashed("nobody has this password")


class Attempts:
    """Failed logins by user and by origin; the window begins with the first failure."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._clock = clock

    def require_room(self, user_id: str, origin: str) -> None:
        """Raise `LoginsLimitedError` while too many attempts have failed."""
        now_us = self._clock()
        subjects = _subjects(user_id, origin)
        statement = select(failed_logins).where(failed_logins.c.subject.in_(subjects))
        with self._engine.execution_options(read_only=True).begin() as connection:
            rows = connection.execute(statement).all()
        for row in rows:
            left_us = row.since_us + WINDOW_US - now_us
            kind = row.subject.partition(":")[0]
            if left_us > 0 and row.failures >= FAILURES_MAX[kind]:
                raise LoginsLimitedError(left_us // MICROS_PER_SECOND + 1)

    def failed(self, user_id: str, origin: str) -> None:
        """Count a wrong password."""
        now_us = self._clock()
        with self._engine.begin() as connection:
            stale = failed_logins.c.since_us <= now_us - WINDOW_US
            connection.execute(delete(failed_logins).where(stale))
            for subject in _subjects(user_id, origin):
                _count(connection, subject, now_us)

    def succeeded(self, user_id: str) -> None:
        """Forget the user's failures; those of the origin stay."""
        mine = failed_logins.c.subject == f"user:{user_id}"
        with self._engine.begin() as connection:
            connection.execute(delete(failed_logins).where(mine))


def _count(connection: Connection, subject: str, now_us: int) -> None:
    insert = insert_into(connection, failed_logins)
    connection.execute(
        insert.values(subject=subject, since_us=now_us, failures=1).on_conflict_do_update(
            index_elements=["subject"], set_={"failures": failed_logins.c.failures + 1}
        )
    )


def _subjects(user_id: str, origin: str) -> tuple[str, str]:
    return f"user:{user_id}", f"origin:{origin}"
