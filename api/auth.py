"""Who asks, and may they: every route names the scope it needs, or the application does not start.

An API token comes as `Authorization: Bearer`, the console's session as a cookie; a change that
comes with a cookie must bring the session's CSRF token along, in a header or a field of its form.
"""

import hmac
import re
from collections.abc import Iterator
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.routing import Mount

from ledger.access import SCOPES, Principal, User, Users
from ledger.aggregates import Refused
from ledger.problems import NotAcceptableError, invalid
from ledger.service import Service

COOKIE: Final = "wattledger_session"
CSRF_HEADER: Final = "X-CSRF-Token"
CSRF_FIELD: Final = "csrf_token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_API: Final = "/api/"
_ACCOUNT_NO: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Requires:
    """A dependency: the one who asks, if signed in, granted the scope, and within reach."""

    def __init__(self, scope: str) -> None:
        if scope not in SCOPES:
            raise ValueError(f"{scope} is no scope of ledger.access")
        self.scope = scope

    async def __call__(self, request: Request) -> Principal:
        """Refuse with 401, 403, or 404 where the account in the path is out of reach."""
        principal = await principal_of(request)
        if principal is None:
            raise Refused("not_signed_in", "Sign in, or send an API token.")
        request.scope["state"]["principal"] = principal
        if self.scope not in principal.scopes:
            raise Refused("forbidden", f"This needs the scope {self.scope}.")
        if principal.session and request.method not in SAFE_METHODS:
            await _require_csrf(request, principal)
        account_no = request.path_params.get("account_no")
        if account_no is not None:
            await require_in_reach(request, principal, account_no)
        if request.scope["query_string"] and request.scope["path"].startswith(_API):
            require_known_questions(request)
        return principal


def require_known_questions(request: Request) -> None:
    """Refuse a parameter that the route does not know, rather than answer another question."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    if dependant is None:
        return
    asking = (dependant, *_all(dependant))
    known = {param.alias for each in asking for param in each.query_params}
    told = (request.scope["route"].openapi_extra or {}).get("parameters", ())
    known |= {param["name"] for param in told if param["in"] == "query"}
    strange = sorted({*request.query_params} - known)
    if strange:
        raise NotAcceptableError(
            invalid([((name,), "This parameter is not known here.") for name in strange])
        )


async def anyone() -> None:
    """A dependency that says on purpose: this route is open to all."""


Anyone: Final = Depends(anyone)
AccountsReader = Annotated[Principal, Depends(Requires("accounts:read"))]
AccountsWriter = Annotated[Principal, Depends(Requires("accounts:write"))]
Cashier = Annotated[Principal, Depends(Requires("money:write"))]
Corrector = Annotated[Principal, Depends(Requires("money:correct"))]
ReadingsReader = Annotated[Principal, Depends(Requires("readings:read"))]
ReadingsWriter = Annotated[Principal, Depends(Requires("readings:write"))]
ControlReader = Annotated[Principal, Depends(Requires("control:read"))]
ControlWriter = Annotated[Principal, Depends(Requires("control:write"))]
CatalogueReader = Annotated[Principal, Depends(Requires("catalogue:read"))]
CatalogueWriter = Annotated[Principal, Depends(Requires("catalogue:write"))]
DevicesWriter = Annotated[Principal, Depends(Requires("devices:write"))]
Auditor = Annotated[Principal, Depends(Requires("audit:read"))]
MetricsReader = Annotated[Principal, Depends(Requires("metrics:read"))]


def service_of(request: Request) -> Service:
    """The ledger behind this application."""
    service: Service = request.app.state.service
    return service


def users_of(request: Request) -> Users:
    """The people who may sign in."""
    users: Users = request.app.state.users
    return users


def header_of(request: Request, name: bytes) -> str:
    """A header by its name in small letters; empty where it was not sent."""
    for told, value in request.scope["headers"]:
        if told == name:
            return str(value, "latin-1")
    return ""


async def principal_of(request: Request) -> Principal | None:
    """Who asks: by token where one is sent, else by the session's cookie."""
    users = users_of(request)
    kind, _, token = header_of(request, b"authorization").partition(" ")
    if kind.lower() == "bearer":
        token = token.strip()
        return users.remembered(token) or await run_in_threadpool(users.by_token, token)
    cookie = request.cookies.get(COOKIE)
    return await run_in_threadpool(users.by_session, cookie) if cookie else None


async def require_in_reach(request: Request, principal: Principal, account_no: str) -> None:
    """Refuse an account that the asker may not see as if it did not exist."""
    reach = principal.user.reach
    if _ACCOUNT_NO.fullmatch(account_no) is None:
        raise account_unknown(account_no)
    if reach.is_everything:
        return
    site = await run_in_threadpool(service_of(request).queries.site_of, account_no)
    if site is None or not reach.covers(account_no, site):
        raise account_unknown(account_no)


def account_unknown(account_no: str) -> Refused:
    """There is no such account, or none that the asker may see."""
    return Refused("account_unknown", f"There is no account {account_no[:32]!r}.")


async def _require_csrf(request: Request, principal: Principal) -> None:
    told = request.headers.get(CSRF_HEADER, "")
    is_page = not request.scope["path"].startswith(_API)  # The API's own bodies are JSON.
    if not told and is_page and request.headers.get("Content-Type", "").startswith(_FORMS):
        field = (await request.form()).get(CSRF_FIELD)
        told = field if isinstance(field, str) else ""
    if not hmac.compare_digest(told.encode(), users_of(request).csrf_token(principal).encode()):
        raise Refused("csrf", "This form is out of date; load the page again.")


def sign_in(request: Request, response: Response, user: User) -> None:
    """Start a session of the console; blocks, so call it from a thread."""
    response.set_cookie(
        COOKIE,
        users_of(request).start_session(user),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def sign_out(request: Request, response: Response, principal: Principal) -> None:
    """End a session for ever; blocks, so call it from a thread."""
    users_of(request).end_session(principal)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")


def require_guards(app: FastAPI) -> None:
    """Refuse to start with a route that neither names its scope nor says that it is open."""
    bare = [path for path, scope in scopes_by_route(app) if scope is None]
    if bare:
        raise RuntimeError(f"These routes name no scope: {', '.join(bare)}")


def scopes_by_route(app: FastAPI) -> Iterator[tuple[str, str | None]]:
    """Every route with the scope it needs: empty where it is open, None where nothing is said.

    Mounted files are open: they are the same for everybody.
    """
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, Mount):
            continue
        methods = ",".join(sorted(route.methods or ()))
        dependant = getattr(route, "dependant", None)
        yield f"{methods} {route.path}", None if dependant is None else _scope_of(dependant)


def _scope_of(dependant: Dependant) -> str | None:
    for inner in _all(dependant):
        if isinstance(inner.call, Requires):
            return inner.call.scope
        if inner.call is anyone:
            return ""
    return None


def _all(dependant: Dependant) -> Iterator[Dependant]:
    for inner in dependant.dependencies:
        yield inner
        yield from _all(inner)
