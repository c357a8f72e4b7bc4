"""`wattledger command batch`: many meters told the same, looked at first, and by two people."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Group, RenderableType

from adapters.cli.command import group
from adapters.cli.inputs import Reason, made, moment
from adapters.cli.opening import Opened, opened
from adapters.cli.output import Shown, facts, say, table, talk_console
from adapters.cli.problems import InputError
from adapters.cli.tabular import MalformedError, open_table, require_columns
from adapters.cli.times import local_text
from adapters.cli.verbs import verb
from adapters.views.queries import SqlQueries
from ledger.aggregates import Refused
from ledger.commands import Json, command_batches, preview_batch
from ledger.commands.command_batches import ORDERS_MAX, RequestBatch
from ledger.commands.preview_batch import PreviewBatch
from ledger.devices import RELAY_KINDS
from ledger.queries import AccountsAsked, Asked

SOME_REFUSED: Final = 3
BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="Its id, such as 0-b17.")]
File = Annotated[
    Path | None, typer.Option(help="CSV or XLSX with account_no, and service_point if it matters.")
]


@verb(group)
def batch(  # noqa: PLR0913, PLR0917 - the options of one form
    kind: Annotated[str, typer.Argument(help=f"{', '.join(sorted(RELAY_KINDS))}.")],
    reason: Reason,
    file: File = None,
    site: Annotated[str | None, typer.Option(help="Of this site.")] = None,
    group_: Annotated[str | None, typer.Option("--group", help="Of this user group.")] = None,
    level: Annotated[str | None, typer.Option(help="Whose level is this.")] = None,
    supply: Annotated[str | None, typer.Option(help="Whose supply shall be on, or off.")] = None,
    service: Annotated[str | None, typer.Option(help="Kind of service, else electricity.")] = None,
    expires_at: Annotated[str | None, typer.Option(help="Not sent after this time.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the number.")] = False,
) -> Shown:
    """Order many meters to do something; whom, by a file or by filters."""
    named = {"site": site, "group": group_, "alert_level": level, "supply": supply}
    told = {name: value for name, value in named.items() if value is not None}
    if (file is None) == (not told):
        raise InputError("accounts_missing", "Name the accounts by --file, or by filters.")
    which: Json = {"filter": {**told, "service_kind": service or "electricity"}}
    if file is not None:
        which = {"accounts": _accounts_of(file)}
    wanted = made(PreviewBatch, {"kind": kind, **which})
    with opened() as here:
        looked = _previewed(here, wanted)
        if dry_run:
            return Shown(body=looked, human=_effect(looked))
        accounts = which.get("accounts", looked["accounts"])
        if not accounts:
            raise Refused("batch_empty", "None of these accounts may be told this now.")
        if not yes:
            _confirm(looked, len(accounts))
        body = {
            "kind": kind,
            "reason": reason,
            "accounts": accounts,
            "expires_at": moment(expires_at, here.terms.timezone),
        }
        return _shown(
            command_batches.handle(made(RequestBatch, body), here.ledger, here.context).body
        )


@verb(group)
def batches(
    batch_id: Annotated[
        str | None, typer.Argument(metavar="BATCH", help="One with each of its orders.")
    ] = None,
    status: Annotated[str | None, typer.Option(help="Such as awaiting_approval.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = 50,
) -> Shown:
    """Batches of commands with how far they have come, the newest first."""
    with opened() as here:
        here.views()  # Brought to the log's end.
        queries = SqlQueries(here.engine, here.terms)
        if batch_id is not None:
            found = queries.command_batch(batch_id)
            if found is None:
                raise Refused("batch_unknown", "There is no batch of this id.")
            return Shown(body=found, human=_orders(found["orders"]))
        where: dict[str, str | int] = {} if status is None else {"status": status}
        page = queries.command_batches(Asked(where, None, limit))
        rows = [_line(item, here.terms.timezone) for item in page.items]
    columns = ("batch", "kind", "status", "orders", "by", "requested", "reason")
    return Shown(body=page.body(), human=table(columns, rows))


@verb(group)
def approve(batch_id: BatchId) -> Shown:
    """Let a batch run that somebody else has asked for."""
    with opened() as here:
        asked = made(command_batches.ApproveBatch, {"batch_id": batch_id})
        return _shown(command_batches.approve(asked, here.ledger, here.context).body)


@verb(group)
def reject(batch_id: BatchId, reason: Reason) -> Shown:
    """Let a batch not run; whoever asked for it may take it back so."""
    with opened() as here:
        asked = made(command_batches.RejectBatch, {"batch_id": batch_id, "reason": reason})
        body = command_batches.reject(asked, here.ledger, here.context).body
    return Shown(body=body, human=facts({**body, "positions": None}))


def _accounts_of(file: Path) -> list[Json]:
    with open_table(file) as found:
        require_columns(found, ("account_no",), ("service_point",))
        accounts: list[Json] = []
        for line, cells in found.rows:
            if isinstance(cells, MalformedError):
                raise InputError("row_malformed", f"{file}, line {line}: {cells}")
            row = dict(zip(found.columns, map(str.strip, cells), strict=True))
            accounts.append({name: text for name, text in row.items() if text})
            if len(accounts) > ORDERS_MAX:
                raise InputError("batch_too_large", f"A batch has at most {ORDERS_MAX:,} accounts.")
    return accounts


def _previewed(here: Opened, wanted: PreviewBatch) -> Json:
    def numbers_of(named: Json) -> list[str]:
        here.views()  # Brought to the log's end.
        return SqlQueries(here.engine, here.terms).account_numbers(AccountsAsked(**named))

    return preview_batch.handle(wanted, numbers_of, here.ledger, here.context)


def _effect(looked: Json) -> RenderableType:
    supply = looked["effect"]["supply"]
    held = looked["effect"]["held"]
    return facts(
        {
            "orders": f"{looked['count']} × {looked['kind']}",
            "such as": [each["account_no"] for each in looked["samples"]],
            "supply now": ", ".join(f"{name} {count}" for name, count in supply.items() if count),
            "would wait": ", ".join(f"{code} {count}" for code, count in held.items()),
            "left out": [f"{each['account_no']} ({each['code']})" for each in looked["excluded"]],
            "second person": looked["needs_approval"],
        }
    )


def _confirm(looked: Json, count: int) -> None:
    """Nobody tells many meters anything by a slip of the hand."""
    if not sys.stdin.isatty():
        raise InputError("not_confirmed", f"{count} accounts: look with --dry-run, then add --yes.")
    talk_console().print(_effect(looked))
    if typer.prompt(f"Type {count} to order it of {count} accounts", err=True) != str(count):
        raise InputError("not_confirmed", "That was another number; nothing was ordered.")


def _shown(body: Json) -> Shown:
    if body["status"] == "awaiting_approval":
        say(f"It waits for somebody else: wattledger command approve {body['batch_id']}")
    refused = body["refused"]
    if refused:
        say(f"{len(refused)} of {body['count']} were refused.")
    told = {"accepted": len(body["accepted"]), "refused": len(refused), "positions": None}
    rows = [[each["account_no"], each["code"], each["reason"]] for each in refused]
    human: RenderableType = facts({**body, **told})
    if rows:
        human = Group(human, table(("account", "code", "reason"), rows))
    return Shown(
        body=body,
        human=human,
        hint=f"wattledger command batches {body['batch_id']}",
        exit_code=SOME_REFUSED if refused else 0,
    )


def _line(item: Json, timezone: str) -> list[object]:
    counts = ", ".join(f"{name} {count}" for name, count in item["counts"].items())
    at = local_text(item["requested_at"], timezone)
    return [
        item["batch_id"],
        item["kind"],
        item["status"],
        counts,
        item["requested_by"],
        at,
        item["reason"],
    ]


def _orders(orders: Sequence[Json]) -> RenderableType:
    names = ("account_no", "service_point", "command_id", "status", "code", "outcome")
    columns = ("account", "point", "command", "status", "code", "outcome")
    return table(columns, [[order[name] for name in names] for order in orders])
