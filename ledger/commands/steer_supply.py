"""Steer the supply of a point (供电调度): from what was decided to the order that its meter needs.

It looks at the state of the moment and not at the decision that woke it, so the last intended state
wins however late, however often and in whatever order decisions are told.
"""

from concurrent.futures import Future
from typing import NamedTuple

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.supply import CLOSING, TRIP, wanted_supply
from ledger.aggregates.command import DeviceCommand
from ledger.commands import Json
from ledger.commands.request_command import command_answer, newest_command, order, place
from ledger.ports import Claim
from ledger.store import Answer, Context, Ledger, Session


class Steering(NamedTuple):
    """A point whose supply may have to change; `cause` is `<shard>:<position>` of the event."""

    account_no: str
    point: str
    reason: str
    cause: str


def handle(steering: Steering, ledger: Ledger, context: Context) -> Answer:
    """Order what is needed, once for a cause however often it is told."""
    return submit(steering, ledger, context).result()


def submit(steering: Steering, ledger: Ledger, context: Context) -> "Future[Answer]":
    """The same without waiting."""

    def decide(session: Session) -> Json:
        account = session.account(steering.account_no)
        for point in account.points:
            if point.name == steering.point:
                steer(session, account, point, steering.reason, steering.cause)
                newest = newest_command(session, point, account.shard)
                return {} if newest is None else _told(newest)
        return {}  # The point was removed meanwhile.

    key = f"{steering.account_no}/{steering.point}/{steering.cause}"
    claim = Claim("command", key, "", steering.account_no)
    return ledger.submit(decide, context, accounts=(steering.account_no,), claims=(claim,))


def _told(newest: DeviceCommand) -> Json:
    """To whoever sends it: when a command that is held by the clock may go on."""
    return {**command_answer(newest), "again_at_us": newest.again_at_us}


def steer(session: Session, account: Account, point: Point, reason: str, cause: str) -> None:
    """Order, cancel or hold, so that the meter comes to show what is wanted."""
    wanted = wanted_supply(point, session.now_us)
    kinds = CLOSING if wanted == "on" else (TRIP,)
    newest = newest_command(session, point, account.shard)
    is_there = point.supply_actual == wanted or (wanted, point.supply_actual) == ("on", "unknown")
    if newest is not None and newest.is_open and newest.kind in kinds:
        place(session, account, point, newest)
    elif not is_there or (newest is not None and newest.leaves_doubt):
        order(session, account, point, kind=kinds[0], reason=reason, cause=cause)
    elif wanted != point.supply_intended and not point.off_by_hand:
        _hold_a_trip(session, account, point, newest, reason, cause)
    elif newest is not None and newest.is_open:
        session.record(newest, newest.cancel("no_longer_wanted", reason), session.now_us)


def _hold_a_trip(
    session: Session,
    account: Account,
    point: Point,
    newest: DeviceCommand | None,
    reason: str,
    cause: str,
) -> None:
    """A guarantee keeps on what was decided to be cut: the trip waits until it ends."""
    if newest is not None and newest.is_open:
        place(session, account, point, newest)
    else:
        order(session, account, point, kind=TRIP, reason=reason, cause=cause)
