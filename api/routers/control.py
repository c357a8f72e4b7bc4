"""Control over HTTP: device commands, guarantees and disputes, work orders."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import control as told
from api.asked import AccountPath, Cursor, FrontSeen, Limit, Numbered, Word
from api.auth import ControlReader, ControlWriter, require_in_reach, service_of
from api.bodies import execute, json_response
from api.contract import answering, keyed, merged, taking
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands import (
    Json,
    cancel_command,
    dispute,
    guarantee,
    request_command,
    retry_command,
    settle_work_order,
)
from ledger.queries import Asked

router = APIRouter(prefix="/api/v1", tags=["control"])

COMMAND: Final[Json] = {"kind": "recall", "reason": "the customer asks"}
GUARANTEE: Final[Json] = {"until": "2026-12-01T00:00:00+08:00", "reason": "a sick child"}
REASON: Final[Json] = {"reason": "settled with the customer"}
Status = Annotated[str, Query(pattern=r"^[a-z_]{0,32}$", description="Or `open`: under way.")]


@router.post(
    "/accounts/{account_no}/commands",
    status_code=202,
    responses=answering(
        told.CommandAccepted,
        *("account_not_open", "command_not_supported", "disputed", "expires_in_the_past"),
        *("guaranteed", "no_cut_window", "protected"),
        *("service_point_unknown", "supply_cut_for_debt"),
        status=202,
    ),
    openapi_extra=merged(taking(request_command.RequestCommand, COMMAND, "account_no"), keyed()),
)
async def request_(request: Request, who: ControlWriter, account_no: AccountPath) -> Response:
    """Order the meter to do something; the same order under way is that one."""
    kind, handle = request_command.RequestCommand, request_command.handle
    return await execute(request, who, kind, handle, status=202, account_no=account_no)


@router.get("/commands", dependencies=[FrontSeen], responses=answering(told.Commands))
def commands(
    request: Request,
    who: ControlReader,
    status: Status = "",
    kind: Word = "",
    account_no: Word = "",
    meter_no: Word = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Commands with how far they have come, the newest first."""
    named = {"status": status, "kind": kind, "account_no": account_no, "meter_no": meter_no}
    asked = Asked({name: value for name, value in named.items() if value}, cursor, limit)
    return json_response(service_of(request).queries.commands(asked, who.user.reach).body())


@router.post(
    "/commands/{command_id}/cancel",
    status_code=202,
    responses=answering(
        told.CommandAccepted,
        *("command_ended", "command_sent", "command_unknown", "id_unknown"),
        status=202,
    ),
    openapi_extra=merged(taking(cancel_command.CancelCommand, REASON, "command_id"), keyed()),
)
async def cancel(request: Request, who: ControlWriter, command_id: Numbered) -> Response:
    """Cancel a command that no meter has heard of yet."""
    await _require_command_in_reach(request, who, command_id)
    kind, handle = cancel_command.CancelCommand, cancel_command.handle
    return await execute(request, who, kind, handle, status=202, command_id=command_id)


@router.post(
    "/commands/{command_id}/retry",
    status_code=202,
    responses=answering(
        told.CommandAccepted,
        *("command_not_retryable", "command_superseded", "command_unknown", "disputed"),
        *("guaranteed", "id_unknown", "no_cut_window", "protected", "service_point_gone"),
        "supply_cut_for_debt",
        status=202,
    ),
    openapi_extra=merged(taking(retry_command.RetryCommand, {}, "command_id"), keyed()),
)
async def retry(request: Request, who: ControlWriter, command_id: Numbered) -> Response:
    """Queue a command again that failed, expired or was cancelled."""
    await _require_command_in_reach(request, who, command_id)
    kind, handle = retry_command.RetryCommand, retry_command.handle
    return await execute(request, who, kind, handle, status=202, command_id=command_id)


@router.post(
    "/accounts/{account_no}/guarantee",
    status_code=201,
    responses=answering(
        told.Guaranteed,
        *("account_not_open", "guarantee_in_the_past", "service_point_unknown"),
        status=201,
    ),
    openapi_extra=merged(taking(guarantee.StartGuarantee, GUARANTEE, "account_no"), keyed()),
)
async def start_guarantee(
    request: Request, who: ControlWriter, account_no: AccountPath
) -> Response:
    """Guarantee the supply: not cut whatever is owed."""
    kind, handle = guarantee.StartGuarantee, guarantee.start
    return await execute(request, who, kind, handle, account_no=account_no)


@router.delete(
    "/accounts/{account_no}/guarantee",
    responses=answering(told.Guaranteed, "account_not_open", "service_point_unknown"),
    openapi_extra=merged(taking(guarantee.EndGuarantee, REASON, "account_no"), keyed()),
)
async def end_guarantee(request: Request, who: ControlWriter, account_no: AccountPath) -> Response:
    """Let the supply be cut again."""
    kind, handle = guarantee.EndGuarantee, guarantee.end
    return await execute(request, who, kind, handle, status=200, account_no=account_no)


@router.post(
    "/accounts/{account_no}/dispute",
    status_code=201,
    responses=answering(told.Disputed, "account_not_open", "service_point_unknown", status=201),
    openapi_extra=merged(taking(dispute.Dispute, REASON, "account_no"), keyed()),
)
async def hold_dispute(request: Request, who: ControlWriter, account_no: AccountPath) -> Response:
    """Hold what is owed in dispute: the supply is not cut for it."""
    return await execute(request, who, dispute.Dispute, dispute.hold, account_no=account_no)


@router.delete(
    "/accounts/{account_no}/dispute",
    responses=answering(told.Disputed, "account_not_open", "service_point_unknown"),
    openapi_extra=merged(taking(dispute.Dispute, REASON, "account_no"), keyed()),
)
async def release_dispute(
    request: Request, who: ControlWriter, account_no: AccountPath
) -> Response:
    """End the dispute."""
    kind, handle = dispute.Dispute, dispute.release
    return await execute(request, who, kind, handle, status=200, account_no=account_no)


@router.get("/work-orders", dependencies=[FrontSeen], responses=answering(told.WorkOrders))
def work_orders(
    request: Request,
    who: ControlReader,
    status: Status = "",
    account_no: Word = "",
    code: Word = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What a person has to look at, the newest first."""
    named = {"status": status, "account_no": account_no, "code": code}
    asked = Asked({name: value for name, value in named.items() if value}, cursor, limit)
    return json_response(service_of(request).queries.work_orders(asked, who.user.reach).body())


@router.post(
    "/work-orders/{work_order_no}/settle",
    status_code=201,
    responses=answering(told.WorkOrderSettled, "id_unknown", "work_order_unknown", status=201),
    openapi_extra=merged(
        taking(
            settle_work_order.SettleWorkOrder, {"actual": "on", "note": "fuse"}, "work_order_no"
        ),
        keyed(),
    ),
)
async def settle(request: Request, who: ControlWriter, work_order_no: Numbered) -> Response:
    """Say what was found at the meter."""
    if not who.user.reach.is_everything:
        asked = Asked({"work_order_no": work_order_no}, limit=1)
        queries = service_of(request).queries
        page = await run_in_threadpool(queries.work_orders, asked, who.user.reach)
        if not page.items:
            raise Refused("work_order_unknown", "There is no work order of this number.")
    kind, handle = settle_work_order.SettleWorkOrder, settle_work_order.handle
    return await execute(request, who, kind, handle, work_order_no=work_order_no)


async def _require_command_in_reach(request: Request, who: Principal, command_id: str) -> None:
    """A command out of reach is as if it did not exist."""
    if who.user.reach.is_everything:
        return
    unknown = Refused("command_unknown", f"There is no command {command_id[:32]}.")
    queries = service_of(request).queries
    account_no = await run_in_threadpool(queries.account_of_command, command_id)
    if account_no is None:
        raise unknown
    try:
        await require_in_reach(request, who, account_no)
    except Refused:
        raise unknown from None
