"""Sheets as answers: made while they are sent, named for whoever keeps them."""

from datetime import date

from fastapi import Request
from fastapi.responses import StreamingResponse

from api.asked import await_heads
from api.auth import service_of
from api.console.daily_sheet import (
    MEDIA_TYPES,
    DaysError,
    Format,
    days_of,
    file_name,
    lines,
    rows_of,
    written,
)
from api.console.page import language_of
from ledger.access import Principal
from ledger.problems import NotAcceptableError, invalid
from ledger.queries import DailyAsked
from ledger.store import Ledger
from ledger.values import local_day


def today_of(ledger: Ledger) -> str:
    """The local day that it is now."""
    return date.fromordinal(local_day(ledger.terms.timezone, ledger.clock())).isoformat()


def days_asked(ledger: Ledger, first: str, last: str) -> tuple[str, str]:
    """First and last day of a question, or a problem that names what is wrong."""
    try:
        return days_of(first, last, today_of(ledger))
    except DaysError as error:
        raise NotAcceptableError(invalid([((error.place,), str(error))])) from error


def daily_sheet(
    request: Request, who: Principal, asked: DailyAsked, kind: Format
) -> StreamingResponse:
    """The daily report of all in reach that was asked for, in the reader's language. Blocks."""
    await_heads(request)
    rows = rows_of(service_of(request).queries, asked, who.user.reach)
    body = written(kind, lines(rows, language_of(request)), asked.first_day)
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(asked, kind)}"',
        "Cache-Control": "no-store",
        "Vary": "Cookie, Accept-Language",
    }
    return StreamingResponse(body, media_type=MEDIA_TYPES[kind], headers=headers)
