"""`wattledger readings quarantine`: readings that wait, settled one by one or all at once."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from adapters.cli.inputs import Reason, made, registers
from adapters.cli.opening import Opened, opened
from adapters.cli.output import Shown, facts, table
from adapters.cli.pages import Ask, gathered
from adapters.cli.problems import DIFFERENCE, OK, InputError
from adapters.cli.readings import group as readings
from adapters.cli.verbs import topic, verb
from adapters.views.queries import SqlQueries
from ledger.aggregates import Refused
from ledger.commands import Json, recompute_quarantine
from ledger.commands.recompute_quarantine import CorrectItem, DismissItem, Item, item_of
from ledger.queries import LIMIT_MAX, Asked

group = topic("quarantine", "Readings that wait")
readings.add_typer(group)

MeterNo = Annotated[str | None, typer.Option("--meter", help="Only of this meter.")]
AccountNo = Annotated[str | None, typer.Option("--account", help="Only of this account.")]
Code = Annotated[str | None, typer.Option("--code", help="Only with this reason's code.")]
Place = Annotated[
    str, typer.Argument(metavar="SHARD:POSITION", help="Place of the item, as `list` shows it.")
]


@verb(group, "list")
def list_(
    meter: MeterNo = None,
    account: AccountNo = None,
    code: Code = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> Shown:
    """Readings that could not be charged, each with its reason, the newest first."""
    with opened() as here:
        page = gathered(_pages(here, meter, account, code), limit)
    return Shown(
        body=page.body(),
        human=table(("place", "meter", "at", "registers", "code", "reason"), map(_row, page.items)),
        hint="wattledger readings quarantine recompute" if page.items else "",
    )


@verb(group)
def recompute(meter: MeterNo = None, account: AccountNo = None, code: Code = None) -> Shown:
    """Charge what can be charged by now; the rest stays, and is told with why."""
    with opened() as here:
        items = [item_of(body) for body in _bodies(here, meter, account, code)]
        body = recompute_quarantine.recompute(items, here.ledger, here.context)
    counted = {**body, "waiting": len(body["waiting"])}
    still_waits = DIFFERENCE if body["waiting"] else OK
    return Shown(body=body, human=facts(counted), exit_code=still_waits)


@verb(group)
def correct(
    place: Place,
    reason: Reason,
    register: Annotated[
        list[str], typer.Option("--register", metavar="REGISTER=VALUE", help="What it showed.")
    ],
) -> Shown:
    """Charge an item with other values than it came with."""
    with opened() as here:
        command = made(CorrectItem, {"registers": registers(register), "reason": reason})
        item = _item(here, place)
        body = recompute_quarantine.correct(item, command, here.ledger, here.context).body
    return Shown(body=body, human=facts({"outcome": body["outcome"], "reading": body["reading"]}))


@verb(group)
def dismiss(place: Place, reason: Reason) -> Shown:
    """Let an item go: it is not charged, and stays aside when it is told again."""
    with opened() as here:
        command = made(DismissItem, {"reason": reason})
        item = _item(here, place)
        body = recompute_quarantine.dismiss(item, command, here.ledger, here.context).body
    return Shown(body=body, human=facts({"outcome": body["outcome"]}))


def _pages(here: Opened, meter: str | None, account: str | None, code: str | None) -> Ask:
    """The view at the log's end, page by page."""
    here.views()
    queries = SqlQueries(here.engine, here.terms)
    named = {"meter_no": meter, "account_no": account, "code": code}
    where = {name: value for name, value in named.items() if value is not None}
    return lambda cursor, limit: queries.quarantine(Asked(where, cursor, limit))


def _bodies(
    here: Opened, meter: str | None = None, account: str | None = None, code: str | None = None
) -> Iterator[Json]:
    """Every item, page by page, with its cursor taken before anything is settled."""
    ask = _pages(here, meter, account, code)
    cursor = None
    while True:
        page = ask(cursor, LIMIT_MAX)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return


def _item(here: Opened, place: str) -> Item:
    shard, _, position = place.partition(":")
    if not (shard.isdecimal() and position.isdecimal()):
        raise InputError("place_invalid", f"A place such as 0:123 is needed, not {place!r}.")
    for body in _bodies(here):
        if (body["shard"], body["position"]) == (int(shard), int(position)):
            return item_of(body)
    raise Refused("quarantine_unknown", f"No reading waits at {place}.")


def _row(body: Json) -> tuple[Any, ...]:
    shown = " ".join(f"{name}={value}" for name, value in body["registers"].items())
    place = f"{body['shard']}:{body['position']}"
    return place, body["meter_no"], body["at"], shown, body["code"], body["reason"]
