"""Signing in and out: a password for a session, in a cookie of the console."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.answers import watch as told
from api.auth import AccountsReader, Anyone, sign_in, sign_out, users_of
from api.bodies import json_response, model_of
from api.contract import answering, taking
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands import Command, Identifier, Json

router = APIRouter(tags=["session"])


class Login(Command):
    """A user's id and password."""

    user_id: Identifier
    password: Annotated[str, Field(min_length=1, max_length=1_000)]


@router.post(
    "/api/v1/session",
    status_code=201,
    dependencies=[Anyone],
    responses=answering(
        told.SignedIn, "logins_limited", "not_signed_in", "unavailable", status=201
    ),
    openapi_extra=taking(Login, {"user_id": "anna", "password": "…"}),
)
async def log_in(request: Request) -> Response:
    """Sign in by password; after too many failures 429 with Retry-After."""
    login = await model_of(request, Login)
    origin = request.client.host if request.client else ""

    def check() -> Response:
        users = users_of(request)
        user = users.by_password(login.user_id, login.password, origin)
        if user is None:
            raise Refused("not_signed_in", "User or password are wrong.")
        response = json_response({"user_id": user.user_id, "role": user.role}, 201)
        sign_in(request, response, user)
        return response

    return await run_in_threadpool(check)


@router.get("/api/v1/session", responses=answering(told.Session))
def show_session(request: Request, who: AccountsReader) -> Response:
    """Who is signed in, what is granted, and the token that changes must bring along."""
    return json_response(_session(request, who))


@router.delete("/api/v1/session", status_code=204)
def log_out(request: Request, who: AccountsReader) -> Response:
    """End the session for ever."""
    response = Response(status_code=204)
    if who.session:
        sign_out(request, response, who)
    return response


def _session(request: Request, who: Principal) -> Json:
    user = who.user
    return {
        "user_id": user.user_id,
        "role": user.role,
        "scopes": sorted(who.scopes),
        "sites": sorted(user.sites),
        "account_no": user.account_no or None,
        "csrf_token": users_of(request).csrf_token(who) if who.session else None,
    }
