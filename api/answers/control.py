"""Device commands, work orders, and what keeps a point from being cut."""

from typing import Annotated, Literal

from pydantic import Field

from api.answers import (
    AccountNo,
    Code,
    CommandId,
    Count,
    MeterNo,
    Page,
    PointName,
    Position,
    Positions,
    Reason,
    Shard,
    Time,
    Told,
    WorkOrderNo,
)
from ledger.devices import OrderKind

Status = Literal[
    "requested",
    "held",
    "queued",
    "dispatched",
    "acknowledged",
    "verified",
    "awaiting_customer",
    "unknown",
    "refused",
    "expired",
    "superseded",
    "cancelled",
    "failed",
]
Actor = Annotated[str, Field(examples=["hand"])]


class CommandAccepted(Told):
    """A command right after what was asked for; the meter has not obeyed yet."""

    command_id: CommandId
    account_no: AccountNo
    service_point: PointName
    meter_no: MeterNo
    kind: OrderKind
    status: Status
    code: Code
    """Why it is held or ended; empty where there is nothing to say."""
    attempts: Count
    work_order_no: Annotated[str, Field(examples=[""])]
    """Empty where there is none."""
    positions: Positions


class CommandState(Told):
    """A command with how far it has come."""

    command_id: CommandId
    account_no: AccountNo
    service_point: PointName
    meter_no: MeterNo
    kind: OrderKind
    status: Status
    reason: Reason
    by_hand: bool
    attempts: Count
    outcome: Annotated[str, Field(examples=["ok"])]
    """The last answer of the meter, or why there is none."""
    work_order_no: WorkOrderNo | None
    requested_at: Time
    updated_at: Time
    expires_at: Time | None
    shard: Shard
    position: Position


class Commands(Page[CommandState]):
    """Commands, the newest first."""


class TripSwitch(Told):
    """Where nobody is cut off for now."""

    site: Annotated[str, Field(examples=["East"])]
    """Empty where it holds everywhere."""
    since: Time
    until: Time | None
    """Null where it lasts until somebody ends it."""
    by: Annotated[str, Field(examples=["user:anna"])]
    reason: Reason


class TripSwitches(Page[TripSwitch]):
    """Where nobody is cut off for now; the cursor is null."""


class TripsSwitched(Told):
    """Trips right after the switch was thrown."""

    trips: Literal["on", "off"]
    site: Annotated[str, Field(examples=["East"])]
    changed: bool
    positions: Positions


class Guaranteed(Told):
    """Whether a guarantee holds now."""

    account_no: AccountNo
    guaranteed: bool
    changed: bool
    positions: Positions


class Disputed(Told):
    """Whether anything owed is in dispute now."""

    account_no: AccountNo
    disputed: bool
    positions: Positions


class WorkOrder(Told):
    """What a person has to look at, and what was found."""

    work_order_no: WorkOrderNo
    account_no: AccountNo
    service_point: PointName
    meter_no: MeterNo
    command_id: CommandId
    kind: Code
    code: Code
    reason: Reason
    status: Literal["open", "settled"]
    opened_at: Time
    settled_at: Time | None
    settled_by: Actor | None
    actual: Annotated[str | None, Field(examples=["on"])]
    note: Annotated[str | None, Field(examples=["fuse"])]
    shard: Shard
    position: Position


class WorkOrders(Page[WorkOrder]):
    """Work orders, the newest first."""


class WorkOrderSettled(Told):
    """A work order right after somebody was at the meter."""

    work_order_no: WorkOrderNo
    account_no: AccountNo
    service_point: PointName
    command_id: CommandId
    status: Literal["settled"]
    positions: Positions
