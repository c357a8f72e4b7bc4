"""An account on one page: its money, its meters, what it used, and everything that happened."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict

from api.auth import AccountsReader, account_unknown, service_of
from api.console import words
from api.console.chart import Chart, Day, draw
from api.console.language import Language
from api.console.monitor import account_of_receipt, days_text, shown_supply
from api.console.page import (
    address,
    language_of,
    names_of,
    packed_json,
    preference,
    render,
)
from api.console.rules import told_rule
from api.console.timeline import FILTERS, read_back, told
from ledger.access import Principal
from ledger.queries import EventsAsked
from ledger.values import local_day

Json = dict[str, Any]
DAYS: Final = 30
EXPLORED_DAYS: Final = 366
EVENTS: Final = 100

router = APIRouter(include_in_schema=False)


class AccountAsked(BaseModel):
    """What the address of an account's page says."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["", "money", "supply", "usage"] = ""
    fold: Literal["", "0"] = ""
    before: str = ""
    point: str = ""


@router.get("/accounts/{account_no}")
def account(
    account_no: str,
    request: Request,
    principal: AccountsReader,
    asked: Annotated[AccountAsked, Query()],
) -> Response:
    """The account as it is now, thirty days of usage, and its latest events."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    body = account_in_reach(request, principal, account_no)
    language, queries = language_of(request), service_of(request).queries
    topics = FILTERS[asked.type][1] if asked.type else ()
    is_folded = asked.fold != "0"
    page = read_back(
        partial(queries.events, account_no),
        EventsAsked(topics, newest_first=True, cursor=asked.before or None, limit=EVENTS),
        is_folded=is_folded,
    )
    point = _chosen(body, asked.point)
    return render(
        request,
        "account.html",
        principal=principal,
        section="monitor",
        account=body,
        personal={"name": "", "address": "", **names_of(request).personal(account_no)},
        days_left=days_text(language, body["days_left"]),
        points=[point_facts(point, language) for point in body["service_points"]],
        chosen=point,
        chart=usage_chart(request, account_no, point) if point else None,
        asked=asked,
        filters=FILTERS,
        entries=told(page.items, language, is_folded=is_folded),
        rule_text=partial(told_rule, language=language, currency=body["currency"]),
        before_href=address(request)(before=page.cursor) if page.cursor else "",
        scopes=principal.scopes,
    )


@router.get("/accounts/{account_no}/usage")
def usage(
    account_no: str, request: Request, principal: AccountsReader, point: str = ""
) -> Response:
    """A year of usage in a chart that can be zoomed."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    body = account_in_reach(request, principal, account_no)
    chosen = _chosen(body, point)
    return render(
        request,
        "usage.html",
        principal=principal,
        section="monitor",
        account=body,
        chosen=chosen,
        words_of={name: language_of(request).say(word) for name, word in words.REGISTERS.items()},
    )


@router.get("/accounts/{account_no}/usage/days")
def usage_days(
    account_no: str, request: Request, principal: AccountsReader, point: str
) -> Response:
    """The days of that chart: `[day, {register: quantity}]`."""
    account_in_reach(request, principal, account_no)
    first, last = _span(request, EXPLORED_DAYS)
    found = service_of(request).queries.usage(account_no, "day", first, last)["items"]
    days = [[item["day"], item["registers"]] for item in found if item["service_point"] == point]
    return packed_json(request, days)


@router.get("/search")
def search(request: Request, principal: AccountsReader, q: str = "") -> Response:
    """Leads to the account of an account, meter or receipt number; else to the filtered list."""
    wanted, reach = q.strip(), principal.user.reach
    service = service_of(request)
    meter = service.queries.meter(wanted, reach) if wanted else None
    number = meter["account_no"] if meter else account_of_receipt(request, wanted)
    site = service.queries.site_of(number) if number else None
    if site is not None and reach.covers(number, site):
        return RedirectResponse(f"/accounts/{number}", HTTPStatus.SEE_OTHER)
    return RedirectResponse(f"/monitor?{urlencode({'q': wanted})}", HTTPStatus.SEE_OTHER)


def account_in_reach(request: Request, principal: Principal, account_no: str) -> Json:
    """The account; one that is out of reach is as unknown as one that does not exist."""
    body = service_of(request).queries.account(account_no)
    if body is None or not principal.user.reach.covers(account_no, body["site"]):
        raise account_unknown(account_no)
    return body


def point_facts(point: Json, language: Language) -> Json:
    """A service point as its card shows it."""
    tier, supply = point["tier"], point["supply"]
    unit = unit_of(point)
    used, bound = Decimal(tier["used"]), tier["next_bound"]
    return {
        **point,
        "kind": language.say(words.word(words.KINDS, point["service_kind"])),
        "unit": unit,
        "shown": shown_supply(supply),
        "used": language.quantity(used, unit),
        "bound": None if bound is None else language.quantity(bound, unit),
        "held": _held(point, language, unit),
        "filled": 0 if not bound else min(100, int(100 * used / Decimal(bound))),
        "registers": [
            (language.say(words.word(words.REGISTERS, name)), language.quantity(value, unit))
            for name, value in sorted(point["registers"].items(), key=_by_hours)
        ],
    }


def _by_hours(shown: tuple[str, str]) -> int:
    """Registers from the dearest hours to the cheapest, as everybody names them."""
    order = tuple(words.REGISTERS)
    return order.index(shown[0]) if shown[0] in order else len(order)


def _held(point: Json, language: Language, unit: str) -> str | None:
    """Units that the point holds, where recharges buy such."""
    prepaid = point.get("prepaid")
    return None if prepaid is None else language.quantity(prepaid["quantity"], unit)


def unit_of(point: Json) -> str:
    """The unit of a point's quantities, kWh or m³."""
    return "kWh" if point["service_kind"] in {"electricity", "heat"} else "m³"


def usage_chart(request: Request, account_no: str, point: Json) -> Chart | None:
    """Thirty days of a service point, today at the right."""
    first, last = _span(request, DAYS)
    items = service_of(request).queries.usage(account_no, "day", first, last)["items"]
    used = {
        item["day"]: {name: Decimal(value) for name, value in item["registers"].items()}
        for item in items
        if item["service_point"] == point["service_point"]
    }
    language, unit = language_of(request), unit_of(point)
    days = [date.fromisoformat(first) + timedelta(days=number) for number in range(DAYS)]
    return draw([_day(day, used.get(day.isoformat(), {}), language, unit) for day in days])


def _day(day: date, quantities: dict[str, Decimal], language: Language, unit: str) -> Day:
    total = language.quantity(sum(quantities.values(), Decimal()), unit)
    return Day(language.day(day), f"{day.isoformat()} · {total}", quantities)


def _span(request: Request, days: int) -> tuple[str, str]:
    """First and last of so many days that end today."""
    ledger = service_of(request).ledger
    today = local_day(ledger.terms.timezone, ledger.clock())
    first, last = date.fromordinal(today - days + 1), date.fromordinal(today)
    return first.isoformat(), last.isoformat()


def _chosen(body: Json, name: str) -> Json | None:
    points: Sequence[Json] = body["service_points"]
    return next((p for p in points if p["service_point"] == name), points[0] if points else None)
