"""Who may do what (权限): scopes, roles that are sets of them, people restricted to sites."""

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

SCOPES: Final = frozenset(
    {
        "accounts:read",  # accounts, their events, statements and usage, alerts, the stream
        "accounts:write",  # open, close, meters, group, tariff and policy of an account
        "money:write",  # recharges
        "money:correct",  # adjustments and reversals
        "readings:read",
        "readings:write",
        "control:read",
        "control:write",  # device commands, guarantees, disputes
        "catalogue:read",
        "catalogue:write",  # tariffs and control policies
        "devices:write",  # gateways and what hangs on them
        "finance:read",
        "audit:read",  # events with their envelopes, proofs, the past of an account
        "metrics:read",
        "users:write",
    }
)
"""What a route may ask for; a route that names none does not start."""

_STAFF: Final = frozenset({"accounts:read", "readings:read", "control:read", "catalogue:read"})

ROLES: Final[dict[str, frozenset[str]]] = {
    "operator": _STAFF | {"accounts:write", "readings:write", "control:write"},
    "cashier": _STAFF | {"accounts:write", "money:write"},
    "engineer": _STAFF | {"readings:write", "control:write", "devices:write", "metrics:read"},
    "tariff_manager": _STAFF | {"catalogue:write"},
    "finance": _STAFF | {"finance:read", "money:correct", "audit:read"},
    "auditor": frozenset(scope for scope in SCOPES if scope.endswith(":read")),
    "admin": SCOPES,
    "customer": frozenset({"accounts:read"}),
}


class Reach(NamedTuple):
    """Whose accounts may be seen: of these sites, or these accounts alone; None is no bound."""

    sites: frozenset[str] | None = None
    account_no: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is out of reach."""
        return self.sites is None and self.account_no is None

    def covers(self, account_no: str, site: str) -> bool:
        """Whether an account of a site may be seen."""
        if self.account_no is not None and account_no != self.account_no:
            return False
        return self.sites is None or site in self.sites


class User(NamedTuple):
    """Somebody who may sign in; `sites` empty means every site, `account_no` is a customer's."""

    user_id: str
    role: str
    sites: frozenset[str] = frozenset()
    account_no: str = ""
    is_active: bool = True

    @property
    def reach(self) -> Reach:
        """Whose accounts this user may see; a customer without an account sees none."""
        if self.role == "customer":
            return Reach(account_no=self.account_no)
        return Reach(sites=self.sites or None)


class Principal(NamedTuple):
    """Who asks, and what was granted to the token or session that the request came with."""

    user: User
    scopes: frozenset[str]
    session: str = ""
    """Id of the console's session; empty for an API token."""

    @property
    def actor(self) -> str:
        """The id that events name as their actor."""
        return f"user:{self.user.user_id}"


class LoginsLimitedError(Exception):
    """Too many failed attempts; the next may come after `retry_after_s`."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"Too many failed attempts; try again in {retry_after_s} seconds.")
        self.retry_after_s = retry_after_s


class Users(Protocol):
    """People, their API tokens, login links and sessions; secrets are kept as hashes."""

    def user(self, user_id: str) -> User | None:
        """A user, active or not."""

    def by_password(self, user_id: str, password: str, origin: str) -> User | None:
        """The active user of a right password; `LoginsLimitedError` after many wrong ones."""

    def remembered(self, token: str) -> Principal | None:
        """The same as `by_token`, where it was asked for a moment ago."""

    def by_token(self, token: str) -> Principal | None:
        """Who a standing API token speaks for."""

    def by_link(self, link: str) -> User | None:
        """The user of a login link, which is used up by it."""

    def start_session(self, user: User) -> str:
        """A signed session for the console's cookie."""

    def by_session(self, cookie: str) -> Principal | None:
        """Who a session that is signed, fresh and not revoked belongs to."""

    def end_session(self, principal: Principal) -> None:
        """Revoke a session for ever."""

    def csrf_token(self, principal: Principal) -> str:
        """What a form of this session must send along with a change."""


def scopes_of(role: str, asked: Iterable[str] = ()) -> frozenset[str]:
    """Scopes of a role, or those of them that were asked for."""
    granted = ROLES[role]
    wanted = frozenset(asked)
    return granted & wanted if wanted else granted
