"""What changes about an account over HTTP: attributes, points, tariff, policy, group; its end."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from api.answers import accounts as told
from api.answers.money import Closed
from api.asked import AccountPath
from api.auth import AccountsWriter
from api.bodies import decide, execute, model_of, submit
from api.contract import answering, keyed, merged, taking
from api.problem_types import OF_RATING
from api.routers.accounts import OF_INSTALLATION, POINT
from ledger.commands import (
    Command,
    Identifier,
    Json,
    Moment,
    Reason,
    Text,
    assign,
    change_attributes,
    close_account,
    meters,
)
from ledger.values import micros

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])

ATTRIBUTES: Json = {"attributes": {"household_size": 5}, "reason": "certificate 17"}


class Attributes(Command):
    """Attributes from a time on [now]; null takes one away."""

    attributes: Annotated[dict[Identifier, bool | int | Text | None], Field(min_length=1)]
    reason: Reason
    valid_from: Moment | None = None


@router.post(
    "/{account_no}/attributes",
    status_code=201,
    responses=answering(
        told.AccountChanged,
        *("account_not_open", "already_charged", *OF_RATING),
        status=201,
    ),
    openapi_extra=merged(taking(Attributes, ATTRIBUTES), keyed()),
)
async def change_attributes_(
    request: Request, who: AccountsWriter, account_no: AccountPath
) -> Response:
    """Tell anew what tariffs may ask of a household, from a time on."""
    asked = await model_of(request, Attributes)
    from_us = None if asked.valid_from is None else micros(asked.valid_from)
    command = change_attributes.ChangeAttributes(
        account_no=account_no,
        attributes=asked.attributes,
        reason=asked.reason,
        valid_from_us=from_us,
    )
    return await decide(request, who, command, change_attributes.handle)


@router.post(
    "/{account_no}/service-points",
    status_code=201,
    responses=answering(told.AccountOpened, "account_not_open", *OF_INSTALLATION, status=201),
    openapi_extra=merged(taking(meters.InstallMeter, POINT, "account_no"), keyed()),
)
async def add_point(request: Request, who: AccountsWriter, account_no: AccountPath) -> Response:
    """Add a service point with its meter."""
    command = await model_of(request, meters.InstallMeter, account_no=account_no)
    return await submit(request, who, command, meters.submit_install)


@router.post(
    "/{account_no}/tariff",
    status_code=201,
    responses=answering(
        told.AccountChanged,
        *("account_not_open", "already_charged", "service_point_unknown", *OF_RATING),
        *("tariff_of_other_registers", "tariff_of_other_service", "tariff_of_other_unit"),
        *("tariff_unknown", "wrong_currency"),
        status=201,
    ),
    openapi_extra=merged(
        taking(assign.AssignTariff, {"tariff_id": "residential"}, "account_no"), keyed()
    ),
)
async def set_tariff(request: Request, who: AccountsWriter, account_no: AccountPath) -> Response:
    """Rate a service point by another tariff, from its last reading on."""
    kind, handle = assign.AssignTariff, assign.assign_tariff
    return await execute(request, who, kind, handle, account_no=account_no)


@router.post(
    "/{account_no}/policy",
    status_code=201,
    responses=answering(
        told.AccountChanged,
        *("account_not_open", "policy_unknown", "service_point_unknown"),
        status=201,
    ),
    openapi_extra=merged(
        taking(assign.AssignPolicy, {"policy_id": "standard"}, "account_no"), keyed()
    ),
)
async def set_policy(request: Request, who: AccountsWriter, account_no: AccountPath) -> Response:
    """Let another control policy decide about a service point."""
    kind, handle = assign.AssignPolicy, assign.assign_policy
    return await execute(request, who, kind, handle, account_no=account_no)


@router.post(
    "/{account_no}/group",
    status_code=201,
    responses=answering(told.AccountChanged, "account_not_open", status=201),
    openapi_extra=merged(taking(assign.AssignGroup, {"group": "shops"}, "account_no"), keyed()),
)
async def set_group(request: Request, who: AccountsWriter, account_no: AccountPath) -> Response:
    """Move an account to another user group."""
    kind, handle = assign.AssignGroup, assign.assign_group
    return await execute(request, who, kind, handle, account_no=account_no)


@router.post(
    "/{account_no}/close",
    status_code=201,
    responses=answering(
        Closed, "account_not_open", "balance_not_zero", "service_points_left", status=201
    ),
    openapi_extra=merged(
        taking(close_account.CloseAccount, {"reason": "moved out"}, "account_no"), keyed()
    ),
)
async def close(request: Request, who: AccountsWriter, account_no: AccountPath) -> Response:
    """Close an account whose meters are removed and whose balance is zero."""
    kind, handle = close_account.CloseAccount, close_account.handle
    return await execute(request, who, kind, handle, account_no=account_no)
