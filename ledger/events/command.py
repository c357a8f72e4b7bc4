"""Facts of one device command (控制命令): an order to a meter, from requested to verified."""

from typing import ClassVar, Final

from ledger.events import Event


class CommandRequested(Event, frozen=True):
    """Somebody, or a decision, wants the meter of a point to do something.

    `cause` is `<shard>:<position>` of the decision, empty where a person asked. `expires_at_us` is
    0 where nothing was said. `follows` is the order before it whose effect is uncertain, and
    `work_order_no` the open work order that it tries to make needless; both may be empty.
    """

    TOPIC: ClassVar[str] = "command.requested.v1"
    command_id: str
    account_no: str
    point: str
    meter_no: str
    kind: str
    reason: str
    cause: str
    by_hand: bool
    expires_at_us: int
    follows: str
    work_order_no: str


class CommandHeld(Event, frozen=True, omit_defaults=True):
    """It is not sent for now, and why: a guarantee, a dispute, a meter that is not connected.

    Where that ends by the clock, as a no-cut window does, `until_us` is when; else it is 0.
    """

    TOPIC: ClassVar[str] = "command.held.v1"
    command_id: str
    account_no: str
    code: str
    until_us: int = 0


class CommandQueued(Event, frozen=True):
    """It waits to be sent, not before `again_at_us`; 0 in `expires_at_us` means: until done."""

    TOPIC: ClassVar[str] = "command.queued.v1"
    command_id: str
    account_no: str
    code: str
    again_at_us: int
    expires_at_us: int


class CommandDispatched(Event, frozen=True):
    """It is being sent for the n-th time, after everything was checked again."""

    TOPIC: ClassVar[str] = "command.dispatched.v1"
    command_id: str
    account_no: str
    attempt: int
    meter_no: str
    gateway_id: str
    unit: int


class CommandAcknowledged(Event, frozen=True):
    """The meter answered that it obeys: not yet that it did."""

    TOPIC: ClassVar[str] = "command.acknowledged.v1"
    command_id: str
    account_no: str
    attempt: int


class CommandUnknown(Event, frozen=True):
    """It was sent and nobody knows what came of it; the meter is read before it is sent again."""

    TOPIC: ClassVar[str] = "command.unknown.v1"
    command_id: str
    account_no: str
    attempt: int
    code: str
    reason: str
    again_at_us: int


class CommandRefused(Event, frozen=True):
    """The meter answered no."""

    TOPIC: ClassVar[str] = "command.refused.v1"
    command_id: str
    account_no: str
    attempt: int
    reason: str
    again_at_us: int


class CustomerAwaited(Event, frozen=True):
    """The meter permits it, and the customer has to press its button."""

    TOPIC: ClassVar[str] = "command.customer_awaited.v1"
    command_id: str
    account_no: str
    again_at_us: int


class CommandVerified(Event, frozen=True):
    """A fresh look at the meter shows what was ordered; `by` is `read`, `sweep` or `hand`."""

    TOPIC: ClassVar[str] = "command.verified.v1"
    command_id: str
    account_no: str
    attempt: int
    relay: str
    mode: str
    by: str


class CommandExpired(Event, frozen=True):
    """Its time ran out before it was sent."""

    TOPIC: ClassVar[str] = "command.expired.v1"
    command_id: str
    account_no: str


class CommandSuperseded(Event, frozen=True):
    """A newer order for the same point took its place."""

    TOPIC: ClassVar[str] = "command.superseded.v1"
    command_id: str
    account_no: str
    by_command_id: str


class CommandCancelled(Event, frozen=True):
    """It is not wanted any more."""

    TOPIC: ClassVar[str] = "command.cancelled.v1"
    command_id: str
    account_no: str
    code: str
    reason: str


class CommandFailed(Event, frozen=True):
    """It did not reach its end, and a person has to look; `work_order_no` says where."""

    TOPIC: ClassVar[str] = "command.failed.v1"
    command_id: str
    account_no: str
    code: str
    reason: str
    work_order_no: str


EVENTS: Final = (
    CommandRequested,
    CommandHeld,
    CommandQueued,
    CommandDispatched,
    CommandAcknowledged,
    CommandUnknown,
    CommandRefused,
    CustomerAwaited,
    CommandVerified,
    CommandExpired,
    CommandSuperseded,
    CommandCancelled,
    CommandFailed,
)
