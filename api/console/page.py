"""How a page is made: its template, its language, who looks at it, and what protects it."""

import gzip
import io
import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.auth import service_of, users_of
from api.console import words
from api.console.assets import asset_url
from api.console.language import LANGUAGES, Language, preferred
from api.console.names import Names
from api.console.sums import SumBook, Sums
from ledger.access import Principal, Reach
from ledger.projections.catalogue import FRONT
from ledger.store import Answer

HEADERS: Final = {"Cache-Control": "no-store", "Vary": "Cookie, HX-Request, Accept-Encoding"}
WAIT_S: Final = 1.0
LOOK_EVERY_S: Final = 0.01
WORTH_PACKING: Final = 1_000
LEVEL: Final = 5
PADDINGS: Final = 8
"""So often 32 random digits are more than the longest name of 255."""
YEAR_S: Final = 365 * 86_400
THEMES: Final = ("light", "dark")

SECTIONS: Final = (
    ("monitor", "/monitor", words.N_("Monitor"), "accounts:read", "m"),
    ("alerts", "/alerts", words.N_("Alerts"), "accounts:read", "a"),
    ("commands", "/commands", words.N_("Commands"), "control:read", "c"),
    ("tariffs", "/tariffs", words.N_("Tariffs"), "catalogue:read", "t"),
    ("reports", "/reports/daily", words.N_("Reports"), "accounts:read", "r"),
)
"""Name, address, word, scope and key of each section."""


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("api.console"),
        autoescape=True,
        auto_reload=False,  # A row of a table would ask the disk whether its template changed.
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.globals |= {"asset": asset_url, "words": words, "SECTIONS": SECTIONS}
    made.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    return made


_TEMPLATES: Final = _environment()


def names_of(request: Request) -> Names:
    """Names of customers."""
    names: Names = request.app.state.names
    return names


def sums_of(request: Request, reach: Reach) -> Sums:
    """Sums over the accounts in somebody's reach."""
    book: SumBook = request.app.state.sums
    return book.of(reach)


def await_views(request: Request, answer: Answer) -> None:
    """Wait until what was written can be read, so that the next page shows it; not for long."""
    queries = service_of(request).queries
    positions = {int(shard): last for shard, last in answer.body.get("positions", {}).items()}
    until = time.monotonic() + WAIT_S
    while not queries.has_seen(FRONT, positions) and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)


def language_of(request: Request) -> Language:
    """The visitor's language: chosen, else what the browser prefers."""
    chosen = request.cookies.get("lang", "")
    code = chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", ""))
    return Language(code, service_of(request).ledger.terms.timezone)


def is_partial(request: Request) -> bool:
    """Whether only the view is wanted: by a filter, a dialog or the live refresh."""
    headers = request.headers
    return "hx-request" in headers and "hx-history-restore-request" not in headers


def render(
    request: Request,
    template: str,
    *,
    principal: Principal | None = None,
    section: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
    **facts: Any,  # noqa: ANN401 - what the template speaks of
) -> Response:
    """A page, or only its view where that is all that is wanted."""
    language = language_of(request)
    theme = request.cookies.get("theme", "")
    text = _TEMPLATES.get_template(template).render(
        layout="bare.html" if is_partial(request) else "shell.html",
        language=language,
        theme=theme if theme in THEMES else "",
        principal=principal,
        csrf=users_of(request).csrf_token(principal) if principal else "",
        section=section,
        request=request,
        here=address(request),
        _=language.say,
        count=language.count,
        money=language.money,
        **facts,
    )
    response = HTMLResponse(text, int(status), HEADERS | (headers or {}))
    return packed(request, response)


def packed_json(request: Request, body: object) -> Response:
    """Rows for a script of ours."""
    content = msgspec.json.encode(body)
    return packed(request, Response(content, headers=HEADERS, media_type="application/json"))


def packed(request: Request, response: Response) -> Response:
    """The same in fewer bytes, for a browser that unpacks.

    What is asked for stands beside the token of the session, so the length must tell nothing: the
    file name in the head of the packing is as long as chance will have it.
    """
    body = bytes(response.body)
    if len(body) < WORTH_PACKING or "gzip" not in request.headers.get("accept-encoding", ""):
        return response
    chance = service_of(request).ledger.new_id()
    name = (chance * PADDINGS)[: int(chance[:2], 16)]
    packing = io.BytesIO()
    with gzip.GzipFile(name, "wb", LEVEL, packing, mtime=0) as file:
        file.write(body)
    response.body = packing.getvalue()
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Length"] = str(len(response.body))
    return response


def address(request: Request) -> Callable[..., str]:
    """Makes the address of this page with other parameters; an empty one is left out."""
    query = dict(request.query_params)

    def here(**changed: object) -> str:
        asked = {**query, **{name: str(value) for name, value in changed.items()}}
        text = urlencode({name: value for name, value in asked.items() if value})
        return f"{request.url.path}?{text}" if text else request.url.path

    return here


def preference(request: Request) -> RedirectResponse | None:
    """Keeps `?lang=` and `?theme=` in a cookie and sends the visitor on without them."""
    chosen = {
        name: request.query_params[name]
        for name, known in (("lang", tuple(LANGUAGES)), ("theme", THEMES))
        if request.query_params.get(name) in known
    }
    if not chosen:
        return None
    onwards = RedirectResponse(address(request)(lang="", theme=""), HTTPStatus.SEE_OTHER)
    for name, value in chosen.items():
        onwards.set_cookie(name, value, max_age=YEAR_S, samesite="lax", httponly=True)
    return onwards
