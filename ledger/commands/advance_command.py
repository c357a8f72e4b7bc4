"""Advance a device command (控制命令执行): every step of its way is decided on fresh state.

Before each dispatch everything is checked again under the lock of the account's shard; what came of
it is recorded with what it shows of the supply, in one commit.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.supply import CLOSING, TRIP, wanted_supply
from ledger.aggregates.command import OBEYED_MAX, REFUSALS_MAX, SENT, DeviceCommand
from ledger.aggregates.gateway import Gateway
from ledger.aggregates.meter import Meter
from ledger.aggregates.work_order import WorkOrder
from ledger.commands import Json
from ledger.commands.request_command import (
    Held,
    open_work_order,
    place,
    shard_of_id,
    what_holds,
)
from ledger.commands.show_supply import point_of, show, shows, verify
from ledger.devices import (
    Garbled,
    MeterAddress,
    MeterState,
    NoAnswer,
    Offline,
    Ok,
    Outcome,
)
from ledger.devices import Refused as MeterRefused
from ledger.events import Event
from ledger.events import command as facts
from ledger.events.work_order import WorkOrderOpened
from ledger.store import Context, Ledger, Session
from ledger.store.session import CATALOGUE_SHARD
from ledger.values import MICROS_PER_SECOND, stream_id

CONTEXT: Final = Context("dispatcher")
CUSTOMER_US: Final = 60 * MICROS_PER_SECOND
"""How long between two looks whether the customer has pressed the button."""

UNSURE: Final = frozenset({"acknowledged_later", "gateway_target_silent"})
"""What sounds like a no and leaves open whether the meter obeyed."""
PASSING: Final = frozenset({"busy", "gateway_path_unavailable"})
"""Not now: the order was not heard, and nobody has to go there for it."""

Step = Callable[[Session, DeviceCommand], None]


class Dispatch(NamedTuple):
    """Leave to send an order once, to this meter; `expires_at_us` is 0 where it has no end."""

    command_id: str
    attempt: int
    kind: str
    expires_at_us: int
    address: MeterAddress


class Progress(NamedTuple):
    """How far a command has come; nothing is to be done before `again_at_us`.

    `position` is how far its shard was then: later words about the command are newer.
    """

    status: str
    attempt: int
    again_at_us: int
    position: int


def begin_dispatch(command_id: str, ledger: Ledger, *, may_trip: bool) -> Dispatch | Progress:
    """Leave to send, recorded before anything is sent; else how far it has come.

    Still intended, money still below the line, not protected, not expired, newest order of its
    point, nobody else sending it: whatever fails is recorded as held, cancelled or expired.
    """
    found: list[Dispatch] = []

    def decide(session: Session, command: DeviceCommand) -> None:
        found.clear()
        if command.status not in {"queued", "refused"}:
            return
        at = _free_to_go(session, command)
        if at is None:
            return
        account, point = at
        holds = what_holds(session, account, point, command.kind)
        if holds is None and command.kind == TRIP and not may_trip:
            holds = Held("trips_off")
        if holds is not None:
            session.record(command, facts.CommandHeld(*command.identity, *holds), session.now_us)
        else:
            found.append(_dispatch(session, point, command))

    progress = _advance(command_id, decide, ledger)
    return found[0] if found else progress


def record_sent(command_id: str, attempt: int, outcome: Outcome, ledger: Ledger) -> Progress:
    """What came of sending an order."""

    def decide(session: Session, command: DeviceCommand) -> None:
        if command.status != "dispatched" or command.attempts != attempt:
            return
        now_us = session.now_us
        again_at_us = now_us + command.pause_us()
        match outcome:
            case Ok():
                session.record(
                    command, facts.CommandAcknowledged(*command.identity, attempt), now_us
                )
            case Offline(reason):
                queued = command.queue("offline", now_us, again_at_us)
                _record_or_give_up(session, command, queued, "offline", reason)
            case MeterRefused(code) if code in UNSURE:
                _unknown(session, command, outcome)
            case MeterRefused(code) if code in PASSING:
                queued = command.queue("busy", now_us, again_at_us)
                _record_or_give_up(session, command, queued, "busy", "the meter is busy")
            case MeterRefused(code):
                refused = facts.CommandRefused(*command.identity, attempt, code, again_at_us)
                session.record(command, refused, now_us)
                if command.refusals >= REFUSALS_MAX:
                    _fail(session, command, "refused", f"The meter refused it: {code}.")
            case _:
                _unknown(session, command, outcome)

    return _advance(command_id, decide, ledger)


def record_seen(command_id: str, attempt: int, outcome: Outcome, ledger: Ledger) -> Progress:
    """What a fresh look at the meter showed after an order."""

    def decide(session: Session, command: DeviceCommand) -> None:
        if command.status not in SENT or command.attempts != attempt:
            return
        if not isinstance(outcome, Ok) or outcome.state is None:
            _unknown(session, command, outcome)
        elif shows(command.kind, outcome.state):
            verify(session, command, outcome.state, "read")
        else:
            _not_reached(session, command, outcome.state)

    return _advance(command_id, decide, ledger)


def recheck(command_id: str, ledger: Ledger, *, may_trip: bool) -> Progress:
    """Let a held command go where nothing holds it any more."""

    def decide(session: Session, command: DeviceCommand) -> None:
        if command.status != "held":
            return
        at = _free_to_go(session, command)
        if at is not None and (may_trip or command.kind != TRIP):
            place(session, *at, command)

    return _advance(command_id, decide, ledger)


def _advance(command_id: str, decide: Step, ledger: Ledger) -> Progress:
    shard = shard_of_id(command_id, ledger.terms.shards)
    reached: list[Progress] = []

    def decide_command(session: Session) -> Json:
        command = session.aggregate(DeviceCommand, command_id, shard)
        command.require_known()
        decide(session, command)
        position = session.positions[shard]
        reached.append(Progress(command.status, command.attempts, command.again_at_us, position))
        return {}

    ledger.decide(decide_command, CONTEXT, shards=(shard,))
    return reached[-1]


def _free_to_go(session: Session, command: DeviceCommand) -> tuple[Account, Point] | None:
    """The point of a command that is still wanted; else it ends here, with the reason."""
    now_us = session.now_us
    at = point_of(session, command)
    ended: Event | None = None
    if at is None:
        ended = facts.CommandCancelled(*command.identity, "point_gone", "The point was removed.")
    elif command.is_out_of_time(now_us):
        ended = facts.CommandExpired(*command.identity)
    elif command.moves_supply:
        ended = _overtaken(session, *at, command)
    if ended is not None:
        session.record(command, ended, now_us)
        return None
    return at


def _overtaken(
    session: Session, account: Account, point: Point, command: DeviceCommand
) -> Event | None:
    """What ends an order that is not the newest, or not what is wanted now."""
    if point.command_id != command.command_id:
        return facts.CommandSuperseded(*command.identity, point.command_id)
    session.decide_levels(account, session.now_us)  # The lines may have moved, money has not.
    wanted = wanted_supply(point, session.now_us)
    waits_for_guarantee = wanted != point.supply_intended and not point.off_by_hand
    if (command.kind == TRIP and wanted == "on" and not waits_for_guarantee) or (
        command.kind in CLOSING and wanted == "off"
    ):
        reason = f"Supply is wanted {wanted}."
        return facts.CommandCancelled(*command.identity, "no_longer_wanted", reason)
    return None


def _dispatch(session: Session, point: Point, command: DeviceCommand) -> Dispatch:
    meter = session.aggregate(Meter, point.meter_no, command.shard)
    stream = stream_id(Gateway.KIND, meter.gateway_id)
    gateway = session.load(Gateway, CATALOGUE_SHARD, (stream,))[stream]
    sent = command.dispatch(point.meter_no, meter.gateway_id, meter.unit)
    session.record(command, sent, session.now_us)
    address = MeterAddress(point.meter_no, gateway.url, meter.unit, meter.model)
    return Dispatch(command.command_id, sent.attempt, command.kind, command.expires_at_us, address)


def _unknown(session: Session, command: DeviceCommand, outcome: Outcome) -> None:
    """Nobody knows what came of it: look again later, and not for ever."""
    code, reason = told(outcome)
    now_us = session.now_us
    if command.is_out_of_time(now_us) or command.is_out_of_patience(now_us):
        _fail(session, command, "unknown", f"Nobody knows what the meter did: {reason}.")
        return
    again_at_us = now_us + command.pause_us()
    event = facts.CommandUnknown(*command.identity, command.attempts, code, reason, again_at_us)
    session.record(command, event, now_us)


def told(outcome: Outcome) -> tuple[str, str]:
    """Code and words of an outcome."""
    match outcome:
        case Ok():
            return "silent", "the answer told no state"
        case MeterRefused(code):
            return "refused", code
        case NoAnswer():
            return "no_answer", "no answer came in time"
        case Garbled(reason):
            return "garbled", reason
        case Offline(reason):
            return "offline", reason


def _not_reached(session: Session, command: DeviceCommand, state: MeterState) -> None:
    """The meter shows something else: tell it again, or give up and say what it shows."""
    now_us = session.now_us
    at = point_of(session, command)
    if at is not None:
        show(session, *at, state.relay, state.at_us, command)
    if command.kind == "close_permit" and command.status != "unknown":
        if command.status != "awaiting_customer":
            awaited = facts.CustomerAwaited(*command.identity, now_us + CUSTOMER_US)
            session.record(command, awaited, now_us)
        return
    if command.obeyed >= OBEYED_MAX:
        _fail(session, command, "not_reached", f"The relay is still {state.relay}.")
        return
    queued = command.queue("not_reached", now_us, now_us + command.pause_us())
    _record_or_give_up(session, command, queued, "not_reached", f"the relay is {state.relay}")


def _record_or_give_up(
    session: Session, command: DeviceCommand, queued: Event, code: str, reason: str
) -> None:
    """Wait for the next try; a trip's time runs out, any other order becomes a person's work."""
    if command.is_out_of_time(session.now_us):
        session.record(command, facts.CommandExpired(*command.identity), session.now_us)
    elif command.is_out_of_patience(session.now_us):
        _fail(session, command, code, f"It was tried for long enough: {reason}.")
    else:
        session.record(command, queued, session.now_us)


def _fail(session: Session, command: DeviceCommand, code: str, reason: str) -> None:
    """End a command without success; where supply hangs on it, somebody has to go there."""
    number = open_work_order(session, command)
    if command.moves_supply and not number:
        number = f"{command.shard}-w{session.next_position(command.shard)}"
        opened = WorkOrderOpened(
            work_order_no=number,
            account_no=command.account_no,
            point=command.point,
            meter_no=command.meter_no,
            command_id=command.command_id,
            kind=command.kind,
            code=code,
            reason=reason,
        )
        session.record(session.aggregate(WorkOrder, number, command.shard), opened, session.now_us)
    failed = facts.CommandFailed(*command.identity, code, reason, number)
    session.record(command, failed, session.now_us)
