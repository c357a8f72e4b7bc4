"""Finance over HTTP: the daily report, a page at a time or as a whole sheet."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.answers.finance import Days
from api.asked import Cursor, DetailSeen, Limit, Word
from api.auth import AccountsReader, service_of
from api.bodies import json_response
from api.console.daily_sheet import MEDIA_TYPES, Format
from api.contract import answering, streaming
from api.sheets import daily_sheet, days_asked
from ledger.queries import DailyAsked

router = APIRouter(prefix="/api/v1/finance", tags=["finance"])

Day = Annotated[str, Query(pattern=r"^(|\d{4}-\d\d-\d\d)$", examples=["2026-11-22"])]
SHEET = "Account number,Site,…\r\nA000001,East,…\r\nTotal of 1 account,,…\r\n"


@router.get("/energy-report", dependencies=[DetailSeen], responses=answering(Days))
def energy_report(
    request: Request,
    who: AccountsReader,
    from_: Annotated[Day, Query(alias="from")] = "",
    to: Day = "",
    site: Word = "",
    group: Word = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Opening, movements and closing of accounts by days of booking; of today if none is told."""
    service = service_of(request)
    days = days_asked(service.ledger, from_, to)
    asked = DailyAsked(*days, site, group, cursor, limit)
    return json_response(service.queries.daily(asked, who.user.reach).body())


@router.get(
    "/energy-report/sheet",
    dependencies=[DetailSeen],
    response_class=StreamingResponse,
    responses=streaming({name.partition(";")[0]: SHEET for name in MEDIA_TYPES.values()}),
)
def energy_sheet(
    request: Request,
    who: AccountsReader,
    from_: Annotated[Day, Query(alias="from")] = "",
    to: Day = "",
    site: Word = "",
    group: Word = "",
    format: Format = "csv",  # noqa: A002 - its name in the URL
) -> Response:
    """The same as a file with sums: CSV that Excel opens, or XLSX; heads as `Accept-Language`."""
    days = days_asked(service_of(request).ledger, from_, to)
    return daily_sheet(request, who, DailyAsked(*days, site, group), format)
