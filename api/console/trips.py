"""The kill switch (停电总闸, 区域保电): nobody is cut off, everywhere or at a site, and again."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from api.auth import ControlWriter, service_of
from api.bodies import cause_of
from api.console.page import await_views, language_of, render, sums_of
from api.console.recharge import sentence_of
from api.console.wall_time import TimeError, wall_time
from api.routers.trips import require_own_site
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands.switch_trips import SwitchTrips, handle
from ledger.store import Context

PAGE = "/commands"
Turn = Literal["on", "off"]
UNTIL_MAX = 40
router = APIRouter(include_in_schema=False)


@router.get("/commands/trips")
def dialog(
    request: Request,
    principal: ControlWriter,
    trips: Turn = "off",
    site: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Ask where, until when, and why."""
    return _form(request, principal, trips, site)


@router.post("/commands/trips")
def switch(
    request: Request,
    principal: ControlWriter,
    trips: Annotated[Turn, Form()],
    site: Annotated[str, Form(max_length=64)] = "",
    until: Annotated[str, Form(max_length=UNTIL_MAX)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Throw the switch; the list of commands shows it."""
    try:
        require_own_site(principal.user.reach, site)
        ends = wall_time(until, language_of(request).timezone) if trips == "off" else None
        command = SwitchTrips(trips=trips, site=site, until=ends, reason=reason.strip())
        context = Context(principal.actor, cause_of(request))
        await_views(request, handle(command, service_of(request).ledger, context))
    except TimeError as error:
        problem = language_of(request).say(str(error))
        return _form(request, principal, trips, site, until, reason, problem)
    except (Refused, ValidationError) as error:
        problem = sentence_of(request, error)
        return _form(request, principal, trips, site, until, reason, problem)
    is_partial = "hx-request" in request.headers
    back = RedirectResponse(PAGE, HTTPStatus.OK if is_partial else HTTPStatus.SEE_OTHER)
    back.headers["HX-Redirect"] = PAGE
    return back


def _form(
    request: Request,
    principal: Principal,
    trips: Turn,
    site: str,
    until: str = "",
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
        until=until,
        earliest=language_of(request).local(service_of(request).ledger.clock()),
        reason=reason,
        problem=problem,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
    )
