"""Errors as problem documents (RFC 9457); what nobody foresaw tells its request's id alone."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from ledger.problems import MEANINGS, Meaning, Problem, invalid, meaning_of

MEDIA_TYPE: Final = "application/problem+json"
log: Final = structlog.get_logger("api")
_encode: Final = msgspec.json.Encoder().encode
OURS_ALONE: Final = {
    "unavailable": "The database cannot be reached now; nothing was recorded. Try again.",
    "outcome_unknown": "Whether this was recorded is not known yet; send the same request again.",
    "not_initialised": "There is no ledger here yet.",
    "vault_key": "Names and addresses cannot be read or kept now.",
}
"""What is said instead of hosts, ports and paths; those are in the log."""
TITLES: Final = {404: "Not found", 405: "Not allowed", 413: "Too large"}


def problem_response(problem: Problem) -> Response:
    """A problem as it is answered."""
    headers = {}
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    if problem.status == 401:  # noqa: PLR2004 - the one status with a header of its own
        headers["WWW-Authenticate"] = "Bearer"
    body = _encode(problem.document())
    return Response(body, problem.status, headers, media_type=MEDIA_TYPE)


def tell_problems(app: FastAPI, meanings: Sequence[Meaning]) -> None:
    """Let every error that has a meaning be answered with it."""

    async def told(request: Request, error: Exception) -> Response:
        problem = meaning_of(error, (*MEANINGS, *meanings))
        if problem is None:
            raise error
        if problem.code in OURS_ALONE:
            request_id = request.state.request_id
            log.warning("not available", request_id=request_id, reason=problem.detail)
            problem = replace(problem, detail=OURS_ALONE[problem.code])
        if problem.code == "not_signed_in" and _is_page(request):
            return RedirectResponse("/login", status_code=303)
        return problem_response(problem)

    for kind, _ in (*MEANINGS, *meanings):
        app.add_exception_handler(kind, told)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)


def internal(request_id: str) -> Problem:
    """A fault of ours: the log knows more under the same id."""
    detail = "Something went wrong on our side; nothing was half-written. Tell us the request id."
    return Problem("internal", "A fault of this program", 500, detail, {"request_id": request_id})


def _is_page(request: Request) -> bool:
    wants_page = "text/html" in request.headers.get("Accept", "")
    return wants_page and not request.url.path.startswith("/api/")


async def _malformed(_request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    return problem_response(invalid([(problem["loc"][1:], problem["msg"]) for problem in found]))


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    title = TITLES.get(status, "Not possible")
    detail = f"{error.detail}." if isinstance(error, HTTPException) else ""
    response = problem_response(Problem(f"http_{status}", title, status, detail))
    for name, value in (getattr(error, "headers", None) or {}).items():
        response.headers[name] = value
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(sorted(_methods_of(request)))
    return response


def _methods_of(request: Request) -> set[str]:
    """Every method of the routes that answer at a path; the framework tells those of one alone."""
    here = [each for each in request.app.routes if each.matches(request.scope)[0] is not Match.NONE]
    return {method for route in here for method in getattr(route, "methods", None) or ()}
