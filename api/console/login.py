"""Signing in at the console: by password, or by a one-time link that somebody was given."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import AccountsReader, Anyone, sign_in, sign_out, users_of
from api.console.page import language_of, preference, render
from api.console.words import N_
from ledger.access import LoginsLimitedError

HOME: Final = "/monitor"

router = APIRouter(include_in_schema=False)


@router.get("/", dependencies=[Anyone])
def home() -> Response:
    """The console begins at the monitor."""
    return RedirectResponse(HOME, HTTPStatus.SEE_OTHER)


@router.get("/login", dependencies=[Anyone])
def show(request: Request) -> Response:
    """The form."""
    onwards = preference(request)
    return onwards or render(request, "login.html", problem="", user_id="")


@router.post("/login", dependencies=[Anyone])
def enter(
    request: Request,
    user_id: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """A session for a right password; too many wrong ones make wait."""
    origin = request.client.host if request.client else ""
    language = language_of(request)
    try:
        user = users_of(request).by_password(user_id, password, origin) if password else None
    except LoginsLimitedError as limited:
        wait = N_("Too many attempts. Try again in %(seconds)s seconds.")
        problem, status = language.say(wait, seconds=limited.retry_after_s), 429
    else:
        if user is not None:
            response = RedirectResponse(HOME, HTTPStatus.SEE_OTHER)
            sign_in(request, response, user)
            return response
        problem, status = language.say(N_("User or password are wrong.")), 401
    return render(request, "login.html", problem=problem, user_id=user_id, status=status)


@router.get("/login/{link}", dependencies=[Anyone])
def follow(link: str, request: Request) -> Response:
    """A session for a one-time link, which works once."""
    user = users_of(request).by_link(link)
    if user is None:
        spent = N_("This link was used before or is too old. Ask for another one.")
        problem = language_of(request).say(spent)
        return render(request, "login.html", problem=problem, user_id="", status=401)
    response = RedirectResponse(HOME, HTTPStatus.SEE_OTHER)
    sign_in(request, response, user)
    return response


@router.post("/logout")
def leave(request: Request, principal: AccountsReader) -> Response:
    """End the session for ever."""
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    sign_out(request, response, principal)
    return response
