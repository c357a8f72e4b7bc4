"""What happens, over HTTP: alerts, events, sums for a monitor, and a live stream."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.answers.accounts import Events
from api.answers.watch import Alerts, Totals
from api.asked import Cursor, FrontSeen, Limit, Word
from api.auth import AccountsReader, Auditor, service_of
from api.bodies import json_response
from api.contract import answering, streaming
from api.stream import VIEWS, Stream
from ledger.aggregates import Refused
from ledger.queries import Asked, LogAsked

router = APIRouter(prefix="/api/v1", tags=["watch"])

STREAM: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
MESSAGE: Final = 'id: 0:121\nevent: accounts\ndata: {"positions": {"0": 121}, "accounts": []}\n\n'
Positions = Annotated[str, Header(alias="Last-Event-ID", max_length=20_000)]


@router.get("/alerts", dependencies=[FrontSeen], responses=answering(Alerts))
def alerts(
    request: Request,
    who: AccountsReader,
    level: Annotated[str, Query(pattern=r"^(|remind|warn|trip)$")] = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Levels that hold now, the newest first."""
    asked = Asked({"level": level} if level else {}, cursor, limit)
    return json_response(service_of(request).queries.alerts(asked, who.user.reach).body())


@router.get("/events", responses=answering(Events))
def events(
    request: Request,
    who: Auditor,
    shard: Annotated[int, Query(ge=0, le=9_999)] = 0,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    type: Word = "",  # noqa: A002 - its name in the URL
    limit: Limit = 100,
) -> Response:
    """Events of a shard behind a position, in order; for those who may see every account."""
    if not who.user.reach.is_everything:
        raise Refused("forbidden", "The whole log is for those who may see every account.")
    page = service_of(request).queries.log(LogAsked(shard, after, type, limit))
    return json_response(page.body())


@router.get("/totals", dependencies=[FrontSeen], responses=answering(Totals))
def totals(request: Request, who: AccountsReader) -> Response:
    """Accounts, money, levels and supply of everything in reach."""
    return json_response(service_of(request).queries.totals(who.user.reach))


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses=streaming({"text/event-stream": MESSAGE}),
)
async def stream(
    request: Request,
    who: AccountsReader,
    views: Annotated[str, Query(pattern=r"^[a-z_,]{1,100}$")] = ",".join(VIEWS),
    last_event_id: Positions = "",
) -> StreamingResponse:
    """Server-sent events: at most one message a second for each view, with what changed in it.

    `id` is the positions the views have reached; one who comes back with `Last-Event-ID` is told
    what changed since, or to look again at everything (`"accounts": null`).
    """
    found: Stream = request.app.state.stream
    wanted = [view for view in VIEWS if view in views.split(",")]
    messages: AsyncIterator[bytes] = found.listen(wanted, who.user.reach, last_event_id)
    return StreamingResponse(messages, media_type="text/event-stream", headers=STREAM)
