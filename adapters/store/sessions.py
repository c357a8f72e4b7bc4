"""Sessions of the console: signed, for half a day, ended for ever by a row of their own."""

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import jwt
from sqlalchemy import ColumnElement, Engine, delete, exists

from adapters.store.dialects import insert_into
from adapters.store.people import ended_sessions
from adapters.store.vault import make_master_key, read_master_key
from ledger.values import MICROS_PER_SECOND

SESSION_US: Final = 12 * 3600 * MICROS_PER_SECOND
SECRET_BYTES: Final = 32
_ALGORITHM: Final = "HS256"


class Session(NamedTuple):
    """Whose session it is, and its id."""

    user_id: str
    session_id: str


class Sessions:
    """Signs sessions and reads them back; the key is made when it is first needed."""

    def __init__(
        self,
        engine: Engine,
        key_file: Path,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._engine = engine
        self._key_file = key_file
        self._clock = clock
        self._entropy = entropy
        self._known_key = b""

    def prepare(self) -> None:
        """Make the key where there is none; losing it ends all sessions and nothing else."""
        make_master_key(self._key_file, self._entropy)

    def start(self, user_id: str) -> str:
        """A signed session."""
        claims = {
            "sub": user_id,
            "jti": self._entropy(SECRET_BYTES).hex(),
            "exp": (self._clock() + SESSION_US) // MICROS_PER_SECOND,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie that is signed by us and fresh; it may have been ended."""
        try:
            claims: dict[str, Any] = jwt.decode(
                cookie,
                self._key,
                algorithms=[_ALGORITHM],
                # Time is told by our clock, below.
                options={"require": ["sub", "jti", "exp"], "verify_exp": False},
            )
        except jwt.InvalidTokenError:
            return None
        if claims["exp"] * MICROS_PER_SECOND <= self._clock():
            return None
        return Session(str(claims["sub"]), str(claims["jti"]))

    def end(self, session_id: str) -> None:
        """Refuse a session for ever."""
        now_us = self._clock()
        row = {"session_id": digest(session_id), "expires_us": now_us + SESSION_US}
        with self._engine.begin() as connection:
            stale = ended_sessions.c.expires_us <= now_us
            connection.execute(delete(ended_sessions).where(stale))
            statement = insert_into(connection, ended_sessions).values(row)
            connection.execute(statement.on_conflict_do_nothing())

    def csrf_token(self, session_id: str) -> str:
        """What a form of this session must send along with a change."""
        return hmac.new(self._key, f"csrf:{session_id}".encode(), hashlib.sha256).hexdigest()

    @property
    def _key(self) -> bytes:
        if not self._known_key:
            self.prepare()
            self._known_key = read_master_key(self._key_file)
        return self._known_key


def has_ended(session_id: str) -> ColumnElement[bool]:
    """Whether a session was ended, to be asked along with its user."""
    return exists().where(ended_sessions.c.session_id == digest(session_id))


def digest(secret: str) -> str:
    """What is kept of a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()
