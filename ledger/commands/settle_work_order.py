"""Settle a work order (工单完成): a person was at the meter and says what it shows."""

from typing import Annotated, Final, Literal

from pydantic import Field

from ledger.aggregates import Refused
from ledger.aggregates.command import DeviceCommand
from ledger.aggregates.work_order import WorkOrder
from ledger.commands import Command, Identifier, Json, Text
from ledger.commands.request_command import shard_of_id
from ledger.commands.show_supply import point_of, show, shows, verify
from ledger.devices import MeterState, Relay
from ledger.store import Answer, Context, Ledger, Session

RELAY: Final[dict[str, Relay]] = {"on": "closed", "off": "open"}


class SettleWorkOrder(Command):
    """What was found: supply on or off, and a note."""

    work_order_no: Identifier
    actual: Literal["on", "off"]
    note: Annotated[Text, Field(max_length=500)] = ""


def handle(command: SettleWorkOrder, ledger: Ledger, context: Context) -> Answer:
    """Settle it and verify its command by hand; settled before is silence."""
    shard = shard_of_id(command.work_order_no, ledger.terms.shards)

    def decide(session: Session) -> Json:
        work = session.aggregate(WorkOrder, command.work_order_no, shard)
        if work.status == "absent":
            raise Refused("work_order_unknown", "There is no work order of this number.")
        settled = work.settle(command.actual, "hand", command.note)
        if settled is not None:
            session.record(work, settled, session.now_us)
            _take(session, work, command.actual)
        return {
            "work_order_no": work.work_order_no,
            "account_no": work.account_no,
            "service_point": work.point,
            "command_id": work.command_id,
            "status": work.status,
        }

    return ledger.decide(decide, context, shards=(shard,))


def _take(session: Session, work: WorkOrder, actual: str) -> None:
    """What was seen by hand counts as if the meter had shown it."""
    state = MeterState(session.now_us, {}, RELAY[actual], "unknown")
    if work.command_id:  # Work on a clock follows no command.
        found = session.aggregate(DeviceCommand, work.command_id, work.shard)
        if found.status == "failed" and shows(found.kind, state):
            verify(session, found, state, "hand")
            return
    at = point_of(session, work)
    if at is not None:
        show(session, *at, state.relay, state.at_us)
