"""Around every request: an id, headers that keep browsers strict, one line in the log, a count."""

import re
import time
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problems import internal, problem_response

REQUEST_ID: Final = b"x-request-id"
_SNIFF: Final = (b"x-content-type-options", b"nosniff")
_PAGES: Final = (
    _SNIFF,
    (
        b"content-security-policy",
        (
            b"default-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
            b"form-action 'self'; frame-ancestors 'none'; object-src 'none'"
        ),
    ),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_DATA: Final = (
    _SNIFF,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""Of the API: JSON is never a page, and never kept."""
_WANTED: Final = re.compile(rb"[A-Za-z0-9_.-]{1,64}")

log: Final = structlog.get_logger("api")


class Porter:
    """Pure ASGI: no copy of a body, no task of its own, and streams pass as they are."""

    def __init__(self, app: ASGIApp, *, new_id: Callable[[], str], metrics: Metrics) -> None:
        self._app = app
        self._prefix = new_id()[:12]
        self._numbers = count(1)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; an error that nobody answered becomes a problem with the id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _headers_alone(send)
        request_id = _told_id(scope) or f"{self._prefix}-{next(self._numbers)}"
        scope.setdefault("state", {})["request_id"] = request_id
        strict = _DATA if scope["path"].startswith("/api/") else _PAGES
        started, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                named = {name for name, _ in headers}
                headers += [each for each in strict if each[0] not in named]
                headers.append((REQUEST_ID, request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            log.exception("request failed", **_about(scope, request_id))
            if status:
                raise  # The answer has begun; the server breaks the connection.
            await problem_response(internal(request_id))(scope, receive, sending)
        finally:
            self._note(scope, request_id, status, time.perf_counter() - started)

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = _route(scope)
        self._metrics.answered(scope["method"], route, status, seconds)
        if route != "/healthz":
            about = _about(scope, request_id)
            log.info("request", **about, status=status, ms=round(seconds * 1_000, 1))


def _headers_alone(send: Send) -> Send:
    """Tells what GET would tell, and ends before its body."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b""})

    return sending


def _told_id(scope: Scope) -> str:
    """The id that a request came with, if it is one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID:
            return value.decode() if _WANTED.fullmatch(value) else ""
    return ""


def _route(scope: Scope) -> str:
    """The route's template: a path with a number in it would be a metric of its own."""
    return getattr(scope.get("route"), "path", "") or "unmatched"


def _about(scope: Scope, request_id: str) -> dict[str, Any]:
    principal = scope["state"].get("principal")
    return {
        "request_id": request_id,
        "actor": principal.actor if principal is not None else "",
        "method": scope["method"],
        "route": _route(scope),
    }
