"""A street of accounts with money behind one gateway, and batches of commands to its meters."""

from collections.abc import Sequence

from ledger.access import Reach
from ledger.commands import command_batches, guarantee
from ledger.commands.command_batches import EVERYWHERE, ApproveBatch, RejectBatch, RequestBatch
from ledger.devices import OrderKind
from ledger.events.command import CommandRequested
from ledger.store import Context
from tests.harness.desk import ACTOR, Desk, Json
from tests.harness.device_day import COLLEAGUE, Line, batch_account

FIVE = ("A0", "A1", "A2", "A3", "A4")


def street(desk: Desk, numbers: Sequence[str] = FIVE, site: str = "") -> list[Line]:
    """Accounts with money, their meters behind one gateway."""
    lines = [Line(desk, number, f"M{number}", connected=False, site=site) for number in numbers]
    for unit, line in enumerate(lines, 1):
        line.connect(unit)
        desk.adjust(line.account_no, 50_00)
    return lines


def wish(kind: OrderKind = "trip", numbers: Sequence[str] = FIVE) -> RequestBatch:
    accounts = tuple(batch_account(number) for number in numbers)
    return RequestBatch(kind=kind, reason="a fire", accounts=accounts)


def ask(desk: Desk, kind: OrderKind = "trip", numbers: Sequence[str] = FIVE) -> Json:
    return command_batches.handle(wish(kind, numbers), desk.ledger, ACTOR).body


def approve(desk: Desk, batch_id: str, who: Context = COLLEAGUE, reach: Reach = EVERYWHERE) -> Json:
    asked = ApproveBatch(batch_id=batch_id)
    return command_batches.approve(asked, desk.ledger, who, reach).body


def reject(desk: Desk, batch_id: str, who: Context = COLLEAGUE) -> Json:
    asked = RejectBatch(batch_id=batch_id, reason="it is out")
    return command_batches.reject(asked, desk.ledger, who).body


def protect(desk: Desk, account_no: str) -> None:
    started = guarantee.StartGuarantee(account_no=account_no, reason="exams")
    guarantee.start(started, desk.ledger, ACTOR)


def refusals(body: Json) -> list[tuple[str, str]]:
    return [(each["account_no"], each["code"]) for each in body["refused"]]


def ordered(desk: Desk) -> list[str]:
    """Whom anything was ordered of, in the order of asking."""
    requested = [each.event for each in desk.recorded()]
    return [each.account_no for each in requested if isinstance(each, CommandRequested)]
