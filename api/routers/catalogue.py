"""The catalogue over HTTP: tariffs, control policies, groups, sites, meters, gateways."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import catalogue as told
from api.asked import Cursor, DetailSeen, FrontSeen, Level, Limit, Word
from api.auth import AccountsReader, CatalogueReader, CatalogueWriter, DevicesWriter, service_of
from api.bodies import answered, cause_of, decide, execute, json_response, model_of, object_of
from api.contract import answering, keyed, merged, taking
from ledger.aggregates import Refused
from ledger.aggregates.policy import PolicyDocument
from ledger.commands import (
    Json,
    connect_meter,
    publish_policy,
    publish_tariff,
    register_gateway,
)
from ledger.queries import AccountsAsked, Asked
from ledger.store import Context

router = APIRouter(prefix="/api/v1", tags=["catalogue"])

Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
POLICY: Final[Json] = {
    "policy_id": "shops",
    "name": "Remind at 50, warn at 20, trip at 0",
    "remind": {"available_minor": 5_000},
    "warn": {"available_minor": 2_000},
    "trip": {"available_minor": 0},
}
GATEWAY: Final[Json] = {"gateway_id": "G1", "url": "rtu+tcp://10.0.0.7:502", "site": "East"}
LINE: Final[Json] = {"gateway_id": "G1", "unit": 7, "model": "DDSY1352"}
TARIFF: Final[Json] = {
    "tariff_id": "residential",
    "service_kind": "electricity",
    "unit": "kWh",
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "registers": ["total"],
    "tax": {"treatment": "inclusive", "rate": "0.13"},
    "source": ["where these prices were published"],
    "versions": [
        {
            "effective_from": "2026-01-01",
            "effective_to": None,
            "rounding": {"quantum": "0.01", "mode": "half_up"},
            "accumulation": {
                "window": "month",
                "basis": "consumption",
                "proration": {"method": "none"},
            },
            "tiers": [{"upto": "240"}, {"upto": None}],
            "charges": [{"id": "energy", "kind": "consumption", "rates": ["0.49", "0.54"]}],
        }
    ],
}
DOCUMENT: Final[Json] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}, "example": TARIFF}},
    }
}


@router.get("/tariffs", dependencies=[DetailSeen], responses=answering(told.Tariffs))
def tariffs(
    request: Request, _who: CatalogueReader, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """Published tariffs in order of their ids."""
    page = service_of(request).queries.documents("tariff", Asked({}, cursor, limit))
    return json_response(page.body())


@router.get(
    "/tariffs/{tariff_id}",
    dependencies=[DetailSeen],
    responses=answering(told.TariffShown, "tariff_unknown"),
)
def tariff(request: Request, _who: CatalogueReader, tariff_id: Id) -> Response:
    """A tariff with its document."""
    return _document(request, "tariff", tariff_id)


@router.get(
    "/tariffs/{tariff_id}/versions",
    dependencies=[DetailSeen],
    responses=answering(told.TariffVersions, "tariff_unknown"),
)
def versions(request: Request, _who: CatalogueReader, tariff_id: Id) -> Response:
    """The versions of a tariff in order of the day on which they begin."""
    found = service_of(request).queries.document("tariff", tariff_id)
    if found is None:
        raise Refused("tariff_unknown", f"There is no tariff {tariff_id}.")
    items = sorted(found["document"]["versions"], key=lambda each: str(each["effective_from"]))
    return json_response({"items": items, "cursor": None})


@router.post(
    "/tariffs",
    status_code=201,
    responses=answering(
        told.TariffPublished,
        *("tariff_changed", "tariff_invalid", "tariff_version_changed"),
        *("tariff_version_ended_in_the_past", "tariff_version_late"),
        status=201,
    ),
    openapi_extra=DOCUMENT,
)
async def publish_tariff_(request: Request, who: CatalogueWriter) -> Response:
    """Publish a tariff document; what is wrong with it is told with its place."""
    document = await object_of(request)
    return answered(
        await run_in_threadpool(
            publish_tariff.handle,
            document,
            service_of(request).ledger,
            Context(who.actor, cause_of(request)),
        )
    )


@router.get("/policies", dependencies=[DetailSeen], responses=answering(told.Policies))
def policies(
    request: Request, _who: CatalogueReader, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """Published control policies in order of their ids."""
    page = service_of(request).queries.documents("policy", Asked({}, cursor, limit))
    return json_response(page.body())


@router.get(
    "/policies/{policy_id}",
    dependencies=[DetailSeen],
    responses=answering(told.PolicyShown, "policy_unknown"),
)
def policy(request: Request, _who: CatalogueReader, policy_id: Id) -> Response:
    """A control policy with its document."""
    return _document(request, "policy", policy_id)


@router.post(
    "/policies",
    status_code=201,
    responses=answering(told.PolicyPublished, "policy_invalid", status=201),
    openapi_extra=taking(PolicyDocument, POLICY),
)
async def publish_policy_(request: Request, who: CatalogueWriter) -> Response:
    """Put a control policy in force for every decision from now on."""
    document = PolicyDocument.model_validate(await object_of(request))
    return answered(
        await run_in_threadpool(
            publish_policy.handle,
            document,
            service_of(request).ledger,
            Context(who.actor, cause_of(request)),
        )
    )


@router.get("/groups", dependencies=[FrontSeen], responses=answering(told.Names))
def groups(request: Request, who: AccountsReader) -> Response:
    """User groups with the number of their accounts."""
    items = service_of(request).queries.groups(who.user.reach)
    return json_response({"items": items, "cursor": None})


@router.get("/sites", dependencies=[FrontSeen], responses=answering(told.Names))
def sites(request: Request, who: AccountsReader) -> Response:
    """Sites with the number of their accounts."""
    items = service_of(request).queries.sites(who.user.reach)
    return json_response({"items": items, "cursor": None})


@router.get("/meters", dependencies=[FrontSeen], responses=answering(told.Meters))
def meters(  # noqa: PLR0913, PLR0917 - the filters of one list
    request: Request,
    who: AccountsReader,
    q: Word = "",
    site: Word = "",
    group: Word = "",
    alert_level: Level = "",
    supply: Literal["", "on", "off"] = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Installed meters by their accounts: `limit` accounts with all their meters."""
    asked = AccountsAsked(q, site, group, alert_level, supply, "account_no", cursor, limit)
    return json_response(service_of(request).queries.meters(asked, who.user.reach).body())


@router.get(
    "/meters/{meter_no}",
    dependencies=[FrontSeen],
    responses=answering(told.MeterShown, "meter_unknown"),
)
def meter(request: Request, who: AccountsReader, meter_no: Id) -> Response:
    """An installed meter, and the line to it."""
    found = service_of(request).queries.meter(meter_no, who.user.reach)
    if found is None:
        raise Refused("meter_unknown", f"The meter {meter_no} is installed nowhere.")
    return json_response(found)


@router.post(
    "/meters/{meter_no}/line",
    status_code=201,
    responses=answering(told.MeterConnected, "gateway_unknown", "meter_unknown", status=201),
    openapi_extra=merged(taking(connect_meter.ConnectMeter, LINE, "meter_no"), keyed()),
)
async def connect(request: Request, who: DevicesWriter, meter_no: Id) -> Response:
    """Say by which gateway, as which unit and by which model's map a meter is reached."""
    if not who.user.reach.is_everything:
        found = await run_in_threadpool(service_of(request).queries.meter, meter_no, who.user.reach)
        if found is None:
            raise Refused("meter_unknown", f"The meter {meter_no} is installed nowhere.")
    kind, handle = connect_meter.ConnectMeter, connect_meter.handle
    return await execute(request, who, kind, handle, meter_no=meter_no)


@router.get("/gateways", dependencies=[FrontSeen], responses=answering(told.Gateways))
def gateways(
    request: Request, who: CatalogueReader, cursor: Cursor = None, limit: Limit = 100
) -> Response:
    """Gateways with the number of their meters."""
    asked = Asked({}, cursor, limit)
    return json_response(service_of(request).queries.gateways(asked, who.user.reach).body())


@router.post(
    "/gateways",
    status_code=201,
    responses=answering(told.GatewayRegistered, status=201),
    openapi_extra=merged(taking(register_gateway.RegisterGateway, GATEWAY), keyed()),
)
async def register(request: Request, who: DevicesWriter) -> Response:
    """Register a gateway, or say that it is reached elsewhere now."""
    command = await model_of(request, register_gateway.RegisterGateway)
    sites = who.user.reach.sites
    if sites is not None:
        there = Asked({"gateway_id": command.gateway_id}, limit=1)
        known = await run_in_threadpool(service_of(request).queries.gateways, there)
        if not {command.site, *(each["site"] for each in known.items)} <= sites:
            raise Refused("forbidden", "You register gateways at your own sites only.")
    return await decide(request, who, command, register_gateway.handle)


def _document(request: Request, kind: str, document_id: str) -> Response:
    found: dict[str, Any] | None = service_of(request).queries.document(kind, document_id)
    if found is None:
        raise Refused(f"{kind}_unknown", f"There is no {kind} {document_id}.")
    return json_response(found)
