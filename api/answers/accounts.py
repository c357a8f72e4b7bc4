"""Accounts: as they are, what moved, what was used, and why their supply is as it is."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.answers import (
    AccountNo,
    Code,
    Count,
    Day,
    Group,
    Level,
    MeterNo,
    Minor,
    Month,
    Page,
    PointName,
    PolicyId,
    Position,
    Positions,
    Quantity,
    Reason,
    Registers,
    Shard,
    Site,
    Switch,
    TariffId,
    Time,
    Told,
    Topic,
    Unit,
)
from api.answers.control import CommandState
from api.answers.money import Wallets


class Tier(Told):
    """Where a point stands in its tariff's window."""

    window_from: Day
    window_to: Day
    """The first day that is no longer in the window."""
    used: Quantity
    tier: Annotated[int, Field(ge=1, examples=[1])]
    next_bound: Quantity | None
    """Null in the last tier."""


class Supply(Told):
    """What the ledger wants, and what the meter last showed."""

    intended: Literal["on", "off"]
    actual: Switch


class Prepaid(Told):
    """What a point holds in units, and what was paid for it."""

    quantity: Quantity
    amount_minor: Minor


class ServicePoint(Told):
    """A meter that is charged to the account."""

    service_point: PointName
    service_kind: Literal["electricity", "water", "hot_water", "gas", "heat"]
    meter_no: MeterNo
    tariff_id: TariffId
    policy_id: PolicyId
    tier: Tier
    prepaid: Prepaid | None = None
    """Only where the point holds units."""
    supply: Supply
    guaranteed: bool
    disputed: bool
    last_reading_at: Time
    registers: Registers


class AccountRow(Wallets):
    """An account as it reads everywhere."""

    status: Literal["open", "closed"]
    site: Site
    group: Group
    timezone: Annotated[str, Field(examples=["Asia/Shanghai"])]
    days_left: Annotated[int, Field(ge=0, le=9_999, examples=[41])]
    service_points: list[ServicePoint]
    version: Count
    shard: Shard
    position: Position


class Account(AccountRow):
    """An account with what the customer told; each name only where there is one."""

    name: Annotated[str, Field(examples=["…"])] = ""
    phone: Annotated[str, Field(examples=["…"])] = ""
    address: Annotated[str, Field(examples=["…"])] = ""


class Accounts(Page[AccountRow]):
    """Accounts that match."""


class AccountOpened(AccountRow):
    """An account right after it was opened, or got a further point."""

    positions: Positions


class AccountChanged(AccountRow):
    """An account right after a change."""

    changed: bool
    """False where it was so already."""
    positions: Positions


class Event(Told):
    """A fact of the log; payload and metadata as they were written."""

    shard: Shard
    position: Position
    stream_id: Annotated[str, Field(examples=["6ba7b812-9dad-51d1-80b4-00c04fd430c8"])]
    version: Count
    topic: Topic
    recorded_at: Time
    valid_at: Time
    command_id: Annotated[str | None, Field(examples=["5f" * 16])]
    metadata: Annotated[dict[str, Any], Field(examples=[{"actor": "user:anna"}])]
    payload: Annotated[dict[str, Any], Field(examples=[{"account_no": "A000001"}])]


class Events(Page[Event]):
    """Facts in their order."""


class MonthMoved(Told):
    """A month in which something moved; closing is opening plus in minus out."""

    month: Month
    opening_minor: Minor
    recharged_minor: Minor
    reversed_minor: Minor
    charged_minor: Minor
    adjusted_minor: Minor
    granted_used_minor: Minor
    units_bought_minor: Minor = 0
    """Paid for units, where points hold units and not money."""
    units_used_minor: Minor = 0
    closing_minor: Minor
    granted_opening_minor: Minor
    granted_minor: Minor
    granted_closing_minor: Minor


class Statement(Told):
    """What moved, month by month."""

    account_no: AccountNo
    months: list[MonthMoved]


class Used(Told):
    """What a service point used."""

    service_point: PointName
    unit: Unit
    registers: Registers
    quantity: Quantity


class UsedOnDay(Used):
    """What a service point used on a local day."""

    day: Day


class UsedInMonth(Used):
    """What a service point used in a month of local days."""

    month: Month


class Usage(Told):
    """What was used, by day or month."""

    account_no: AccountNo
    by: Literal["day", "month"]
    items: list[UsedOnDay | UsedInMonth]


class Rule(Told):
    """One condition of a decision, with the truth value it had."""

    rule: Annotated[str, Field(examples=["available_minor <= 0"])]
    holds: bool


class Trace(Told):
    """Everything that a decision looked at."""

    policy_id: PolicyId
    policy_version: Count
    balance_minor: Minor
    granted_minor: Minor
    available_minor: Minor
    days_left: Count
    level_before: Level
    level_after: Level
    rules: list[Rule]


class Decision(Told):
    """The decision in force at a service point."""

    account_no: AccountNo
    service_point: PointName
    level: Level
    decision: Topic
    since: Time
    due: Time | None
    """When a trip is decided anew that a no-cut window or the grace put off."""
    shard: Shard
    position: Position


class DecisionTraced(Decision):
    """The same with all it looked at."""

    trace: Trace | None


class Hold(Told):
    """What protects a point from being cut."""

    service_point: PointName
    kind: Code
    reason: Reason
    since: Time
    until: Time | None


class Why(Told):
    """Why supply was cut, or why not."""

    account_no: AccountNo
    decisions: list[DecisionTraced]
    holds: list[Hold]
    commands: list[CommandState]
