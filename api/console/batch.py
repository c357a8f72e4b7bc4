"""The batch dialog (批量控制): what the filtered accounts shall do, whom that reaches, and why."""

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from api.auth import ControlWriter, service_of
from api.bodies import cause_of
from api.console import words
from api.console.monitor import MonitorAsked, account_of_receipt
from api.console.page import await_views, language_of, names_of, render
from api.console.recharge import sentence_of
from api.console.words import N_
from api.routers.batches import previewed
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands import command_batches
from ledger.commands.command_batches import BatchAccount, RequestBatch
from ledger.commands.preview_batch import BatchFilter, PreviewBatch
from ledger.ports import Claim
from ledger.store import Context

Json = dict[str, Any]
Kind = Literal["recall", "close", "close_permit", "trip"]
OFFERED: Final[tuple[Kind, ...]] = ("recall", "close", "close_permit", "trip")
TYPED_ABOVE: Final = 50
"""For more accounts than this their number is typed before anything is ordered."""
EXCLUDED_SHOWN: Final = 20
LIST_MAX: Final = 600_000
"""Characters of a list of 5,000 accounts with their points."""
ROUTE: Final = "/commands/batch"
router = APIRouter(include_in_schema=False)


class BatchAsked(MonitorAsked):
    """The filters of the monitor, and what its accounts shall do."""

    kind: Kind = "recall"
    service: Annotated[str, Query(max_length=64)] = "electricity"


@router.get("/monitor/batch")
def dialog(
    request: Request, principal: ControlWriter, asked: Annotated[BatchAsked, Query()]
) -> Response:
    """What would be ordered of the accounts that the monitor shows; they are named from here on."""
    wanted = PreviewBatch(
        kind=asked.kind,
        filter=BatchFilter(
            q=account_of_receipt(request, asked.q.strip()),
            site=asked.site,
            group=asked.group,
            alert_level=asked.level,
            supply=asked.supply,
            service_kind=asked.service,
        ),
    )
    return _form(request, principal, wanted, asked=asked, key=service_of(request).ledger.new_id())


@router.post(ROUTE)
def order(
    request: Request,
    principal: ControlWriter,
    kind: Annotated[Kind, Form()],
    key: Annotated[str, Form(pattern=r"^[0-9a-f]{32}$")],
    accounts: Annotated[str, Form(max_length=LIST_MAX)],
    reason: Annotated[str, Form(max_length=500)] = "",
    typed: Annotated[str, Form(max_length=16)] = "",
) -> Response:
    """Order it of exactly the accounts that were shown; sent twice it is ordered once."""
    named = tuple(_account(line) for line in accounts.splitlines() if line)
    if len(named) > TYPED_ABOVE and typed.strip() != str(len(named)):
        problem = language_of(request).say(N_("Type the number of the accounts to confirm."))
        wanted = PreviewBatch(kind=kind, accounts=named)
        return _form(request, principal, wanted, key=key, reason=reason, problem=problem)
    try:
        command = RequestBatch(kind=kind, reason=reason.strip(), accounts=named)
        owner = principal.user.user_id
        claim = Claim("request", f"{owner} {ROUTE} {key}", command.fingerprint(ROUTE), owner)
        context = Context(principal.actor, cause_of(request), claim)
        ledger = service_of(request).ledger
        answer = command_batches.handle(command, ledger, context, principal.user.reach)
    except (Refused, ValidationError) as error:
        problem = sentence_of(request, error)
        wanted = PreviewBatch(kind=kind, accounts=named)
        return _form(request, principal, wanted, key=key, reason=reason, problem=problem)
    await_views(request, answer)
    page = f"/commands/batches/{answer.body['batch_id']}"
    is_partial = "hx-request" in request.headers
    back = RedirectResponse(page, HTTPStatus.OK if is_partial else HTTPStatus.SEE_OTHER)
    back.headers["HX-Redirect"] = page
    return back


def _account(line: str) -> BatchAccount:
    account_no, _, point = line.partition(" ")
    return BatchAccount(account_no=account_no, service_point=point or None)


def _form(
    request: Request,
    principal: Principal,
    wanted: PreviewBatch,
    *,
    key: str,
    asked: BatchAsked | None = None,
    reason: str = "",
    problem: str = "",
) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    looked: Json = {}
    context = Context(principal.actor, cause_of(request))
    try:
        looked = previewed(wanted, service_of(request), principal, context)
    except Refused as refusal:
        problem = problem or sentence_of(request, refusal)
    samples, excluded = looked.get("samples", ()), looked.get("excluded", ())
    return render(
        request,
        "batch.html",
        principal=principal,
        asked=asked,
        kind=wanted.kind,
        key=key,
        looked=looked,
        samples=samples,
        names=names_of(request).names(each["account_no"] for each in samples),
        excluded=excluded[:EXCLUDED_SHOWN],
        more=max(len(excluded) - EXCLUDED_SHOWN, 0),
        must_type=looked.get("count", 0) > TYPED_ABOVE,
        offered=[(code, words.ORDERS[code]) for code in OFFERED],
        reason=reason,
        problem=problem,
        status=status,
    )
