"""`wattledger tariff diff|preview`: what a draft changes, in words and in money."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from adapters.cli.amounts import amount_text
from adapters.cli.authoring import changes_shown
from adapters.cli.documents import read_tariffs
from adapters.cli.inputs import chosen_accounts, moment
from adapters.cli.opening import opened
from adapters.cli.output import Shown, cell, facts, table
from adapters.cli.problems import InputError
from adapters.cli.tariff import group
from adapters.cli.verbs import verb
from adapters.views.previews import preview_draft
from ledger.commands import Json
from ledger.queries import PreviewAsked
from ledger.store.history import LATEST
from ledger.values import micros

Document = Annotated[Path, typer.Argument(metavar="FILE", help="JSON file of one tariff.")]
At = Annotated[str | None, typer.Option(help="Compare readings from here on (RFC 3339).")]
To = Annotated[str | None, typer.Option(help="Compare readings up to here (RFC 3339).")]


@verb(group)
def diff(old: Document, new: Document) -> Shown:
    """Say what differs between two tariff documents, place by place; exit 3 where they do."""
    return changes_shown(_one(old), _one(new))


@verb(group)
def preview(
    draft: Document,
    accounts: Annotated[
        str | None, typer.Option(help="Account numbers, separated by commas (default: all).")
    ] = None,
    every: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--all", help="Every account: the default.")
    ] = False,
    from_: Annotated[
        str | None, typer.Option("--from", help="Compare readings after this.")
    ] = None,
    to: To = None,
    instead_of: Annotated[
        str | None,
        typer.Option(help="Tariff whose accounts are rated (default: the draft's own id)."),
    ] = None,
) -> Shown:
    """Rate accounts again under a draft on their real history; nothing is written."""
    if accounts is not None and every:
        raise InputError("accounts_twice", "Give --accounts or --all, not both.")
    document = _one(draft)
    chosen = chosen_accounts(accounts)
    with opened() as here:
        here.views()
        zone = here.terms.timezone
        asked = PreviewAsked(
            document,
            chosen,
            _us(from_, 0, zone),
            _us(to, LATEST, zone),
            instead_of or "",
            here.ledger.clock(),
        )
        body = preview_draft(here.engine, here.terms.shards, asked)
    return Shown(body=body, human=_report(body))


def _one(path: Path) -> Json:
    found = read_tariffs(path)
    if len(found) != 1:
        raise InputError("file_unreadable", f"{path} holds {len(found)} tariffs; one is needed.")
    return found[0]


def _us(text: str | None, otherwise: int, timezone: str) -> int:
    return otherwise if text is None else micros(moment(text, timezone))


def _report(body: Json) -> RenderableType:
    currency = body["currency"]

    def money(minor: Any) -> str:  # noqa: ANN401 - a number of the body
        return amount_text(minor, currency)

    head = facts(
        {
            "accounts": body["accounts"],
            "intervals": body["intervals"],
            "not rated": ", ".join(f"{code} {count}" for code, count in body["refused"].items()),
            "revenue": f"{money(body['before_minor'])} → {money(body['after_minor'])} {currency}",
            "difference": money(body["difference_minor"]),
            "pay less / more / the same": (
                f"{body['winners']} / {body['losers']} / {body['unchanged']}"
            ),
            **_units_said(body),
            **{f"warned {name}": body["warned"][name] for name in ("before", "after")},
            **{f"cut off {name}": body["disconnected"][name] for name in ("before", "after")},
        }
    )
    spread = ", ".join(f"{name} {money(value)}" for name, value in body["distribution"].items())
    rows = [
        (row["account_no"], *(money(row[name]) for name in ("before_minor", "after_minor")))
        for row in (*body["largest_gains"], *body["largest_losses"])
    ]
    most = table(("account", "before", "after"), rows, right="before after")
    return Group(head, Text(cell(f"differences: {spread}")), most, *_units_shown(body))


def _units_said(body: Json) -> dict[str, str]:
    found = body["units"]
    return {} if found is None else {"bought": f"{found['before']} → {_with_unit(found, body)}"}


def _with_unit(found: Json, body: Json) -> str:
    return f"{found['after']} {body['unit']} ({found['difference']})"


def _units_shown(body: Json) -> Iterator[RenderableType]:
    """The accounts whose payments would have bought most more, or less."""
    names = ("before", "after", "difference")
    rows = [
        (row["account_no"], *(row[name] for name in names))
        for row in (body["units"] or {"largest": []})["largest"]
    ]
    if rows:
        columns = ("account", "bought", "draft", "difference")
        yield table(columns, rows, right="bought draft difference")
