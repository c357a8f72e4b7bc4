"""Corrections over HTTP: readings that were wrong, and readings that wait in quarantine."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import readings as told
from api.auth import ReadingsWriter, service_of
from api.bodies import cause_of, decide, json_response, model_of
from api.contract import Responses, answering, keyed, merged, taking
from api.problem_types import OF_RATING
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands import Command, ExternalId, Json, correct_reading, recompute_quarantine
from ledger.commands.recompute_quarantine import CorrectItem, DismissItem, Item, item_of
from ledger.queries import LIMIT_MAX, Asked
from ledger.store import Context

router = APIRouter(prefix="/api/v1", tags=["readings"])

ReadingId = Annotated[
    str, Path(max_length=80, pattern=r"^[^\x00-\x1f]+@", examples=["M000001@2026-11-22T00:00:00Z"])
]
Preview = Annotated[bool, Query(description="Tell what would change, and change nothing.")]
Place = Annotated[str, Path(pattern=r"^[0-9]{1,4}:[0-9]{1,18}$", examples=["0:120"])]
CORRECTION: Final[Json] = {"registers": {"total": "1234.5"}, "reason": "misread by hand"}
WHY: Final[Json] = {"reason": "read at the wrong meter"}
SOME: Final[Json] = {"meter_no": "M000001"}


def _correcting(*codes: str) -> Responses:
    """A correction as it is booked, and as a preview tells it."""
    booked = answering(told.CorrectionAnswer, *OF_RATING, *codes, "reading_unknown", status=201)
    return {**booked, **answering(told.CorrectionPreview)}


class Which(Command):
    """Which readings in quarantine to try again; nothing named is all of them."""

    meter_no: ExternalId | None = None
    account_no: ExternalId | None = None
    code: ExternalId | None = None


@router.post(
    "/readings/{reading_id}/correction",
    status_code=201,
    responses=_correcting("initial_reading"),
    openapi_extra=merged(
        taking(correct_reading.CorrectReading, CORRECTION, "meter_no", "at"), keyed()
    ),
)
async def correct(
    request: Request, who: ReadingsWriter, reading_id: ReadingId, *, preview: Preview = False
) -> Response:
    """Correct a reading: what follows from it is rated again, the difference is booked."""
    return await _change(request, who, reading_id, correct_reading.CorrectReading, preview=preview)


@router.post(
    "/readings/{reading_id}/cancellation",
    status_code=201,
    responses=_correcting("final_reading", "initial_reading"),
    openapi_extra=merged(taking(correct_reading.CancelReading, WHY, "meter_no", "at"), keyed()),
)
async def cancel(
    request: Request, who: ReadingsWriter, reading_id: ReadingId, *, preview: Preview = False
) -> Response:
    """Let a reading not count: what follows is rated again, the difference is booked."""
    return await _change(request, who, reading_id, correct_reading.CancelReading, preview=preview)


@router.post(
    "/quarantine/recompute",
    responses=answering(told.Recomputed),
    openapi_extra=taking(Which, SOME),
)
async def recompute(request: Request, who: ReadingsWriter) -> Response:
    """Charge what can be charged by now; the rest stays, and is told with why."""
    which = await model_of(request, Which)
    items = await run_in_threadpool(_waiting, request, who, which)
    context = Context(who.actor, cause_of(request))
    ledger = service_of(request).ledger
    body = await run_in_threadpool(recompute_quarantine.recompute, items, ledger, context)
    return json_response(body)


@router.post(
    "/quarantine/{place}/correction",
    status_code=201,
    responses=answering(
        told.ItemCorrected, *OF_RATING, "quarantine_settled", "quarantine_unknown", status=201
    ),
    openapi_extra=merged(taking(CorrectItem, CORRECTION), keyed()),
)
async def correct_item(request: Request, who: ReadingsWriter, place: Place) -> Response:
    """Charge a reading in quarantine with other values."""
    item = await run_in_threadpool(_item, request, who, place)
    command = await model_of(request, CorrectItem)
    return await decide(request, who, command, partial(recompute_quarantine.correct, item))


@router.post(
    "/quarantine/{place}/dismissal",
    status_code=201,
    responses=answering(told.ItemDismissed, "quarantine_settled", "quarantine_unknown", status=201),
    openapi_extra=merged(taking(DismissItem, WHY), keyed()),
)
async def dismiss_item(request: Request, who: ReadingsWriter, place: Place) -> Response:
    """Let a reading in quarantine go without a charge."""
    item = await run_in_threadpool(_item, request, who, place)
    command = await model_of(request, DismissItem)
    return await decide(request, who, command, partial(recompute_quarantine.dismiss, item))


async def _change(
    request: Request,
    who: Principal,
    reading_id: str,
    kind: type[correct_reading.CorrectReading | correct_reading.CancelReading],
    *,
    preview: bool,
) -> Response:
    meter_no, _, at = reading_id.partition("@")
    if not who.user.reach.is_everything:
        found = await run_in_threadpool(service_of(request).queries.meter, meter_no, who.user.reach)
        if found is None:
            raise Refused("reading_unknown", f"There is no reading {reading_id}.")
    command = await model_of(request, kind, meter_no=meter_no, at=at)
    handle = partial(correct_reading.handle, is_preview=preview)
    return await decide(request, who, command, handle, status=200 if preview else 201)


def _waiting(request: Request, who: Principal, which: Which) -> list[Item]:
    where = {name: value for name, value in which.model_dump().items() if value}
    queries, items, cursor = service_of(request).queries, [], None
    while True:
        page = queries.quarantine(Asked(where, cursor, LIMIT_MAX), who.user.reach)
        items += [item_of(body) for body in page.items]
        cursor = page.cursor
        if cursor is None:
            return items


def _item(request: Request, who: Principal, place: str) -> Item:
    shard, _, position = place.partition(":")
    where = {"shard": int(shard), "position": int(position)}
    page = service_of(request).queries.quarantine(Asked(where, limit=1), who.user.reach)
    if not page.items:
        raise Refused("quarantine_unknown", f"No reading waits at {place}.")
    return item_of(page.items[0])
