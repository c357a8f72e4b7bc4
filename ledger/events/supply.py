"""Facts of the supply at an account's points: who ordered, what the meter shows, who protects."""

from typing import ClassVar, Final

from ledger.events import Event


class SupplyCommanded(Event, frozen=True):
    """A device command shall bring the point's supply to what is wanted; it is the newest one."""

    TOPIC: ClassVar[str] = "account.supply_commanded.v1"
    account_no: str
    point: str
    command_id: str
    kind: str
    by_hand: bool


class SupplyConfirmed(Event, frozen=True):
    """The meter showed whether supply is on or off (供电状态确认); `valid_at` is when it did.

    `command_id` is empty where no command asked, but a sweep or a person saw it.
    """

    TOPIC: ClassVar[str] = "account.supply_confirmed.v1"
    account_no: str
    point: str
    meter_no: str
    actual: str
    command_id: str


class SupplyMismatchFound(Event, frozen=True):
    """The meter shows another supply than wanted, and no command is on its way (状态不一致)."""

    TOPIC: ClassVar[str] = "account.supply_mismatch_found.v1"
    account_no: str
    point: str
    meter_no: str
    wanted: str
    actual: str


class SupplyMismatchSettled(Event, frozen=True):
    """Wanted and actual supply agree again."""

    TOPIC: ClassVar[str] = "account.supply_mismatch_settled.v1"
    account_no: str
    point: str
    meter_no: str
    actual: str


class GuaranteeStarted(Event, frozen=True):
    """The point is not cut whatever is owed (保电), until a time or, with 0, until it is ended."""

    TOPIC: ClassVar[str] = "account.guarantee_started.v1"
    account_no: str
    point: str
    until_us: int
    reason: str


class GuaranteeEnded(Event, frozen=True):
    """The point may be cut again."""

    TOPIC: ClassVar[str] = "account.guarantee_ended.v1"
    account_no: str
    point: str
    reason: str


class DisputeHeld(Event, frozen=True):
    """What is owed is in dispute (争议): the point is not cut while it lasts."""

    TOPIC: ClassVar[str] = "account.dispute_held.v1"
    account_no: str
    point: str
    reason: str


class DisputeReleased(Event, frozen=True):
    """The dispute is over."""

    TOPIC: ClassVar[str] = "account.dispute_released.v1"
    account_no: str
    point: str
    reason: str


SupplyFact = (
    SupplyCommanded
    | SupplyConfirmed
    | SupplyMismatchFound
    | SupplyMismatchSettled
    | GuaranteeStarted
    | GuaranteeEnded
    | DisputeHeld
    | DisputeReleased
)
EVENTS: Final = (
    SupplyCommanded,
    SupplyConfirmed,
    SupplyMismatchFound,
    SupplyMismatchSettled,
    GuaranteeStarted,
    GuaranteeEnded,
    DisputeHeld,
    DisputeReleased,
)
"""They stand in the account's own stream."""
