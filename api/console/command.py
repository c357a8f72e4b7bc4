"""The command dialog (控制命令): what the meters of an account shall do, and why."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.auth import ControlWriter, service_of
from api.bodies import cause_of
from api.console import words
from api.console.account import account_in_reach
from api.console.page import await_views, names_of, render
from api.console.recharge import sentence_of
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands import guarantee, request_command
from ledger.store import Answer, Context, Ledger

Json = dict[str, Any]
OFFERED: Final = ("recall", "close", "close_permit", "trip", "guarantee", "end_guarantee")
router = APIRouter(include_in_schema=False)


@router.get("/accounts/{account_no}/command")
def dialog(account_no: str, request: Request, principal: ControlWriter) -> Response:
    """What can be asked of the meters of an account."""
    body = account_in_reach(request, principal, account_no)
    return _form(request, principal, body, kind="recall", reason="", point="")


@router.post("/accounts/{account_no}/command")
def send(
    account_no: str,
    request: Request,
    principal: ControlWriter,
    kind: Annotated[str, Form(max_length=32)],
    point: Annotated[str, Form(max_length=64)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Request the command; the same one while it is under way is not sent twice."""
    body = account_in_reach(request, principal, account_no)
    asked = {"account_no": account_no, "service_point": point or None, "reason": reason.strip()}
    ledger, context = service_of(request).ledger, Context(principal.actor, cause_of(request))
    try:
        answer = _ordered(kind, asked, ledger, context)
    except (Refused, ValidationError) as error:
        return _form(
            request,
            principal,
            body,
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            problem=sentence_of(request, error),
            kind=kind,
            reason=reason,
            point=point,
        )
    await_views(request, answer)
    return render(
        request,
        "commanded.html",
        principal=principal,
        account=body,
        command={"kind": kind, "status": "", "code": "", "meter_no": "", **answer.body},
        status=HTTPStatus.ACCEPTED,
        headers={"HX-Trigger": "ledger:changed"},
    )


def _ordered(kind: str, asked: Json, ledger: Ledger, context: Context) -> Answer:
    """A guarantee is a matter of the account: the meter is told by what follows from it."""
    if kind == "guarantee":
        return guarantee.start(guarantee.StartGuarantee.model_validate(asked), ledger, context)
    if kind == "end_guarantee":
        return guarantee.end(guarantee.EndGuarantee.model_validate(asked), ledger, context)
    command = request_command.RequestCommand.model_validate({**asked, "kind": kind})
    return request_command.handle(command, ledger, context)


def _obeyed(request: Request, body: Json) -> frozenset[str]:
    """What some meter of an account can be ordered to do."""
    queries = service_of(request).queries
    meters = [queries.meter(point["meter_no"]) for point in body["service_points"]]
    return frozenset(kind for meter in meters if meter for kind in meter["commands"])


def _form(
    request: Request,
    principal: Principal,
    body: Json,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    problem: str = "",
    **fields: Any,  # noqa: ANN401 - for the template
) -> Response:
    obeyed = _obeyed(request, body)
    return render(
        request,
        "command.html",
        principal=principal,
        account=body,
        name=names_of(request).name(body["account_no"]),
        offered=[(kind, words.ORDERS[kind]) for kind in OFFERED if kind in obeyed],
        problem=problem,
        status=status,
        **fields,
    )
