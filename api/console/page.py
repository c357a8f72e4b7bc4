"""How a page is made: its template, its language, who looks at it, and what protects it."""

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.auth import service_of, users_of
from api.console import words
from api.console.assets import asset_url
from api.console.language import LANGUAGES, Language, preferred
from api.console.names import Names
from ledger.access import Principal
from ledger.projections.catalogue import FRONT
from ledger.store import Answer

HEADERS: Final = {"Cache-Control": "no-store", "Vary": "Cookie, HX-Request"}
WAIT_S: Final = 1.0
LOOK_EVERY_S: Final = 0.01
YEAR_S: Final = 365 * 86_400
THEMES: Final = ("light", "dark")

SECTIONS: Final = (
    ("monitor", "/monitor", words.N_("Monitor"), "accounts:read", "m"),
    ("alerts", "/alerts", words.N_("Alerts"), "accounts:read", "a"),
    ("commands", "/commands", words.N_("Commands"), "control:read", "c"),
    ("tariffs", "/tariffs", words.N_("Tariffs"), "catalogue:read", "t"),
)
"""Name, address, word, scope and key of each section."""


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("api.console"),
        autoescape=True,
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
) -> HTMLResponse:
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
    return HTMLResponse(text, int(status), HEADERS | (headers or {}))


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
