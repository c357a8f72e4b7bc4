"""Show the supply (供电状态): what a meter lets see, and all that follows from it."""

from typing import Final

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.supply import confirm, reconcile, wanted_supply
from ledger.aggregates.command import DeviceCommand
from ledger.aggregates.work_order import WorkOrder
from ledger.commands.request_command import newest_command, open_work_order, order
from ledger.devices import MeterState, is_reached
from ledger.events.command import CommandVerified
from ledger.events.work_order import WorkOrderOpened
from ledger.store import Session

OWN_PREPAYMENT: Final = "switch_off_own_prepayment"
"""Flag of a meter that was forced on because its own prepayment would keep it off."""
UNREACHED: Final = frozenset({"offline", "unknown"})
"""Why a command failed at the line and not at the meter: worth another order once it answers."""


def shows(kind: str, state: MeterState | None) -> bool:
    """Whether a meter shows that an order was carried out; a permit alone closes no relay."""
    if state is None:
        return False
    if kind == "close_permit":
        return state.relay == "closed"
    return is_reached(kind, state)  # type: ignore[arg-type] # a kind of order


def verify(session: Session, command: DeviceCommand, state: MeterState, by: str) -> None:
    """A command reached its end; the account's supply is confirmed in the same commit."""
    verified = CommandVerified(*command.identity, command.attempts, state.relay, state.mode, by)
    session.record(command, verified, session.now_us)
    if OWN_PREPAYMENT in state.flags:
        _let_own_prepayment_be_switched_off(session, command)
    at = point_of(session, command)
    if at is not None:
        show(session, *at, state.relay, state.at_us, command)


def show(
    session: Session,
    account: Account,
    point: Point,
    relay: str,
    at_us: int,
    command: DeviceCommand | None = None,
) -> None:
    """Take what a meter shows: confirm the supply, open or settle a case, give back what is due."""
    at_us = min(at_us, session.now_us)
    newest = newest_command(session, point, account.shard)
    command_id = command.command_id if command else ""
    confirmed = confirm(account, point, relay, at_us, session.now_us, command_id)
    if confirmed is not None:
        session.record(account, confirmed, at_us)
    if point.supply_actual == wanted_supply(point, session.now_us):
        _settle_work(session, newest, point.supply_actual, "sweep" if command is None else "read")
    is_under_way = newest is not None and newest.is_open
    case = reconcile(account, point, session.now_us, is_under_way=is_under_way)
    if case is not None:
        session.record(account, case, session.now_us)
    is_reachable_again = (
        newest is not None and newest.status == "failed" and newest.code in UNREACHED
    )
    if point.mismatch == "on" and not is_under_way and (case is not None or is_reachable_again):
        cause = f"{account.shard}:{session.positions[account.shard]}"
        order(session, account, point, kind="close", reason="found open", cause=cause)


def _settle_work(session: Session, newest: DeviceCommand | None, actual: str, by: str) -> None:
    number = open_work_order(session, newest)
    if newest is None or not number:
        return
    work = session.aggregate(WorkOrder, number, newest.shard)
    settled = work.settle(actual, by, "")
    if settled is not None:
        session.record(work, settled, session.now_us)


def _let_own_prepayment_be_switched_off(session: Session, command: DeviceCommand) -> None:
    """The meter had to be forced, because it deducts beside the ledger: one open case a meter."""
    number = f"{command.shard}-p-{command.meter_no}"
    work = session.aggregate(WorkOrder, number, command.shard)
    if work.status == "open":
        return
    opened = WorkOrderOpened(
        work_order_no=number,
        account_no=command.account_no,
        point=command.point,
        meter_no=command.meter_no,
        command_id=command.command_id,
        kind=command.kind,
        code="own_prepayment",
        reason="The meter deducts from a balance of its own; switch that off.",
    )
    session.record(work, opened, session.now_us)


def point_of(session: Session, of: DeviceCommand | WorkOrder) -> tuple[Account, Point] | None:
    """The account and point of a command or of work; None where the point was removed."""
    account = session.account(of.account_no)
    for point in account.points:
        if point.name == of.point:
            return account, point
    return None
