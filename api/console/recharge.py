"""The recharge dialog (充值): shows what it will do, then books the payment once."""

from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Annotated, Any, Final

from babel.numbers import get_currency_precision
from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.auth import Cashier, service_of
from api.bodies import cause_of
from api.console import words
from api.console.account import account_in_reach
from api.console.monitor import shown_supply
from api.console.page import await_views, language_of, names_of, render
from api.console.words import N_
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.aggregates.account.state import DAYS_MAX
from ledger.aggregates.policy import PolicyDocument
from ledger.commands import recharge
from ledger.ports import LogUnavailableError
from ledger.store import Context

Json = dict[str, Any]
CHIPS: Final = (50, 100, 200, 500)
AMOUNT_MAX: Final = Decimal(1_000_000)

UNKNOWN: Final = N_(
    "It is not known yet whether this was booked. Send the same form again: it is booked once."
)

router = APIRouter(include_in_schema=False)


class AmountError(ValueError):
    """The amount is none that can be paid; the sentence says why."""

    def __init__(self, sentence: str, **values: str) -> None:
        super().__init__(sentence)
        self.values = values


@router.get("/accounts/{account_no}/recharge")
def dialog(account_no: str, request: Request, principal: Cashier) -> Response:
    """An empty form; its key is made here, so that sending it twice pays once."""
    body = account_in_reach(request, principal, account_no)
    key = service_of(request).ledger.new_id()
    empty: Json = {"amount": "", "channel": "cash", "reference": "", "point": ""}
    return _form(request, principal, body, key=key, **empty)


@router.get("/accounts/{account_no}/recharge/effect")
def effect(
    account_no: str,
    request: Request,
    principal: Cashier,
    amount: Annotated[str, Query(max_length=32)] = "",
    point: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """What the amount would do, without doing it."""
    body = account_in_reach(request, principal, account_no)
    facts: Json = {"effect": None, "units": None, "problem": ""}
    try:
        if amount:
            paid_minor = amount_minor(amount, body["currency"])
            facts["effect"] = _effect(request, body, paid_minor)
            facts["units"] = _units(request, principal, body, paid_minor, point)
    except (AmountError, Refused) as error:
        facts["problem"] = sentence_of(request, error)
    return render(request, "effect.html", principal=principal, account=body, **facts)


@router.post("/accounts/{account_no}/recharge")
def pay(
    account_no: str,
    request: Request,
    principal: Cashier,
    key: Annotated[str, Form(pattern=r"^[0-9a-f]{32}$")],
    amount: Annotated[str, Form(max_length=32)] = "",
    channel: Annotated[str, Form(max_length=32)] = "cash",
    reference: Annotated[str, Form(max_length=128)] = "",
    point: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Book the payment; the same form again answers with the receipt of the first time."""
    body = account_in_reach(request, principal, account_no)
    ledger = service_of(request).ledger
    try:
        command = recharge.Recharge(
            account_no=account_no,
            amount_minor=amount_minor(amount, body["currency"]),
            currency=body["currency"],
            channel=channel if channel in words.CHANNELS else "cash",
            channel_txn_id=reference.strip() or f"console-{key}",
            service_point=point or None,
        )
        answer = recharge.handle(command, ledger, Context(principal.actor, cause_of(request)))
    except (AmountError, Refused, ValidationError, LogUnavailableError) as error:
        is_down = isinstance(error, LogUnavailableError)
        return _form(
            request,
            principal,
            body,
            status=HTTPStatus.SERVICE_UNAVAILABLE if is_down else HTTPStatus.UNPROCESSABLE_ENTITY,
            problem=sentence_of(request, error),
            key=key,
            amount=amount,
            channel=channel,
            reference=reference,
            point=point,
        )
    await_views(request, answer)
    return render(
        request,
        "receipt.html",
        principal=principal,
        account=body,
        receipt=answer.body,
        channel=words.CHANNELS.get(command.channel, command.channel),
        name=names_of(request).name(account_no),
        status=HTTPStatus.CREATED,
        headers={"HX-Trigger": "ledger:changed"},
    )


def sentence_of(request: Request, error: Exception) -> str:
    """Why a form was refused."""
    say = language_of(request).say
    if isinstance(error, Refused):
        told = words.REFUSALS.get(error.code)
        return say(told) if told else error.message
    if isinstance(error, LogUnavailableError):
        return say(UNKNOWN)
    if isinstance(error, AmountError):
        return say(str(error), **error.values)
    return say(N_("Please check the fields: something in them cannot be read."))


def amount_minor(text: str, currency: str) -> int:
    """Minor units of an amount as people type it."""
    digits = get_currency_precision(currency)
    try:
        amount = Decimal(text.strip().replace(",", "").replace("，", ""))
    except InvalidOperation as error:
        raise AmountError(N_("Type an amount such as 100 or 99.50.")) from error
    if not amount.is_finite() or amount <= 0:
        raise AmountError(N_("The amount must be above zero."))
    if amount > AMOUNT_MAX:
        raise AmountError(N_("This is more than one payment may be."))
    scaled = amount.scaleb(digits)
    if scaled != int(scaled):
        raise AmountError(
            N_("The smallest unit is %(unit)s."), unit=f"{Decimal(1).scaleb(-digits):f}"
        )
    return int(scaled)


def _form(
    request: Request,
    principal: Principal,
    body: Json,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    problem: str = "",
    **fields: Any,  # noqa: ANN401 - for the template
) -> Response:
    return render(
        request,
        "recharge.html",
        principal=principal,
        account=body,
        name=names_of(request).name(body["account_no"]),
        chips=CHIPS,
        channels=words.CHANNELS,
        points=_points(request, body),
        problem=problem,
        status=status,
        **fields,
    )


def _effect(request: Request, body: Json, paid_minor: int) -> Json:
    """Money and days after the payment, and whether supply comes back by it."""
    after_minor = body["available_minor"] + paid_minor
    lasts = body["days_left"]
    before_minor = body["available_minor"]
    days = (
        after_minor * lasts // before_minor if before_minor > 0 and 0 < lasts < DAYS_MAX else None
    )
    off = [p for p in body["service_points"] if p["supply"]["intended"] == "off"]
    return {
        "after_minor": after_minor,
        "days": None if days is None else min(days, DAYS_MAX),
        "restores": bool(off) and all(_is_above(request, point, after_minor) for point in off),
        "stays_off": any(not _is_above(request, point, after_minor) for point in off),
        "is_off": any(shown_supply(p["supply"]) == "off" for p in body["service_points"]),
    }


def _units(
    request: Request, principal: Principal, body: Json, paid_minor: int, point: str
) -> Json | None:
    """What a payment would buy, where a point of the account holds units; nothing is booked."""
    if not any(_sells(request, point) for point in body["service_points"]):
        return None
    command = recharge.Recharge(
        account_no=body["account_no"],
        amount_minor=paid_minor,
        currency=body["currency"],
        channel="cash",
        channel_txn_id="preview",
        service_point=point or None,
    )
    ledger = service_of(request).ledger
    context = Context(principal.actor, cause_of(request))
    bought: Json | None = recharge.preview(command, ledger, context).body.get("units")
    return bought


def _points(request: Request, body: Json) -> dict[str, str]:
    """Points to choose from, by their names, where a payment must say which one is paid for."""
    points = body["service_points"]
    if len(points) == 1 or not any(_sells(request, point) for point in points):
        return {}
    return {
        point["service_point"]: words.word(words.KINDS, point["service_point"]) for point in points
    }


def _sells(request: Request, point: Json) -> bool:
    found = service_of(request).queries.document("tariff", point["tariff_id"])
    return found is not None and (
        found["document"]["versions"][0]["accumulation"]["basis"] == "purchase"
    )


def _is_above(request: Request, point: Json, available_minor: int) -> bool:
    """Whether the policy of a point gives supply back at this much money."""
    found = service_of(request).queries.document("policy", point["policy_id"])
    if found is None:
        return available_minor > 0
    return available_minor > PolicyDocument.model_validate(found["document"]).restore_minor()
