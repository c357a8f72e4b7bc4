"""The guide of a demonstration: what to try, and a change of role without a password."""

from http import HTTPStatus
from typing import Annotated, NamedTuple

from fastapi import APIRouter, FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import AccountsReader, sign_in, users_of
from api.console.login import HOME
from ledger.aggregates import Refused

router = APIRouter(include_in_schema=False)


class Guide(NamedTuple):
    """What a demonstration tells of itself."""

    speed: int
    """Seconds of its time that pass in one of ours."""
    users: dict[str, str]
    """The user of each role."""
    verify: str
    """The command that verifies its log."""


def install(app: FastAPI, guide: Guide | None) -> None:
    """Show the guide on the monitor; without one there is none, and no role can be changed."""
    app.state.guide = guide


@router.post("/guide/role")
def change(
    request: Request, _principal: AccountsReader, role: Annotated[str, Form(max_length=32)] = ""
) -> Response:
    """Go on in another role; whoever is in a demonstration may be anybody there."""
    guide: Guide | None = request.app.state.guide
    user = users_of(request).user(guide.users[role]) if guide and role in guide.users else None
    if user is None:
        raise Refused("role_unknown", "There is no such role to change to here.")
    response = RedirectResponse(HOME, HTTPStatus.SEE_OTHER)
    sign_in(request, response, user)
    return response
