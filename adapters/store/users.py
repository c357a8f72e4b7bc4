"""People who may sign in, their API tokens, login links and sessions; no secret is kept as such.

Tokens, links and session ids are 256 random bits, so a plain SHA-256 of them cannot be guessed
back; passwords are people's, so theirs is Argon2.
"""

import hmac
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Engine, insert, select, update

from adapters.store.dialects import insert_into
from adapters.store.logins import Attempts, hashed, is_right
from adapters.store.people import api_tokens, login_links, users
from adapters.store.sessions import SECRET_BYTES, Sessions, digest, has_ended
from ledger.access import ROLES, SCOPES, Principal, User, scopes_of
from ledger.aggregates import Refused
from ledger.values import MICROS_PER_DAY, MICROS_PER_SECOND

TOKEN_PREFIX: Final = "wl"  # noqa: S105 - how a token begins, so that scanners know a leaked one
REMEMBERED_US: Final = 5 * MICROS_PER_SECOND
"""So long a token is taken without another look; a revocation takes effect within that time."""
LOOKING_US: Final = MICROS_PER_SECOND
"""So long the others go on with what was known while one looks."""
REMEMBERED_MAX: Final = 10_000


def session_key_file(vault_key_file: str) -> Path:
    """Where the key that signs sessions lies: beside the vault's."""
    return Path(vault_key_file).with_name("session.key")


class SqlUsers:
    """The users of one ledger; answers what `ledger.access.Users` asks."""

    def __init__(
        self,
        engine: Engine,
        key_file: Path,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        self._sessions = Sessions(engine, key_file, clock, entropy)
        self._clock = clock
        self._entropy = entropy
        self._attempts = Attempts(engine, clock)
        self._remembered: dict[str, tuple[Principal, int]] = {}
        self._lock = threading.Lock()

    # ------------------------------------------------------------ people

    def add(self, user: User, password: str = "") -> User:
        """Let somebody in; without a password by link or token alone."""
        if user.role not in ROLES:
            raise Refused("role_unknown", f"There is no role {user.role}; {', '.join(ROLES)}.")
        if (user.role == "customer") != bool(user.account_no):
            raise Refused("user_invalid", "A customer has an account, and nobody else has one.")
        row = {
            **user._asdict(),
            "sites": msgspec.json.encode(sorted(user.sites)).decode(),
            "password_hash": hashed(password) if password else "",
            "created_us": self._clock(),
        }
        with self._engine.begin() as connection:
            statement = insert_into(connection, users).values(row).on_conflict_do_nothing()
            if connection.execute(statement).rowcount == 0:
                raise Refused("user_exists", f"There is a user {user.user_id} already.")
        return user

    def everybody(self) -> Sequence[User]:
        """All users in order of their ids."""
        with self._reader.begin() as connection:
            return [
                _user(row) for row in connection.execute(select(users).order_by(users.c.user_id))
            ]

    def user(self, user_id: str) -> User | None:
        """A user, active or not."""
        with self._reader.begin() as connection:
            row = connection.execute(select(users).where(users.c.user_id == user_id)).first()
        return None if row is None else _user(row)

    def set_active(self, user_id: str, *, is_active: bool) -> User:
        """Shut somebody out, tokens and sessions included, or let them in again."""
        statement = update(users).where(users.c.user_id == user_id).values(is_active=is_active)
        with self._engine.begin() as connection:
            connection.execute(statement)
        with self._lock:
            self._remembered.clear()
        return self._known(user_id)

    def by_password(self, user_id: str, password: str, origin: str) -> User | None:
        """The active user of a right password; `LoginsLimitedError` after many wrong ones."""
        self._attempts.require_room(user_id, origin)
        with self._reader.begin() as connection:
            row = connection.execute(select(users).where(users.c.user_id == user_id)).first()
        is_known = is_right("" if row is None else row.password_hash, password)
        if row is None or not is_known or not row.is_active:
            self._attempts.failed(user_id, origin)
            return None
        self._attempts.succeeded(user_id)
        return _user(row)

    # ------------------------------------------------------------ API tokens

    def issue_token(self, user_id: str, scopes: Iterable[str] = (), days: int = 365) -> str:
        """A new API token of a user; it is shown once and kept as a hash."""
        user, asked = self._known(user_id), frozenset(scopes)
        if unknown := asked - SCOPES:
            raise Refused("scope_unknown", f"There is no scope {min(unknown)}.")
        token_id, secret = self._entropy(6).hex(), self._secret()
        row = {
            "token_id": token_id,
            "user_id": user_id,
            "token_hash": digest(secret),
            "scopes": " ".join(sorted(scopes_of(user.role, asked))),
            "expires_us": self._clock() + days * MICROS_PER_DAY,
            "is_revoked": False,
            "created_us": self._clock(),
        }
        with self._engine.begin() as connection:
            connection.execute(insert(api_tokens).values(row))
        return f"{TOKEN_PREFIX}_{token_id}_{secret}"

    def revoke_token(self, token_id: str) -> bool:
        """Refuse a token from now on; other processes may take it for a few seconds more."""
        statement = update(api_tokens).where(api_tokens.c.token_id == token_id)
        with self._engine.begin() as connection:
            is_found = connection.execute(statement.values(is_revoked=True)).rowcount == 1
        with self._lock:
            self._remembered.clear()
        return is_found

    def remembered(self, token: str) -> Principal | None:
        """Who a token spoke for a moment ago; when that grows old, one asker is sent to look."""
        found = self._remembered.get(token)
        if found is None:
            return None
        principal, until_us = found
        now_us = self._clock()
        if now_us < until_us:
            return principal
        self._remembered[token] = (principal, now_us + LOOKING_US)
        return None

    def by_token(self, token: str) -> Principal | None:
        """Who a standing API token speaks for."""
        now_us = self._clock()
        principal = self._by_token(token, now_us)
        with self._lock:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            if principal is None:
                self._remembered.pop(token, None)
            else:
                self._remembered[token] = (principal, now_us + REMEMBERED_US)
        return principal

    def _by_token(self, token: str, now_us: int) -> Principal | None:
        prefix, _, rest = token.partition("_")
        token_id, _, secret = rest.partition("_")
        if prefix != TOKEN_PREFIX or not token_id.isalnum() or not secret.isalnum():
            return None
        statement = (
            select(users, api_tokens.c.token_hash, api_tokens.c.scopes)
            .join(api_tokens, api_tokens.c.user_id == users.c.user_id)
            .where(
                api_tokens.c.token_id == token_id,
                api_tokens.c.expires_us > now_us,
                ~api_tokens.c.is_revoked,
                users.c.is_active,
            )
        )
        with self._reader.begin() as connection:
            row = connection.execute(statement).first()
        if row is None or not hmac.compare_digest(row.token_hash, digest(secret)):
            return None
        user = _user(row)
        return Principal(user, scopes_of(user.role) & frozenset(row.scopes.split()))

    # ------------------------------------------------------------ login links

    def issue_link(self, user_id: str, minutes: int = 15) -> str:
        """Secret of a login link that works once, for a while."""
        self._known(user_id)
        secret = self._secret()
        row = {
            "link_hash": digest(secret),
            "user_id": user_id,
            "expires_us": self._clock() + minutes * 60 * MICROS_PER_SECOND,
            "is_used": False,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(login_links).values(row))
        return secret

    def by_link(self, link: str) -> User | None:
        """The user of a login link, which is used up by it."""
        statement = (
            update(login_links)
            .where(
                login_links.c.link_hash == digest(link),
                login_links.c.expires_us > self._clock(),
                ~login_links.c.is_used,
            )
            .values(is_used=True)
            .returning(login_links.c.user_id)
        )
        with self._engine.begin() as connection:
            user_id = connection.scalar(statement)
        user = None if user_id is None else self.user(user_id)
        return user if user is not None and user.is_active else None

    # ------------------------------------------------------------ sessions

    def prepare(self) -> None:
        """Make the key that signs sessions where there is none; losing it ends all sessions."""
        self._sessions.prepare()

    def start_session(self, user: User) -> str:
        """A signed session for the console's cookie."""
        return self._sessions.start(user.user_id)

    def by_session(self, cookie: str) -> Principal | None:
        """Who a session that is signed, fresh and not revoked belongs to."""
        found = self._sessions.read(cookie)
        if found is None:
            return None
        statement = select(users).where(
            users.c.user_id == found.user_id, users.c.is_active, ~has_ended(found.session_id)
        )
        with self._reader.begin() as connection:
            row = connection.execute(statement).first()
        if row is None:
            return None
        user = _user(row)
        return Principal(user, scopes_of(user.role), found.session_id)

    def end_session(self, principal: Principal) -> None:
        """Revoke a session for ever."""
        self._sessions.end(principal.session)

    def csrf_token(self, principal: Principal) -> str:
        """What a form of this session must send along with a change."""
        return self._sessions.csrf_token(principal.session)

    def _known(self, user_id: str) -> User:
        user = self.user(user_id)
        if user is None:
            raise Refused("user_unknown", f"There is no user {user_id}.")
        return user

    def _secret(self) -> str:
        return self._entropy(SECRET_BYTES).hex()


def _user(row: Any) -> User:  # noqa: ANN401 - a database row
    sites = frozenset(msgspec.json.decode(row.sites, type=list[str]))
    return User(row.user_id, row.role, sites, row.account_no, bool(row.is_active))
