"""The kill switch over HTTP: where nobody is cut off for now, and the hand that throws it."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.answers.control import TripsSwitched, TripSwitches
from api.asked import FrontSeen
from api.auth import ControlReader, ControlWriter, service_of
from api.bodies import decide, json_response, model_of
from api.contract import answering, keyed, merged, taking
from ledger.access import Reach
from ledger.aggregates import Refused
from ledger.commands import Json, switch_trips
from ledger.commands.switch_trips import SwitchTrips

router = APIRouter(prefix="/api/v1", tags=["control"])

SWITCH: Final[Json] = {
    "trips": "off",
    "site": "East",
    "until": "2026-08-01T08:00:00+08:00",
    "reason": "a heat wave",
}


@router.get("/trips", dependencies=[FrontSeen], responses=answering(TripSwitches))
def trips(request: Request, who: ControlReader) -> Response:
    """Where nobody is cut off for now; an empty site means everywhere."""
    items = service_of(request).queries.trip_switches(who.user.reach)
    return json_response({"items": items, "cursor": None})


@router.post(
    "/trips",
    status_code=201,
    responses=answering(TripsSwitched, "expires_in_the_past", status=201),
    openapi_extra=merged(taking(SwitchTrips, SWITCH), keyed()),
)
async def switch(request: Request, who: ControlWriter) -> Response:
    """Let nobody be cut off from now on, everywhere or at a site; or let it go on."""
    command = await model_of(request, SwitchTrips)
    require_own_site(who.user.reach, command.site)
    return await decide(request, who, command, switch_trips.handle)


def require_own_site(reach: Reach, site: str) -> None:
    """Whoever works for some sites switches theirs, and not everything."""
    if not reach.is_everything and site not in (reach.sites or ()):
        raise Refused("forbidden", "You switch trips at your own sites only.")
