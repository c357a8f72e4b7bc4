"""`wattledger user`: who may sign in, their API tokens and login links."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from adapters.cli.output import Shown, facts, table
from adapters.cli.problems import InputError
from adapters.cli.verbs import topic, verb
from adapters.settings import Settings
from adapters.store.users import SqlUsers
from adapters.wiring import open_engine, open_terms, open_users, read_settings
from ledger.access import ROLES, User
from ledger.aggregates import Refused
from ledger.commands import Json

PASSWORD_MIN = 10

group = topic("user", "People who may sign in")
UserId = Annotated[str, typer.Argument(metavar="USER", help="The user's id; it becomes an actor.")]


@contextmanager
def people() -> Iterator[tuple[SqlUsers, Settings]]:
    """The users of the ledger of the environment."""
    settings = read_settings()
    engine = open_engine(settings)
    try:
        open_terms(engine)
        yield open_users(engine, settings), settings
    finally:
        engine.dispose()


@verb(group)
def add(
    user: UserId,
    role: Annotated[str, typer.Option(help=f"{', '.join(ROLES)}.")],
    site: Annotated[list[str] | None, typer.Option(help="Only this site; may be repeated.")] = None,
    account: Annotated[str, typer.Option(help="The account of a customer.")] = "",
    password_stdin: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--password-stdin", help="Read a password from stdin.")
    ] = False,
) -> Shown:
    """Let somebody in; without a password by login link or token alone."""
    password = _password() if password_stdin else ""
    with people() as (users, _):
        added = users.add(User(user, role, frozenset(site or ()), account), password)
    return Shown(body=_body(added), human=facts(_body(added)), hint=f"wattledger user link {user}")


@verb(group, "list")
def list_() -> Shown:
    """List everybody, active or not."""
    with people() as (users, _):
        items = [_body(user) for user in users.everybody()]
    rows = [(i["user_id"], i["role"], i["sites"], i["is_active"]) for i in items]
    return Shown(
        body={"items": items, "cursor": None},
        human=table(("user", "role", "sites", "active"), rows),
    )


@verb(group)
def token(
    user: UserId,
    scope: Annotated[
        list[str] | None, typer.Option(help="Only this scope (default: the role's).")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How long it holds.")] = 365,
) -> Shown:
    """Make an API token; it is shown this once."""
    with people() as (users, _):
        made = users.issue_token(user, scope or (), days)
    body: Json = {"user_id": user, "token": made, "days": days}
    return Shown(body=body, human=facts(body), hint="curl -H 'Authorization: Bearer TOKEN' …")


@verb(group)
def revoke(made: Annotated[str, typer.Argument(metavar="TOKEN", help="Or its id.")]) -> Shown:
    """Refuse an API token from now on."""
    token_id = made.split("_")[1] if made.count("_") > 1 else made
    with people() as (users, _):
        if not users.revoke_token(token_id):
            raise Refused("token_unknown", f"There is no token {token_id}.")
    return Shown(body={"token_id": token_id, "revoked": True})


@verb(group)
def link(
    user: UserId,
    minutes: Annotated[int, typer.Option(min=1, max=1_440, help="How long it holds.")] = 15,
) -> Shown:
    """Make a link that signs in once."""
    with people() as (users, settings):
        secret = users.issue_link(user, minutes)
    url = f"http://{settings.host}:{settings.port}/login/{secret}"
    body: Json = {"user_id": user, "url": url, "minutes": minutes}
    return Shown(body=body, human=facts(body), hint="wattledger serve")


@verb(group)
def disable(user: UserId) -> Shown:
    """Shut somebody out, with all tokens and sessions."""
    with people() as (users, _):
        return Shown(body=_body(users.set_active(user, is_active=False)))


@verb(group)
def enable(user: UserId) -> Shown:
    """Let somebody in again."""
    with people() as (users, _):
        return Shown(body=_body(users.set_active(user, is_active=True)))


def _password() -> str:
    password = sys.stdin.readline().rstrip("\n")
    if len(password) < PASSWORD_MIN:
        raise InputError("password_short", f"A password has at least {PASSWORD_MIN} characters.")
    return password


def _body(user: User) -> Json:
    return {
        "user_id": user.user_id,
        "role": user.role,
        "sites": sorted(user.sites),
        "account_no": user.account_no or None,
        "is_active": user.is_active,
    }
