"""Batches of device commands: what is asked for, what would come of it, and how far it is."""

from typing import Annotated, Literal

from pydantic import Field

from api.answers import (
    AccountNo,
    CommandId,
    Count,
    Currency,
    MeterNo,
    Minor,
    Page,
    PointName,
    Position,
    Positions,
    Reason,
    Sentence,
    Shard,
    Switch,
    Time,
    Told,
)
from api.answers.control import Actor, Status
from ledger.devices import OrderKind

BatchId = Annotated[str, Field(examples=["0-b130"])]
BatchStatus = Literal["awaiting_approval", "running", "done", "rejected", "expired"]
Index = Annotated[int, Field(ge=0, examples=[0], description="Counted from 0.")]
Why = Annotated[str, Field(pattern=r"^[a-z0-9_]*$", examples=["guaranteed"])]
Because = Annotated[str, Field(examples=["The supply is guaranteed; end the guarantee first."])]


class Ordered(Told):
    """An account whose meter has its command."""

    account_no: AccountNo
    command_id: CommandId


class NotOrdered(Told):
    """An account that was decided otherwise about, and why."""

    index: Index
    account_no: AccountNo
    code: Why
    reason: Because


class BatchAccepted(Told):
    """A batch right after what was asked for; meters have not obeyed yet."""

    batch_id: BatchId
    kind: OrderKind
    status: BatchStatus
    count: Count
    accepted: list[Ordered]
    refused: list[NotOrdered]
    """Both are empty while it waits for a second person."""
    positions: Positions


class BatchRejected(Told):
    """A batch that will not run."""

    batch_id: BatchId
    status: Literal["rejected"]
    changed: bool
    positions: Positions


class Named(Told):
    """An account as a batch names it."""

    account_no: AccountNo
    service_point: PointName


class Sample(Named):
    """One of those who would be reached."""

    meter_no: MeterNo
    supply: Switch
    """As the meter showed it last."""
    available_minor: Minor
    currency: Currency
    under_way: CommandId | None
    """The same order, given before; it would be that one."""
    held: Why | None
    """Why it would not be sent at once."""


class Excluded(Told):
    """One of those who would not be reached, and why."""

    index: Index
    account_no: AccountNo
    service_point: PointName | None
    code: Why
    reason: Because


class SupplyNow(Told):
    """How many points have supply now."""

    on: Count
    off: Count
    unknown: Count


class Effect(Told):
    """What the orders would meet."""

    supply: SupplyNow
    under_way: Count
    held: dict[str, Count]
    """How many would wait, by reason."""


class BatchPreview(Told):
    """What a batch would do; `accounts` are what to ask for once this is confirmed."""

    kind: OrderKind
    count: Count
    accounts: list[Named]
    samples: list[Sample]
    excluded: list[Excluded]
    effect: Effect
    needs_approval: bool
    """Whether it would wait for a second person."""


class Batch(Told):
    """A batch with how far it has come."""

    batch_id: BatchId
    kind: OrderKind
    status: BatchStatus
    reason: Reason
    count: Count
    counts: Annotated[dict[str, Count], Field(examples=[{"verified": 1}])]
    """Orders by status: that of their commands, `waiting`, or `not_ordered`."""
    requested_by: Actor
    requested_at: Time
    approve_until: Time | None
    """Null where it needs nobody else."""
    decided_by: Actor | None
    expires_at: Time | None
    updated_at: Time
    shard: Shard
    position: Position


class Batches(Page[Batch]):
    """Batches, the newest first."""


class BatchOrder(Told):
    """One order of a batch."""

    index: Index
    account_no: AccountNo
    service_point: PointName | None
    command_id: CommandId | None
    status: Status | Literal["waiting", "not_ordered"]
    code: Why
    """Why it was not ordered; else empty."""
    outcome: Sentence


class BatchState(Batch):
    """A batch with each of its orders."""

    orders: list[BatchOrder]
