"""Money over HTTP: recharges, adjustments, reversals; each at most once by its key."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.answers.money import Adjusted, Receipt, ReceiptPreview, Reversed
from api.asked import AccountPath
from api.auth import Cashier, Corrector, require_in_reach, service_of
from api.bodies import decide, execute, model_of, submit
from api.command_route import CommandRoute
from api.contract import answering, keyed, merged, taking
from api.problem_types import OF_RATING
from ledger.aggregates import Refused
from ledger.commands import Json, adjust, recharge, reverse_recharge
from ledger.events.account import AccountCredited
from ledger.problems import NotAcceptableError, invalid

router = APIRouter(prefix="/api/v1", tags=["money"], route_class=CommandRoute)

RECHARGE: Json = {
    "amount_minor": 10_000,
    "currency": "CNY",
    "channel": "cash",
    "channel_txn_id": "T-20261122-000017",
    "paid_at": "2026-11-22T10:00:00+08:00",
}
KEYED: Final = keyed(required=True)
PREVIEW: Final[Json] = {
    "parameters": [
        *KEYED["parameters"],
        {
            "name": "preview",
            "in": "query",
            "description": "Tell what would be booked, and book nothing.",
            "schema": {"type": "boolean", "default": False},
        },
    ]
}
ADJUSTMENT: Json = {"amount_minor": -500, "currency": "CNY", "reason": "meter misread"}


def is_preview(request: Request) -> bool:
    """Whether only to tell; read here, because a route of commands solves nothing."""
    if not request.scope["query_string"]:
        return False
    told = request.query_params.get("preview", "false").lower()
    if told not in {"true", "false", "1", "0"}:
        raise NotAcceptableError(invalid([(("preview",), "Write true or false.")]))
    return told in {"true", "1"}


@router.post(
    "/accounts/{account_no}/recharges",
    status_code=201,
    responses=answering(ReceiptPreview)
    | answering(
        Receipt,
        *("account_not_open", "amount_not_positive", "amount_too_large", "wrong_currency"),
        *("paid_in_the_future", "payment_contradiction", "service_point_unknown", *OF_RATING),
        status=201,
    ),
    openapi_extra=merged(taking(recharge.Recharge, RECHARGE, "account_no"), PREVIEW),
)
async def book(request: Request, who: Cashier, account_no: AccountPath) -> Response:
    """Book a settled payment; the same payment again answers as the first time.

    A preview tells what the payment would buy and leave, with 200, and books nothing.
    """
    command = await model_of(request, recharge.Recharge, account_no=account_no)
    if is_preview(request):
        return await decide(request, who, command, recharge.preview, status=200)
    return await submit(request, who, command, recharge.submit, moves_money=True)


@router.post(
    "/accounts/{account_no}/adjustments",
    status_code=201,
    responses=answering(
        Adjusted,
        *("account_not_open", "amount_too_large", "amount_zero", "grant_buys_nothing"),
        *("granted_negative", "wrong_currency"),
        status=201,
    ),
    openapi_extra=merged(taking(adjust.Adjust, ADJUSTMENT, "account_no"), KEYED),
)
async def correct(request: Request, who: Corrector, account_no: AccountPath) -> Response:
    """Correct a wallet by a signed amount, with a reason."""
    kind, handle = adjust.Adjust, adjust.handle
    return await execute(request, who, kind, handle, moves_money=True, account_no=account_no)


@router.post(
    "/receipts/{receipt_no}/reversal",
    status_code=201,
    responses=answering(
        Reversed, "account_not_open", "already_reversed", "receipt_unknown", status=201
    ),
    openapi_extra=merged(
        taking(reverse_recharge.ReverseRecharge, {"reason": "mistyped"}, "receipt_no"), KEYED
    ),
)
async def reverse(request: Request, who: Corrector, receipt_no: str) -> Response:
    """Take a booked payment back in full, once."""
    kind, handle = reverse_recharge.ReverseRecharge, reverse_recharge.handle
    shard, _, position = receipt_no.partition("-")
    if not who.user.reach.is_everything and shard.isdecimal() and position.isdecimal():
        unknown = Refused("receipt_unknown", f"There is no receipt {receipt_no[:32]}.")
        credited = service_of(request).ledger.event(int(shard[:9]), int(position[:18]))
        if not isinstance(credited, AccountCredited):
            raise unknown
        try:
            await require_in_reach(request, who, credited.account_no)
        except Refused:
            raise unknown from None  # Whose receipt it is, is nobody's business.
    return await execute(request, who, kind, handle, moves_money=True, receipt_no=receipt_no)
