"""The alerts (告警): levels that hold now."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from api.auth import AccountsReader, service_of
from api.console import words
from api.console.monitor import Tile
from api.console.page import address, language_of, names_of, preference, render, sums_of
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
    language, here = language_of(request), address(request)
    where = {"level": asked.level} if asked.level else {}
    page = queries.alerts(Asked(where, asked.cursor or None, ROWS), reach)
    names = names_of(request).names(item["account_no"] for item in page.items)
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
        alerts=[item | {"name": names[item["account_no"]]} for item in page.items],
        next_href=here(cursor=page.cursor) if page.cursor else "",
    )
