"""The monitor (实时监控): every account in reach as it is now; its whole state is in the URL."""

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.auth import AccountsReader, service_of
from api.console import words
from api.console.language import Language
from api.console.page import (
    address,
    language_of,
    names_of,
    packed_json,
    preference,
    render,
    sums_of,
)
from api.console.words import N_
from ledger.access import Reach
from ledger.aggregates.account.state import DAYS_MAX
from ledger.queries import LIMIT_MAX, AccountsAsked, Order, Page, Queries
from ledger.values import MICROS_PER_SECOND

Json = dict[str, Any]
ROWS: Final = 50
ISLAND_ROWS_MAX: Final = 10_000
STALE_US: Final = 6 * 3600 * MICROS_PER_SECOND
"""A reading older than this is greyed: the meter has been silent."""

SORTS: Final = (
    ("account_no", N_("Account number")),
    ("balance", N_("Lowest balance first")),
    ("-balance", N_("Highest balance first")),
    ("days_left", N_("Fewest days left first")),
)
HEADS: Final = (
    N_("Account"), N_("Group"), N_("Meters"), N_("Supply"),
    N_("Available"), N_("Days left"), N_("Alert"), N_("Last reading"),
)  # fmt: skip
RECEIPT: Final = re.compile(r"(?P<shard>[0-9]{1,4})-(?P<position>[0-9]{1,18})")
Here = Callable[..., str]

router = APIRouter(include_in_schema=False)


class MonitorAsked(BaseModel):
    """What the address of the monitor says; the whole state of the view."""

    model_config = ConfigDict(extra="ignore")

    q: Annotated[str, Field(max_length=64)] = ""
    group: str = ""
    site: str = ""
    level: Literal["", "none", "remind", "warn", "trip"] = ""
    supply: Literal["", "on", "off"] = ""
    sort: Order = "account_no"
    cursor: str = ""
    view: Literal["", "all"] = ""

    def accounts(self, request: Request, limit: int) -> AccountsAsked:
        """The question to the read side; a receipt stands for the account that paid."""
        return AccountsAsked(
            q=account_of_receipt(request, self.q.strip()),
            site=self.site,
            group=self.group,
            alert_level=self.level,
            supply=self.supply,
            sort=self.sort,
            cursor=self.cursor or None,
            limit=limit,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out on purpose."""
        return bool(self.q or self.group or self.site or self.level or self.supply)


class Tile(NamedTuple):
    """One sum over all accounts in reach; one with an address is a filter."""

    name: str
    word: str
    value: str
    href: str = ""
    is_chosen: bool = False


@router.get("/monitor")
def monitor(
    request: Request, principal: AccountsReader, asked: Annotated[MonitorAsked, Query()]
) -> Response:
    """Tiles, filters, and a page of accounts (or the island that holds all of them)."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    queries, reach = service_of(request).queries, principal.user.reach
    here = address(request)
    is_island = asked.view == "all"
    page = Page([]) if is_island else queries.lines(asked.accounts(request, ROWS), reach)
    sums = sums_of(request, reach)
    totals = sums.totals
    names = names_of(request).names(line["account_no"] for line in page.items)
    speaker = Speaker(request)
    return render(
        request,
        "monitor.html",
        principal=principal,
        section="monitor",
        asked=asked,
        total=min(totals["accounts"], ISLAND_ROWS_MAX),
        tiles=_tiles(speaker.language, here, asked, totals),
        rows=[speaker.row(line) | {"name": names[line["account_no"]]} for line in page.items],
        next_href=here(cursor=page.cursor) if page.cursor else "",
        rows_url=f"/monitor/rows{here()[len(request.url.path) :]}",
        table_words=_table_words(speaker.language),
        groups=sums.groups,
        sites=sums.sites,
        sorts=SORTS,
        may_command="control:write" in principal.scopes,
        batch_href=f"/monitor/batch{here(sort='', cursor='', view='')[len(request.url.path) :]}",
        may_recharge="money:write" in principal.scopes,
    )


@router.get("/monitor/rows")
def rows(
    request: Request,
    principal: AccountsReader,
    asked: Annotated[MonitorAsked, Query()],
    only: Annotated[str, Query(max_length=4_000)] = "",
) -> Response:
    """Rows of the island as arrays: all that fit the filters, or only some accounts anew."""
    queries, reach = service_of(request).queries, principal.user.reach
    speaker = Speaker(request)
    if only:
        lines = queries.lines_numbered(frozenset(only.split(",")[:LIMIT_MAX]), reach)
    else:
        lines = list(_all(queries, asked.accounts(request, LIMIT_MAX), reach))
    return packed_json(request, [speaker.cells(line) for line in lines])


def _all(queries: Queries, asked: AccountsAsked, reach: Reach) -> Iterator[Json]:
    cursor: str | None = None
    for _ in range(ISLAND_ROWS_MAX // LIMIT_MAX):
        page = queries.lines(asked._replace(cursor=cursor), reach)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return


def account_of_receipt(request: Request, wanted: str) -> str:
    """Number of the account that a receipt is of; any other text as it is."""
    receipt = RECEIPT.fullmatch(wanted)
    if receipt is None:
        return wanted
    event = service_of(request).ledger.event(int(receipt["shard"]), int(receipt["position"]))
    return str(getattr(event, "account_no", wanted))


class Speaker:
    """Turns lines of accounts into rows as the visitor reads them."""

    def __init__(self, request: Request) -> None:
        self.language = language_of(request)
        self._stale_before_us = service_of(request).ledger.clock() - STALE_US

    def row(self, line: Json) -> Json:
        """An account as a row of the table."""
        say, supply = self.language.say, supply_of(line)
        return {
            "account_no": line["account_no"],
            "group": line["group"],
            "meters": " · ".join(line["meter_nos"]),
            "supply": supply,
            "supply_word": say(words.SUPPLY[supply]) if supply != "none" else "",
            "available": self.language.money(line["available_minor"], line["currency"]),
            "available_minor": line["available_minor"],
            "days": days_text(self.language, line["days_left"]),
            "level": line["alert_level"],
            "level_word": say(words.LEVELS[line["alert_level"]]),
            "read_at": self._short(line["last_reading_us"]),
            "is_stale": self._is_stale(line["last_reading_us"]),
        }

    def cells(self, line: Json) -> list[object]:
        """The same as an array without words, to be small: the island knows order and words."""
        lasts = line["days_left"]
        return [
            line["account_no"],
            line["group"],
            " · ".join(line["meter_nos"]),
            supply_of(line),
            line["available_minor"],
            line["currency"],
            None if lasts >= DAYS_MAX else lasts,
            line["alert_level"],
            self._short(line["last_reading_us"]),
            self._is_stale(line["last_reading_us"]),
        ]

    def _short(self, read_us: int | None) -> str:
        return "" if read_us is None else self.language.time(read_us)[5:16]

    def _is_stale(self, read_us: int | None) -> bool:
        return read_us is not None and read_us < self._stale_before_us


def supply_of(line: Json) -> str:
    """One word for an account: off where any of its points is off."""
    shown = [shown_supply(supply) for supply in line["supplies"]]
    return "none" if not shown else ("off" if "off" in shown else shown[0])


def shown_supply(supply: Json) -> str:
    """The supply that a meter showed; what is meant where none has answered yet."""
    actual: str = supply["actual"]
    intended: str = supply["intended"]
    return intended if actual == "unknown" else actual


def days_text(language: Language, days_left: int) -> str:
    """Days that the money lasts; nothing is said where nothing is used."""
    return "—" if days_left >= DAYS_MAX else language.number(days_left)


def _tiles(language: Language, here: Here, asked: MonitorAsked, totals: Json) -> list[Tile]:
    say = language.say
    levels, off = totals["alert_levels"], totals["supply_off"]
    tiles = [
        Tile(
            "all",
            say(N_("Accounts")),
            language.number(totals["accounts"]),
            here(level="", supply="", cursor=""),
            not (asked.level or asked.supply),
        )
    ]
    for supply, number in (("on", totals["accounts"] - off), ("off", off)):
        is_chosen = asked.supply == supply
        chosen = "" if is_chosen else supply
        href = here(supply=chosen, level="", cursor="")
        word = say(N_("Supply on") if supply == "on" else N_("Supply off"))
        tiles.append(Tile(supply, word, language.number(number), href, is_chosen))
    for level in ("remind", "warn", "trip"):
        is_chosen = asked.level == level
        href = here(level="" if is_chosen else level, supply="", cursor="")
        word = say(words.LEVELS[level])
        tiles.append(Tile(level, word, language.number(levels[level]), href, is_chosen))
    for balance in totals["balances"]:
        amount = language.money(balance["balance_minor"], balance["currency"])
        tiles.append(Tile("total", say(N_("Total balance")), amount))
    return tiles


def _table_words(language: Language) -> Json:
    """What the island says by itself."""
    return {
        "heads": [language.say(head) for head in HEADS],
        "label": language.say(N_("Accounts")),
        "supply": {code: language.say(word) for code, word in words.SUPPLY.items()},
        "levels": {code: language.say(word) for code, word in words.LEVELS.items()},
        "rows": language.say(N_("{shown} of {all} accounts")),
        "none": language.say(N_("No account matches")),
        "failed": language.say(N_("That did not work. Please try again.")),
    }
