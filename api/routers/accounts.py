"""Accounts over HTTP: opened, read as they are and as they were, explained."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import accounts as told
from api.answers.explained import Explanation
from api.asked import (
    AccountPath,
    Cursor,
    DetailSeen,
    FrontSeen,
    KnownAt,
    Level,
    Limit,
    Time,
    Word,
    moment_of,
    time_us,
)
from api.auth import AccountsReader, AccountsWriter, account_unknown, service_of
from api.bodies import json_response, model_of, submit
from api.contract import answering, keyed, merged, taking
from api.problem_types import OF_RATING
from ledger.aggregates import Refused
from ledger.commands import Json, open_account
from ledger.queries import AccountsAsked, EventsAsked, Order
from ledger.store.history import LATEST

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])

POINT: Json = {
    "service_kind": "electricity",
    "meter_no": "M000001",
    "tariff_id": "residential",
    "installed_at": "2026-01-01T00:00:00+08:00",
    "initial": {"total": "0"},
}
OF_INSTALLATION = (
    *("installed_in_the_future", "meter_installed_before", "meter_in_use", "policy_unknown"),
    *("tariff_of_other_service", "tariff_unknown", "wrong_currency", *OF_RATING),
)
"""What may forbid to install a meter."""
ACCOUNT: Json = {"account_no": "A000001", "name": "…", "site": "East", "service_points": [POINT]}
Day = Annotated[str, Query(pattern=r"^\d{4}-\d\d-\d\d$")]
Month = Annotated[str, Query(pattern=r"^\d{4}-\d\d$")]
Topic = Annotated[str, Query(pattern=r"^[a-z_.0-9]{1,64}$")]


@router.post(
    "",
    status_code=201,
    responses=answering(
        told.AccountOpened,
        *("account_exists", "meter_twice", *OF_INSTALLATION),
        "vault_key",
        status=201,
    ),
    openapi_extra=merged(taking(open_account.OpenAccount, ACCOUNT), keyed()),
)
async def open_(request: Request, who: AccountsWriter) -> Response:
    """Open an account with its service points; the same again answers as the first time."""
    command = await model_of(request, open_account.OpenAccount)
    if not who.user.reach.covers(command.account_no, command.site):
        raise Refused("forbidden", "You open accounts at your own sites only.")
    return await submit(request, who, command, open_account.submit)


@router.get("", dependencies=[FrontSeen], responses=answering(told.Accounts))
def page(  # noqa: PLR0913, PLR0917 - the filters of one list
    request: Request,
    who: AccountsReader,
    q: Word = "",
    site: Word = "",
    group: Word = "",
    alert_level: Level = "",
    supply: Annotated[Literal["", "on", "off"], Query()] = "",
    sort: Order = "account_no",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Accounts that match, a page at a time."""
    asked = AccountsAsked(q, site, group, alert_level, supply, sort, cursor, limit)
    return json_response(service_of(request).queries.accounts(asked, who.user.reach).body())


@router.get(
    "/{account_no}", dependencies=[FrontSeen], responses=answering(told.Account, "vault_key")
)
def show(
    request: Request,
    _who: AccountsReader,
    account_no: AccountPath,
    valid_at: Time = None,
    known_at: KnownAt = None,
) -> Response:
    """An account as it is, or as it was true and known at a moment; with the sealed names."""
    service = service_of(request)
    shard = service.ledger.shard_of(account_no)
    moment = moment_of(valid_at, known_at, shard)
    body = service.queries.account(account_no, moment)
    if body is None:
        raise account_unknown(account_no)
    return json_response({**body, **service.ledger.vault.unseal(shard, account_no)})


@router.get("/{account_no}/events", dependencies=[FrontSeen], responses=answering(told.Events))
def events(
    request: Request,
    _who: AccountsReader,
    account_no: AccountPath,
    type: Annotated[list[Topic] | None, Query()] = None,  # noqa: A002 - its name in the URL
    from_: Annotated[Time, Query(alias="from")] = None,
    to: Time = None,
    order: Literal["oldest", "newest"] = "oldest",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """The events of an account, by topic and time, from either end."""
    asked = EventsAsked(
        tuple(type or ()), time_us(from_, 0), time_us(to, LATEST), order == "newest", cursor, limit
    )
    _require_known(request, account_no)
    return json_response(service_of(request).queries.events(account_no, asked).body())


@router.get(
    "/{account_no}/statement", dependencies=[DetailSeen], responses=answering(told.Statement)
)
def statement(
    request: Request,
    _who: AccountsReader,
    account_no: AccountPath,
    from_: Annotated[Month, Query(alias="from")] = "0000-00",
    to: Month = "9999-99",
) -> Response:
    """What moved each month; closing is opening plus in minus out."""
    _require_known(request, account_no)
    return json_response(service_of(request).queries.statement(account_no, from_, to))


@router.get("/{account_no}/usage", dependencies=[DetailSeen], responses=answering(told.Usage))
def usage(
    request: Request,
    _who: AccountsReader,
    account_no: AccountPath,
    by: Literal["day", "month"] = "day",
    from_: Annotated[Day, Query(alias="from")] = "0000-00-00",
    to: Day = "9999-99-99",
) -> Response:
    """Quantities of each service point by local day or month."""
    _require_known(request, account_no)
    return json_response(service_of(request).queries.usage(account_no, by, from_, to))


@router.get("/{account_no}/why", dependencies=[FrontSeen], responses=answering(told.Why))
def why(request: Request, _who: AccountsReader, account_no: AccountPath) -> Response:
    """Why supply was cut, or why not: the decision in force at each point and its rules."""
    _require_known(request, account_no)
    return json_response(service_of(request).queries.why(account_no))


@router.get(
    "/{account_no}/explain/{position}",
    dependencies=[FrontSeen],
    responses=answering(Explanation, "not_a_charge", "not_explained", "position_unknown"),
)
def explain(
    request: Request,
    _who: AccountsReader,
    account_no: AccountPath,
    position: Annotated[int, Path(ge=1, le=2**62)],
) -> Response:
    """How a charge came about: tiers, arithmetic, rounding."""
    return json_response(service_of(request).queries.explain(account_no, position))


def _require_known(request: Request, account_no: str) -> None:
    if service_of(request).queries.site_of(account_no) is None:
        raise account_unknown(account_no)
