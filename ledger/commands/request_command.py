"""Request a device command (控制命令): an order to the meter of a service point."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from ledger.aggregates import Refused
from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.no_cut import Hold
from ledger.aggregates.account.supply import (
    CLOSING,
    TRIP,
    wanted_supply,
    what_forbids_a_trip,
)
from ledger.aggregates.command import WAITING, DeviceCommand
from ledger.aggregates.meter import Meter
from ledger.aggregates.work_order import WorkOrder
from ledger.commands import AccountNo, Command, Json, Moment, Reason
from ledger.commands.switch_trips import suspended_until
from ledger.devices import OrderKind, obeyed_by
from ledger.events import command as facts
from ledger.events.supply import SupplyCommanded
from ledger.store import Answer, Context, Ledger, Session
from ledger.values import MICROS_PER_SECOND, micros, rfc3339

BY_HAND: Final = ""
FORBIDDEN: Final = {
    "protected": "The customer is protected from being cut.",
    "guaranteed": "The supply is guaranteed; end the guarantee first.",
    "disputed": "What is owed is in dispute; release the dispute first.",
}
GIVING: Final = (*CLOSING, "guarantee")
"""What closes a relay: an order to guarantee does so by force."""
NO_CUT: Final = "no_cut_window"
ON_THE_LINE_US: Final = 60 * MICROS_PER_SECOND
"""An order may lie on the line for so long before it is sent, or not sent any more."""


class Held(NamedTuple):
    """Why a command is not sent now; `until_us` is 0 where no clock ends it."""

    code: str
    until_us: int = 0


class RequestCommand(Command):
    """A person wants a meter to do something; the reason stays in the log."""

    account_no: AccountNo
    service_point: str | None = None
    kind: OrderKind
    reason: Reason
    expires_at: Moment | None = None


class Wish(NamedTuple):
    """What is wanted of one meter; `service_point` may be left out where there is only one."""

    account_no: str
    service_point: str | None
    kind: str
    reason: str
    expires_at_us: int = 0


class Considered(NamedTuple):
    """A wish that the rules allow; `under_way` is the same order, given before."""

    account: Account
    point: Point
    under_way: DeviceCommand | None


def handle(command: RequestCommand, ledger: Ledger, context: Context) -> Answer:
    """Request it; the same order for the same point, while one is under way, is that one."""
    expires_at_us = 0 if command.expires_at is None else micros(command.expires_at)
    named = (command.account_no, command.service_point, command.kind, command.reason)
    wish = Wish(*named, expires_at_us)

    def decide(session: Session) -> Json:
        return command_answer(ask(session, wish))

    return ledger.decide(decide, context, accounts=(command.account_no,))


def ask(session: Session, wish: Wish) -> DeviceCommand:
    """Order what is wanted, or refuse before anything is recorded."""
    account, point, under_way = considered(session, wish)
    if under_way is not None:
        return under_way
    return order(
        session,
        account,
        point,
        kind=wish.kind,
        reason=wish.reason,
        cause=BY_HAND,
        expires_at_us=wish.expires_at_us,
    )


def considered(session: Session, wish: Wish) -> Considered:
    """Whether a person may have that done now; records nothing."""
    account = session.account(wish.account_no)
    account.require_open()
    point = account.point(wish.service_point)
    if wish.expires_at_us and wish.expires_at_us <= session.now_us:
        raise Refused("expires_in_the_past", "The command would have expired already.")
    newest = newest_command(session, point, account.shard)
    if newest is not None and newest.is_open and newest.kind == wish.kind:
        return Considered(account, point, newest)
    _require_obeyed(session, account, point, wish.kind)
    require_lawful(session, account, point, wish.kind)
    return Considered(account, point, None)


def _require_obeyed(session: Session, account: Account, point: Point, kind: str) -> None:
    """Nothing is asked of a meter that its model cannot do."""
    model = session.aggregate(Meter, point.meter_no, account.shard).model
    obeyed = obeyed_by(model)
    if kind not in obeyed:
        raise Refused(
            "command_not_supported",
            f"The meter {point.meter_no} ({model or 'on no line yet'}) cannot do {kind}; "
            f"it can do: {', '.join(sorted(obeyed))}.",
        )


def require_lawful(session: Session, account: Account, point: Point, kind: str) -> None:
    """Nobody who is protected is cut by hand; nobody is given by hand what the rules withhold."""
    now_us = session.now_us
    if kind == TRIP:
        forbids = what_forbids_a_trip(account, point, now_us)
        if forbids is not None:
            raise Refused(forbids, FORBIDDEN[forbids])
        window = open_window(session, account, point)
        if window is not None:
            raise Refused(
                NO_CUT,
                f"Nobody is cut by the policy {point.policy_id} until "
                f"{rfc3339(window.until_us)} ({', '.join(window.by)}).",
            )
    if kind in GIVING and not point.off_by_hand and wanted_supply(point, now_us) == "off":
        raise Refused(
            "supply_cut_for_debt",
            f"The money of account {account.account_no} does not suffice; "
            "recharge it, or guarantee its supply.",
        )


def order(
    session: Session,
    account: Account,
    point: Point,
    *,
    kind: str,
    reason: str,
    cause: str,
    expires_at_us: int = 0,
) -> DeviceCommand:
    """Record a new command; where it moves the supply it takes the place of the one before."""
    command_id = f"{account.shard}-c{session.next_position(account.shard)}"
    made = session.aggregate(DeviceCommand, command_id, account.shard)
    newest = newest_command(session, point, account.shard)
    requested = facts.CommandRequested(
        command_id=command_id,
        account_no=account.account_no,
        point=point.name,
        meter_no=point.meter_no,
        kind=kind,
        reason=reason,
        cause=cause,
        by_hand=cause == BY_HAND,
        expires_at_us=expires_at_us,
        follows=newest.command_id if newest is not None and newest.leaves_doubt else "",
        work_order_no=open_work_order(session, newest),
    )
    session.record(made, requested, session.now_us)
    if made.moves_supply:
        if newest is not None and newest.is_open:
            superseded = facts.CommandSuperseded(*newest.identity, command_id)
            session.record(newest, superseded, session.now_us)
        commanded = SupplyCommanded(
            account.account_no, point.name, command_id, kind, cause == BY_HAND
        )
        session.record(account, commanded, session.now_us)
    place(session, account, point, made)
    return made


def place(session: Session, account: Account, point: Point, command: DeviceCommand) -> None:
    """Let a command wait for its turn, or hold it back with the reason."""
    if command.status not in WAITING:
        return
    holds = what_holds(session, account, point, command.kind)
    if holds is not None:
        held = command.hold(*holds)
        if held is not None:
            session.record(command, held, session.now_us)
    elif command.status != "queued":
        session.record(command, command.queue("", session.now_us), session.now_us)


def what_holds(session: Session, account: Account, point: Point, kind: str) -> Held | None:
    """What keeps an order from being sent now; None where it may be."""
    if not session.aggregate(Meter, point.meter_no, account.shard).gateway_id:
        return Held("meter_not_connected")
    if kind != TRIP:
        return None
    forbids = what_forbids_a_trip(account, point, session.now_us)
    if forbids is not None:
        return Held(forbids)
    until_us = suspended_until(session, account.site)
    if until_us is not None:
        return Held("trips_suspended", until_us)
    window = open_window(session, account, point)
    return None if window is None else Held(NO_CUT, window.until_us)


def open_window(session: Session, account: Account, point: Point) -> Hold | None:
    """The no-cut window that is open, or opens before an order would have arrived."""
    no_cut = session.terms(point.policy_id).no_cut
    if no_cut is None:
        return None
    now_us = session.now_us
    return no_cut.window(account.timezone, now_us) or no_cut.window(
        account.timezone, now_us + ON_THE_LINE_US
    )


def newest_command(session: Session, point: Point, shard: int) -> DeviceCommand | None:
    """The newest command that moves the supply of a point."""
    if not point.command_id:
        return None
    return session.aggregate(DeviceCommand, point.command_id, shard)


def open_work_order(session: Session, command: DeviceCommand | None) -> str:
    """Number of the work order that a command ended in, while it is open; else empty."""
    if command is None or not command.work_order_no:
        return ""
    found = session.aggregate(WorkOrder, command.work_order_no, command.shard)
    return found.work_order_no if found.status == "open" else ""


def command_answer(command: DeviceCommand) -> Json:
    """A command right after a decision."""
    return {
        "command_id": command.command_id,
        "account_no": command.account_no,
        "service_point": command.point,
        "meter_no": command.meter_no,
        "kind": command.kind,
        "status": command.status,
        "code": command.code,
        "attempts": command.attempts,
        "work_order_no": command.work_order_no,
    }


def shard_of_id(id: str, shards: int) -> int:
    """Shard that an id minted by the ledger begins with."""
    first, _, rest = id.partition("-")
    if not first.isdecimal() or not rest or int(first) >= shards:
        raise Refused("id_unknown", f"{id!r} is no id of this ledger.")
    return int(first)


def points_of(account: Account, name: str | None) -> Iterable[Point]:
    """The named point, or every point of the account."""
    return account.points if name is None else (account.point(name),)
