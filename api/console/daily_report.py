"""The daily report (日报) as a page: how all accounts closed, each of them, and the sheet."""

from typing import Annotated, Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import AccountsReader, service_of
from api.console.language import Language
from api.console.page import address, language_of, preference, render, sums_of
from api.console.words import N_
from api.sheets import daily_sheet, days_asked, today_of
from ledger.queries import DailyAsked

Json = dict[str, Any]
ROWS: Final = 50

router = APIRouter(include_in_schema=False)


class Term(NamedTuple):
    """One term of the sum that leads from the opening to the closing."""

    sign: str
    word: str
    amount: str


class ReportAsked(BaseModel):
    """What the address of the report says."""

    model_config = ConfigDict(extra="ignore")

    first: Annotated[str, Field(alias="from", max_length=10)] = ""
    last: Annotated[str, Field(alias="to", max_length=10)] = ""
    site: Annotated[str, Field(max_length=64)] = ""
    group: Annotated[str, Field(max_length=64)] = ""
    cursor: str = ""
    format: Literal["", "csv", "xlsx"] = ""

    def days(self, request: Request) -> DailyAsked:
        """The question to the read side."""
        span = days_asked(service_of(request).ledger, self.first, self.last)
        return DailyAsked(*span, self.site, self.group, self.cursor or None, ROWS)


@router.get("/reports/daily")
def daily(
    request: Request, principal: AccountsReader, asked: Annotated[ReportAsked, Query()]
) -> Response:
    """Accounts with opening, movements and closing; or all of them as a file."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    days, reach = asked.days(request), principal.user.reach
    if asked.format:
        return daily_sheet(request, principal, days._replace(cursor=None), asked.format)
    page = service_of(request).queries.daily(days, reach)
    language, here, sums = language_of(request), address(request), sums_of(request, reach)
    return render(
        request,
        "daily_report.html",
        principal=principal,
        section="reports",
        asked=days,
        today=today_of(service_of(request).ledger),
        rows=[row | _shown(row, language) for row in page.items],
        sums_href=f"/reports/daily/sums{here(cursor='')[len(request.url.path) :]}",
        next_href=here(cursor=page.cursor) if page.cursor else "",
        groups=sums.groups,
        sites=sums.sites,
    )


@router.get("/reports/daily/sums")
def daily_sums(
    request: Request, principal: AccountsReader, asked: Annotated[ReportAsked, Query()]
) -> Response:
    """How all accounts together closed, as an equation; asked for behind the page."""
    language = language_of(request)
    queries = service_of(request).queries
    found = queries.daily_sums(asked.days(request), principal.user.reach)
    return render(
        request,
        "daily_sums.html",
        principal=principal,
        sums=[(row, _equation(row, language)) for row in found],
    )


def _equation(row: Json, language: Language) -> list[Term]:
    shown = _shown(row, language)
    return [
        Term("", language.say(N_("Opening balance")), shown["opening"]),
        Term("+", language.say(N_("Recharges")), shown["recharged"]),
        Term("+", language.say(N_("Adjustments")), shown["adjusted"]),
        Term("-", language.say(N_("Charges to balances")), shown["charged"]),
        Term("=", language.say(N_("Closing balance")), shown["closing"]),
    ]


def _shown(row: Json, language: Language) -> dict[str, str]:
    """Amounts in four terms: what grants and units held paid for left no balance."""
    from_balance = row["charged_minor"] - row["granted_used_minor"] - row["units_used_minor"]
    amounts = {
        "opening": row["opening_minor"],
        "recharged": row["recharged_minor"] - row["reversed_minor"],
        "adjusted": row["adjusted_minor"],
        "charged": from_balance + row["units_bought_minor"],
        "closing": row["closing_minor"],
    }
    told = {name: language.money(amount, row["currency"]) for name, amount in amounts.items()}
    return told | {
        "kwh": language.amount(row["quantity_kwh"], "kWh"),
        "m3": language.amount(row["quantity_m3"], "m³"),
    }
