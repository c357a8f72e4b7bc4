"""The kill switch (停电总闸): nobody is cut off from now on, everywhere or at a site, and again."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from api.auth import ControlWriter, service_of
from api.bodies import cause_of
from api.console.page import await_views, render, sums_of
from api.console.recharge import sentence_of
from api.routers.trips import require_own_site
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands.switch_trips import SwitchTrips, handle
from ledger.store import Context

PAGE = "/commands"
Turn = Literal["on", "off"]
router = APIRouter(include_in_schema=False)


@router.get("/commands/trips")
def dialog(
    request: Request,
    principal: ControlWriter,
    trips: Turn = "off",
    site: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Ask where, and why."""
    return _form(request, principal, trips, site)


@router.post("/commands/trips")
def switch(
    request: Request,
    principal: ControlWriter,
    trips: Annotated[Turn, Form()],
    site: Annotated[str, Form(max_length=64)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Throw the switch; the list of commands shows it."""
    try:
        require_own_site(principal.user.reach, site)
        command = SwitchTrips(trips=trips, site=site, reason=reason.strip())
        context = Context(principal.actor, cause_of(request))
        await_views(request, handle(command, service_of(request).ledger, context))
    except (Refused, ValidationError) as error:
        return _form(request, principal, trips, site, reason, sentence_of(request, error))
    is_partial = "hx-request" in request.headers
    back = RedirectResponse(PAGE, HTTPStatus.OK if is_partial else HTTPStatus.SEE_OTHER)
    back.headers["HX-Redirect"] = PAGE
    return back


def _form(
    request: Request,
    principal: Principal,
    trips: Turn,
    site: str,
    reason: str = "",
    problem: str = "",
) -> Response:
    reach = principal.user.reach
    return render(
        request,
        "trips.html",
        principal=principal,
        trips=trips,
        site=site,
        sites=[each["name"] for each in sums_of(request, reach).sites if each["name"]],
        may_everywhere=reach.is_everything,
        reason=reason,
        problem=problem,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
    )
