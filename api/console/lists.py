"""The smaller lists: alerts that hold, and the published tariffs."""

from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from api.auth import AccountsReader, CatalogueReader, service_of
from api.console import words
from api.console.monitor import Tile
from api.console.page import address, language_of, names_of, preference, render, sums_of
from ledger.aggregates import Refused
from ledger.queries import Asked

Json = dict[str, Any]
ROWS: Final = 50
LEVELS: Final = ("trip", "warn", "remind")

router = APIRouter(include_in_schema=False)


class AlertsAsked(BaseModel):
    """What the address of the alerts says."""

    model_config = ConfigDict(extra="ignore")

    level: Literal["", "remind", "warn", "trip"] = ""
    cursor: str = ""


@router.get("/alerts")
def alerts(
    request: Request, principal: AccountsReader, asked: Annotated[AlertsAsked, Query()]
) -> Response:
    """Levels that hold now, the newest first; each a filter."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    queries, reach = service_of(request).queries, principal.user.reach
    language, here, names = language_of(request), address(request), names_of(request)
    where = {"level": asked.level} if asked.level else {}
    page = queries.alerts(Asked(where, asked.cursor or None, ROWS), reach)
    held = sums_of(request, reach).totals["alert_levels"]
    tiles = [
        Tile(
            level,
            language.say(words.LEVELS[level]),
            language.number(held[level]),
            here(level="" if asked.level == level else level, cursor=""),
            asked.level == level,
        )
        for level in LEVELS
    ]
    return render(
        request,
        "alerts.html",
        principal=principal,
        section="alerts",
        asked=asked,
        tiles=tiles,
        alerts=[item | {"name": names.name(item["account_no"])} for item in page.items],
        next_href=here(cursor=page.cursor) if page.cursor else "",
    )


@router.get("/tariffs")
def tariffs(request: Request, principal: CatalogueReader, cursor: str = "") -> Response:
    """The published tariffs and control policies."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    queries = service_of(request).queries
    page = queries.documents("tariff", Asked(cursor=cursor or None, limit=ROWS))
    policies = queries.documents("policy", Asked(limit=ROWS))
    return render(
        request,
        "tariffs.html",
        principal=principal,
        section="tariffs",
        tariffs=page.items,
        policies=policies.items,
        next_href=address(request)(cursor=page.cursor) if page.cursor else "",
    )


@router.get("/tariffs/{tariff_id}")
def tariff(tariff_id: str, request: Request, principal: CatalogueReader) -> Response:
    """One tariff as its author wrote it."""
    return preference(request) or _document(request, principal, "tariff", tariff_id)


@router.get("/policies/{policy_id}")
def policy(policy_id: str, request: Request, principal: CatalogueReader) -> Response:
    """One control policy as its author wrote it."""
    return preference(request) or _document(request, principal, "policy", policy_id)


def _document(
    request: Request, principal: CatalogueReader, kind: str, document_id: str
) -> Response:
    found = service_of(request).queries.document(kind, document_id)
    if found is None:
        raise Refused(f"{kind}_unknown", f"There is no {kind} {document_id[:64]!r}.")
    text = msgspec.json.format(msgspec.json.encode(found["document"])).decode()
    return render(
        request,
        "document.html",
        principal=principal,
        section="tariffs",
        found=found,
        kind=kind,
        document_id=document_id,
        text=text,
    )
