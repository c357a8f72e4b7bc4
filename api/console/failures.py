"""Problems as people read them: a page instead of a document, for browsers that ask for one."""

from typing import Any, Final

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.console.page import render
from api.console.words import N_

MEDIA_TYPE: Final = b"application/problem+json"
TITLES: Final = {
    401: N_("Please sign in"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    409: N_("Not possible now"),
    422: N_("This cannot be read"),
    500: N_("Something went wrong on our side"),
    503: N_("Not available now"),
}


class Presented:
    """Pure ASGI, around everything: only answers that are problems are touched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and show a problem as a page to a browser."""
        if scope["type"] != "http" or not _wants_page(scope):
            await self._app(scope, receive, send)
            return
        held: list[Message] = []

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_problem(message):
                held.append(message)
            elif held:
                held.append(message)
                if not message.get("more_body"):
                    await _page(scope, held)(scope, receive, send)
            else:
                await send(message)

        await self._app(scope, receive, sending)


def _wants_page(scope: Scope) -> bool:
    accepted = Headers(scope=scope).get("accept", "")
    return "text/html" in accepted and not scope["path"].startswith("/api/")


def _is_problem(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(MEDIA_TYPE)
        for name, value in message["headers"]
    )


def _page(scope: Scope, held: list[Message]) -> ASGIApp:
    start, *rest = held
    body = b"".join(message.get("body", b"") for message in rest)
    problem: dict[str, Any] = msgspec.json.decode(body)
    request = Request(scope)
    state = scope.get("state", {})
    page = render(
        request,
        "problem.html",
        principal=state.get("principal"),
        status=start["status"],
        problem=problem,
        title=TITLES.get(start["status"], problem["title"]),
        request_id=state.get("request_id", ""),
    )
    kept = [
        (name, value)
        for name, value in start["headers"]
        if name.lower() not in {b"content-type", b"content-length", b"cache-control", b"vary"}
    ]
    page.raw_headers.extend(kept)
    return page
