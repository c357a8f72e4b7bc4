"""Batches of device commands over HTTP: previewed, asked for, approved by a second person."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import batches as told
from api.asked import Cursor, FrontSeen, Limit, Numbered, Word
from api.auth import ControlReader, ControlWriter, service_of
from api.bodies import cause_of, decide, execute, json_response, model_of
from api.contract import answering, keyed, merged, taking
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands import Json, command_batches, preview_batch
from ledger.commands.preview_batch import PreviewBatch
from ledger.queries import AccountsAsked, Asked
from ledger.service import Service
from ledger.store import Context

router = APIRouter(prefix="/api/v1", tags=["control"])

BATCH: Final[Json] = {
    "kind": "recall",
    "reason": "a look at the quarter",
    "accounts": [{"account_no": "A000001", "service_point": "electricity"}],
}
LOOK: Final[Json] = {"kind": "trip", "filter": {"group": "homes", "alert_level": "trip"}}
REASON: Final[Json] = {"reason": "the wrong quarter"}
Standing = Annotated[str, Query(pattern=r"^[a-z_]{0,32}$", examples=["awaiting_approval"])]


@router.post(
    "/commands/batch/preview",
    responses=answering(told.BatchPreview, "account_unknown", "batch_too_large"),
    openapi_extra=taking(PreviewBatch, LOOK),
)
async def look(request: Request, who: ControlWriter) -> Response:
    """Whom an order would reach, whom not and why; a filter becomes a list. Nothing is written."""
    wanted = await model_of(request, PreviewBatch)
    context = Context(who.actor, cause_of(request))
    return json_response(
        await run_in_threadpool(previewed, wanted, service_of(request), who, context)
    )


@router.post(
    "/commands/batch",
    status_code=202,
    responses=answering(told.BatchAccepted, "expires_in_the_past", status=202),
    openapi_extra=merged(taking(command_batches.RequestBatch, BATCH), keyed()),
)
async def request_(request: Request, who: ControlWriter) -> Response:
    """Order many meters to do the same; each account is decided on by itself."""
    handle = partial(command_batches.handle, reach=who.user.reach)
    return await execute(request, who, command_batches.RequestBatch, handle, status=202)


@router.get("/commands/batches", dependencies=[FrontSeen], responses=answering(told.Batches))
def batches(
    request: Request,
    who: ControlReader,
    status: Standing = "",
    kind: Word = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Batches with how far they have come, the newest first."""
    named = {"status": status, "kind": kind}
    asked = Asked({name: value for name, value in named.items() if value}, cursor, limit)
    return json_response(service_of(request).queries.command_batches(asked, who.user.reach).body())


@router.get(
    "/commands/batches/{batch_id}",
    dependencies=[FrontSeen],
    responses=answering(told.BatchState, "batch_unknown"),
)
def batch(request: Request, who: ControlReader, batch_id: Numbered) -> Response:
    """One batch with each of its orders."""
    body = service_of(request).queries.command_batch(batch_id, who.user.reach)
    if body is None:
        raise Refused("batch_unknown", "There is no batch of this id.")
    return json_response(body)


@router.post(
    "/commands/batches/{batch_id}/approve",
    status_code=202,
    responses=answering(
        told.BatchAccepted,
        *("batch_not_waiting", "batch_unknown", "id_unknown", "same_person"),
        status=202,
    ),
    openapi_extra=keyed(),
)
async def approve(request: Request, who: ControlWriter, batch_id: Numbered) -> Response:
    """Let a batch run that somebody else has asked for; each account is decided on as it is now."""
    command = command_batches.ApproveBatch(batch_id=batch_id)
    handle = partial(command_batches.approve, reach=who.user.reach)
    return await decide(request, who, command, handle, status=202)


@router.post(
    "/commands/batches/{batch_id}/reject",
    status_code=202,
    responses=answering(
        told.BatchRejected, "batch_not_waiting", "batch_unknown", "id_unknown", status=202
    ),
    openapi_extra=merged(taking(command_batches.RejectBatch, REASON, "batch_id"), keyed()),
)
async def reject(request: Request, who: ControlWriter, batch_id: Numbered) -> Response:
    """Let a batch not run; whoever asked for it may take it back so."""
    kind = command_batches.RejectBatch
    handle = partial(command_batches.reject, reach=who.user.reach)
    return await execute(request, who, kind, handle, status=202, batch_id=batch_id)


def previewed(wanted: PreviewBatch, service: Service, who: Principal, context: Context) -> Json:
    """What a batch would do, of what is in reach."""
    reach = who.user.reach

    def numbers_of(named: Json) -> list[str]:
        return service.queries.account_numbers(AccountsAsked(**named), reach)

    return preview_batch.handle(wanted, numbers_of, service.ledger, context, reach)
