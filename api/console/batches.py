"""Batches of commands: which wait for a second person, how far each is, and what it came to."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.asked import Numbered
from api.auth import ControlReader, ControlWriter, service_of
from api.bodies import cause_of
from api.console import words
from api.console.commands import TONES as COMMAND_TONES
from api.console.page import address, await_views, preference, render
from api.console.recharge import sentence_of
from api.console.words import N_
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands import command_batches
from ledger.queries import Asked
from ledger.store import Answer, Context

Json = dict[str, Any]
ROWS: Final = 50
ORDERS_SHOWN: Final = 200
PAGE: Final = "/commands/batches"
TONES: Final = {
    "awaiting_approval": "warn",
    "running": "info",
    "done": "good",
    "rejected": "",
    "expired": "",
}
ORDER_TONES: Final = {**COMMAND_TONES, "waiting": "", "not_ordered": "warn"}
FILTERS: Final = (
    ("", N_("All")),
    ("awaiting_approval", N_("Waits for approval")),
    ("running", N_("Under way")),
    ("done", N_("Ordered")),
)

router = APIRouter(include_in_schema=False)


class BatchesAsked(BaseModel):
    """What the address of the list, or of a batch, says."""

    model_config = ConfigDict(extra="ignore")

    status: Annotated[str, Field(pattern=r"^[a-z_]{0,32}$")] = ""
    cursor: str = ""


@router.get(PAGE)
def batches(
    request: Request, principal: ControlReader, asked: Annotated[BatchesAsked, Query()]
) -> Response:
    """Batches, the newest first."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    where = {"status": asked.status} if asked.status else {}
    queries = service_of(request).queries
    page = queries.command_batches(Asked(where, asked.cursor or None, ROWS), principal.user.reach)
    return render(
        request,
        "batches.html",
        principal=principal,
        section="commands",
        asked=asked,
        filters=FILTERS,
        batches=[_told(item, principal) for item in page.items],
        order_tones=ORDER_TONES,
        next_href=address(request)(cursor=page.cursor) if page.cursor else "",
    )


@router.get(PAGE + "/{batch_id}")
def batch(
    batch_id: Numbered,
    request: Request,
    principal: ControlReader,
    asked: Annotated[BatchesAsked, Query()],
) -> Response:
    """One batch with its orders, and the hand that lets it run."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    found = _in_reach(request, principal, batch_id)
    orders = [each for each in found["orders"] if asked.status in {"", each["status"]}]
    return render(
        request,
        "batch_orders.html",
        principal=principal,
        section="commands",
        asked=asked,
        batch=_told(found, principal),
        orders=orders[:ORDERS_SHOWN],
        more=max(len(orders) - ORDERS_SHOWN, 0),
        order_tones=ORDER_TONES,
    )


@router.post(PAGE + "/{batch_id}/approve")
def approve(batch_id: Numbered, request: Request, principal: ControlWriter) -> Response:
    """Let a batch run that somebody else has asked for."""
    ledger, context = service_of(request).ledger, Context(principal.actor, cause_of(request))
    command = command_batches.ApproveBatch(batch_id=batch_id)
    answer = command_batches.approve(command, ledger, context, principal.user.reach)
    return _back(request, answer, batch_id)


@router.get(PAGE + "/{batch_id}/reject")
def ask_reason(batch_id: Numbered, request: Request, principal: ControlWriter) -> Response:
    """Ask why it shall not run."""
    return _form(request, principal, _in_reach(request, principal, batch_id))


@router.post(PAGE + "/{batch_id}/reject")
def reject(
    batch_id: Numbered,
    request: Request,
    principal: ControlWriter,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Let a batch not run."""
    ledger, context = service_of(request).ledger, Context(principal.actor, cause_of(request))
    try:
        command = command_batches.RejectBatch(batch_id=batch_id, reason=reason.strip())
        answer = command_batches.reject(command, ledger, context, principal.user.reach)
    except (Refused, ValidationError) as error:
        found = _in_reach(request, principal, batch_id)
        return _form(request, principal, found, reason, sentence_of(request, error))
    return _back(request, answer, batch_id)


def _told(body: Json, principal: Principal) -> Json:
    """A batch with how it is shown, and what may be done about it."""
    waits = body["status"] == "awaiting_approval"
    may_write = waits and "control:write" in principal.scopes
    return {
        **body,
        "tone": TONES.get(body["status"], ""),
        "word": words.word(words.BATCH_STATUS, body["status"]),
        "may_approve": may_write and body["requested_by"] != principal.actor,
        "may_reject": may_write,
        "is_own": waits and body["requested_by"] == principal.actor,
    }


def _in_reach(request: Request, principal: Principal, batch_id: str) -> Json:
    found = service_of(request).queries.command_batch(batch_id, principal.user.reach)
    if found is None:
        raise Refused("batch_unknown", "There is no batch of this id.")
    return found


def _form(
    request: Request, principal: Principal, found: Json, reason: str = "", problem: str = ""
) -> Response:
    return render(
        request,
        "batch_reject.html",
        principal=principal,
        batch=found,
        reason=reason,
        problem=problem,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
    )


def _back(request: Request, answer: Answer, batch_id: str) -> Response:
    await_views(request, answer)
    page = f"{PAGE}/{batch_id}"
    is_partial = "hx-request" in request.headers
    back = RedirectResponse(page, HTTPStatus.OK if is_partial else HTTPStatus.SEE_OTHER)
    back.headers["HX-Redirect"] = page
    return back
