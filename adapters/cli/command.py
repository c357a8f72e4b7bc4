"""`wattledger command`: orders to meters, how far they have come, and the people who look."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from adapters.cli.inputs import AccountNo, PointName, Reason, made, moment
from adapters.cli.opening import Opened, opened
from adapters.cli.output import Shown, facts, table
from adapters.cli.times import local_text
from adapters.cli.verbs import standing_for, topic, verb
from adapters.views.queries import SqlQueries
from ledger.commands import (
    Json,
    cancel_command,
    request_command,
    retry_command,
    settle_work_order,
    switch_trips,
)
from ledger.devices import RELAY_KINDS
from ledger.queries import Asked

REQUEST = "request"
"""The command that `command ACCOUNT KIND` stands for."""
HELP = "Orders to meters: ACCOUNT KIND --reason WHY"
group = topic("command", HELP, cls=standing_for(REQUEST))

CommandId = Annotated[str, typer.Argument(metavar="COMMAND", help="Its id, such as 0-c17.")]
LIMIT = 50


@verb(group, REQUEST)
def request(
    account: AccountNo,
    kind: Annotated[str, typer.Argument(help=f"{', '.join(sorted(RELAY_KINDS))}.")],
    reason: Reason,
    point: PointName = None,
    expires_at: Annotated[str | None, typer.Option(help="Not sent after this time.")] = None,
) -> Shown:
    """Order the meter of an account to do something."""
    with opened() as here:
        body = {
            "account_no": account,
            "service_point": point,
            "kind": kind,
            "reason": reason,
            "expires_at": moment(expires_at, here.terms.timezone),
        }
        command = made(request_command.RequestCommand, body)
        return _shown(request_command.handle(command, here.ledger, here.context).body)


@verb(group, "list")
def list_(
    account: Annotated[str | None, typer.Option(help="Of this account.")] = None,
    status: Annotated[str | None, typer.Option(help="Of this status, or `open`.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = LIMIT,
) -> Shown:
    """Commands, the newest first."""
    where = {"account_no": account, "status": status}
    with opened() as here:
        page = _queries(here).commands(
            Asked({name: value for name, value in where.items() if value}, None, limit)
        )
        human = command_table(page.items, here.terms.timezone)
    return Shown(body=page.body(), human=human)


@verb(group)
def retry(command: CommandId) -> Shown:
    """Try a command again that failed, expired or was cancelled."""
    with opened() as here:
        asked = made(retry_command.RetryCommand, {"command_id": command})
        return _shown(retry_command.handle(asked, here.ledger, here.context).body)


@verb(group)
def cancel(command: CommandId, reason: Reason) -> Shown:
    """Cancel a command that no meter has heard of yet."""
    with opened() as here:
        asked = made(cancel_command.CancelCommand, {"command_id": command, "reason": reason})
        return _shown(cancel_command.handle(asked, here.ledger, here.context).body)


@verb(group)
def orders(
    status: Annotated[str, typer.Option(help="open or settled.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = LIMIT,
) -> Shown:
    """Work orders: what a person has to look at."""
    with opened() as here:
        page = _queries(here).work_orders(Asked({"status": status}, None, limit))
    columns = ("work order", "account", "meter", "kind", "reason", "status")
    names = ("work_order_no", "account_no", "meter_no", "kind", "reason", "status")
    rows = [[item[name] for name in names] for item in page.items]
    return Shown(body=page.body(), human=table(columns, rows))


@verb(group)
def settle(
    work_order: Annotated[str, typer.Argument(metavar="WORK_ORDER", help="Such as 0-w12.")],
    actual: Annotated[str, typer.Argument(help="What the supply is now: on or off.")],
    note: Annotated[str, typer.Option(help="What was found.")] = "",
) -> Shown:
    """Settle a work order: somebody was there."""
    with opened() as here:
        body = {"work_order_no": work_order, "actual": actual, "note": note}
        asked = made(settle_work_order.SettleWorkOrder, body)
        answer = settle_work_order.handle(asked, here.ledger, here.context).body
    return Shown(body=answer, human=facts(answer), hint="wattledger command orders")


@verb(group)
def trips(
    switch: Annotated[
        str | None, typer.Argument(metavar="SWITCH", help="on or off; without it, it is shown.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it stays in the log.")] = None,
    site: Annotated[str, typer.Option(help="At this site; without it, everywhere.")] = "",
    until: Annotated[str | None, typer.Option(help="It ends by itself at this time.")] = None,
) -> Shown:
    """Let nobody be cut off from now on (off), or let it go on (on); trips wait meanwhile."""
    with opened() as here:
        if switch is None:
            items = _queries(here).trip_switches()
            rows = [[item["site"] or "everywhere", *list(item.values())[1:]] for item in items]
            human = table(("suspended at", "since", "until", "by", "reason"), rows)
            hint = "" if items else "wattledger command trips off --reason …"
            return Shown(body={"items": items, "cursor": None}, human=human, hint=hint)
        ends = moment(until, here.terms.timezone)
        asked = {"trips": switch, "site": site, "until": ends, "reason": reason}
        command = made(switch_trips.SwitchTrips, asked)
        answer = switch_trips.handle(command, here.ledger, here.context).body
    return Shown(body=answer, human=facts({**answer, "positions": None}))


def command_table(items: Sequence[Json], timezone: str) -> RenderableType:
    """Commands, one a line."""
    columns = ("command", "account", "meter", "kind", "status", "tries", "outcome", "updated")
    rows: list[list[Any]] = [
        [
            item["command_id"],
            item["account_no"],
            item["meter_no"],
            item["kind"],
            item["status"],
            item["attempts"],
            item["outcome"],
            local_text(item["updated_at"], timezone),
        ]
        for item in items
    ]
    return table(columns, rows, right="tries")


def _queries(here: Opened) -> SqlQueries:
    here.views()  # Brought to the log's end.
    return SqlQueries(here.engine, here.terms)


def _shown(body: Json) -> Shown:
    hint = f"wattledger command list --account {body['account_no']}"
    return Shown(body=body, human=facts({**body, "positions": None}), hint=hint)
