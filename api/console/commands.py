"""The device queue: every command with how far it has come; retried and cancelled from here."""

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.auth import ControlReader, ControlWriter, service_of
from api.bodies import cause_of
from api.console import words
from api.console.account import account_in_reach
from api.console.page import address, await_views, names_of, preference, render
from api.console.recharge import sentence_of
from api.console.words import N_
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands import cancel_command, retry_command
from ledger.queries import Asked
from ledger.store import Context

Json = dict[str, Any]
ROWS: Final = 50
STEPS: Final = ("requested", "queued", "dispatched", "acknowledged", "verified")
"""The way of a command that goes well."""
REACHED: Final = {"held": 1, "awaiting_customer": 4, "unknown": 3, "refused": 3}
"""How many steps a command has made that is beside that way."""
BROKEN: Final = frozenset({"failed", "expired", "cancelled", "superseded"})
RETRIABLE: Final = frozenset({"failed", "expired", "cancelled", "queued", "unknown", "refused"})
CANCELLABLE: Final = frozenset({"requested", "held", "queued", "refused"})
TONES: Final = {
    "verified": "good",
    "failed": "bad",
    "refused": "bad",
    "unknown": "warn",
    "held": "remind",
    "awaiting_customer": "remind",
    "expired": "",
    "superseded": "",
    "cancelled": "",
}
FILTERS: Final = (
    ("", N_("All")),
    ("open", N_("Under way")),
    ("verified", N_("Verified")),
    ("unknown", N_("Unknown outcome")),
    ("failed", N_("Failed")),
    ("held", N_("Held")),
    ("cancelled", N_("Cancelled")),
)

router = APIRouter(include_in_schema=False)


class CommandsAsked(BaseModel):
    """What the address of the list says."""

    model_config = ConfigDict(extra="ignore")

    status: Annotated[str, Field(pattern=r"^[a-z_]{0,32}$")] = ""
    account: Annotated[str, Field(max_length=32)] = ""
    cursor: str = ""

    def where(self) -> dict[str, str]:
        """The filters that are set."""
        filters = {"status": self.status, "account_no": self.account}
        return {name: value for name, value in filters.items() if value}


@router.get("/commands")
def commands(
    request: Request, principal: ControlReader, asked: Annotated[CommandsAsked, Query()]
) -> Response:
    """Commands, the newest first."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    queries = service_of(request).queries
    page = queries.commands(Asked(asked.where(), asked.cursor or None, ROWS), principal.user.reach)
    names = names_of(request).names(item["account_no"] for item in page.items)
    return render(
        request,
        "commands.html",
        principal=principal,
        section="commands",
        asked=asked,
        filters=FILTERS,
        steps=STEPS,
        commands=[told(item) | {"name": names[item["account_no"]]} for item in page.items],
        next_href=address(request)(cursor=page.cursor) if page.cursor else "",
        suspended=queries.trip_switches(principal.user.reach),
        may_write="control:write" in principal.scopes,
    )


@router.post("/commands/{command_id}/retry")
def retry(command_id: str, request: Request, principal: ControlWriter) -> Response:
    """Queue a command again at once."""
    account_no = _account_of(request, principal, command_id)
    command = retry_command.RetryCommand(command_id=command_id)
    ledger, context = service_of(request).ledger, Context(principal.actor, cause_of(request))
    await_views(request, retry_command.handle(command, ledger, context))
    return _back(account_no)


@router.get("/commands/{command_id}/cancel")
def ask_reason(command_id: str, request: Request, principal: ControlWriter) -> Response:
    """Ask why it shall not be sent."""
    account_no = _account_of(request, principal, command_id)
    return _form(request, principal, command_id, account_no)


@router.post("/commands/{command_id}/cancel")
def cancel(
    command_id: str,
    request: Request,
    principal: ControlWriter,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Cancel a command that no meter has heard of yet."""
    account_no = _account_of(request, principal, command_id)
    ledger, context = service_of(request).ledger, Context(principal.actor, cause_of(request))
    try:
        command = cancel_command.CancelCommand(command_id=command_id, reason=reason.strip())
        await_views(request, cancel_command.handle(command, ledger, context))
    except (Refused, ValidationError) as error:
        problem = sentence_of(request, error)
        return _form(request, principal, command_id, account_no, reason=reason, problem=problem)
    back = _back(account_no)
    back.headers["HX-Redirect"] = back.headers["location"]
    if "hx-request" in request.headers:
        back.status_code = HTTPStatus.OK
    return back


def told(command: Json) -> Json:
    """A command with how it is shown, and what may be done about it."""
    status = command["status"]
    reached = STEPS.index(status) + 1 if status in STEPS else REACHED.get(status, 1)
    is_broken = status in BROKEN
    way = "broken" if is_broken else "" if status == "verified" else "under-way"
    return {
        **command,
        "reached": max(reached, 3) if is_broken and command["attempts"] else reached,
        "way": way,
        "tone": TONES.get(status, "info"),
        "word": words.word(words.COMMAND_STATUS, status),
        "may_retry": status in RETRIABLE,
        "may_cancel": status in CANCELLABLE,
    }


def _form(
    request: Request,
    principal: Principal,
    command_id: str,
    account_no: str,
    *,
    reason: str = "",
    problem: str = "",
) -> Response:
    return render(
        request,
        "cancel.html",
        principal=principal,
        command_id=command_id,
        account_no=account_no,
        reason=reason,
        problem=problem,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
    )


def _account_of(request: Request, principal: Principal, command_id: str) -> str:
    """The account of a command in reach."""
    account_no = service_of(request).queries.account_of_command(command_id)
    if account_no is None:
        raise Refused("command_unknown", f"There is no command {command_id[:64]!r}.")
    body = account_in_reach(request, principal, account_no)
    return str(body["account_no"])


def _back(account_no: str) -> RedirectResponse:
    return RedirectResponse(f"/commands?account={account_no}", HTTPStatus.SEE_OTHER)
