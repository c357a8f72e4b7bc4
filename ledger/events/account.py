"""Facts of a prepaid account (预付费账户): money in, supply charged, thresholds crossed."""

# size: every fact of an account stands on one page, because they are read together.

from typing import ClassVar, Final

import msgspec

from ledger.events import Event
from ledger.pricing.position import Position


class AccountOpened(Event, frozen=True):
    """A customer can be supplied and charged from now on; personal data enters by commitment."""

    TOPIC: ClassVar[str] = "account.opened.v1"
    account_no: str
    currency: str
    timezone: str
    site: str
    group: str
    attributes: dict[str, bool | int | str]
    personal: dict[str, str]


class ServicePointAdded(Event, frozen=True, omit_defaults=True):
    """A meter and a tariff began to count for the account (用户点)."""

    TOPIC: ClassVar[str] = "account.service_point_added.v1"
    account_no: str
    point: str
    service_kind: str
    meter_no: str
    tariff_id: str
    tariff_version: int
    policy_id: str
    unit: str
    """`wh` or `l`: the unit of every register and quantity of this point."""
    registers: dict[str, int]
    wrap: int
    multiplier_milli: int
    position: Position
    joins: bool = False
    """The tiers were counted before, by other points of this kind and tariff: they go on."""


class ServicePointRemoved(Event, frozen=True):
    """The point no longer counts; its last reading has been charged."""

    TOPIC: ClassVar[str] = "account.service_point_removed.v1"
    account_no: str
    point: str
    meter_no: str
    reason: str


class MeterReplaced(Event, frozen=True, omit_defaults=True):
    """Another meter counts for the point from its first registers on; the tier position stays."""

    TOPIC: ClassVar[str] = "account.meter_replaced.v1"
    account_no: str
    point: str
    old_meter_no: str
    new_meter_no: str
    registers: dict[str, int]
    wrap: int
    multiplier_milli: int
    tariff_id: str
    position: Position
    reason: str
    bill_from_us: int = 0
    """Since when the bill runs that goes on; 0 where the old meter's last reading closed it."""


class TariffAssigned(Event, frozen=True, omit_defaults=True):
    """The point is rated by another tariff, from its last reading on."""

    TOPIC: ClassVar[str] = "account.tariff_assigned.v1"
    account_no: str
    point: str
    tariff_id: str
    tariff_version: int
    from_us: int
    registers: dict[str, int]
    position: Position
    joins: bool = False
    """Other points count towards the tariff's tiers already."""
    left_tariff_id: str = ""
    left: Position | None = None
    """Where the tiers stand that are left to other points, and of which tariff."""


class PolicyAssigned(Event, frozen=True):
    """Another control policy decides when the point is warned and cut."""

    TOPIC: ClassVar[str] = "account.policy_assigned.v1"
    account_no: str
    point: str
    policy_id: str


class GroupAssigned(Event, frozen=True):
    """The account belongs to another user group (用户组)."""

    TOPIC: ClassVar[str] = "account.group_assigned.v1"
    account_no: str
    group: str


class AttributesChanged(Event, frozen=True):
    """What a tariff may ask about the household was told anew (户属性变更); None takes it away.

    An allowance counts by the time at which this is valid, not by when it was recorded.
    """

    TOPIC: ClassVar[str] = "account.attributes_changed.v1"
    account_no: str
    attributes: dict[str, bool | int | str | None]
    local_us: int
    """The same time on the account's clock: microseconds since 1970-01-01 00:00 there."""
    reason: str


class AccountCredited(Event, frozen=True):
    """A settled payment was booked (充值入账)."""

    TOPIC: ClassVar[str] = "account.credited.v1"
    account_no: str
    receipt_no: str
    channel: str
    channel_txn_id: str
    currency: str
    amount_minor: int
    balance_after_minor: int
    granted_after_minor: int

    @property
    def paid_minor(self) -> int:
        """What the paid wallet moved by."""
        return self.amount_minor

    @property
    def granted_minor(self) -> int:
        """What the granted wallet moved by."""
        return 0


class CreditReversed(Event, frozen=True):
    """A booked payment was taken back (冲正)."""

    TOPIC: ClassVar[str] = "account.credit_reversed.v1"
    account_no: str
    receipt_no: str
    channel: str
    channel_txn_id: str
    currency: str
    amount_minor: int
    reason: str
    balance_after_minor: int
    granted_after_minor: int

    @property
    def paid_minor(self) -> int:
        """What the paid wallet moved by."""
        return -self.amount_minor

    @property
    def granted_minor(self) -> int:
        """What the granted wallet moved by."""
        return 0


class AccountAdjusted(Event, frozen=True):
    """A named person corrected a wallet, with a reason (调账); the amount is signed."""

    TOPIC: ClassVar[str] = "account.adjusted.v1"
    account_no: str
    wallet: str
    currency: str
    amount_minor: int
    reason: str
    balance_after_minor: int
    granted_after_minor: int

    @property
    def paid_minor(self) -> int:
        """What the paid wallet moved by."""
        return self.amount_minor if self.wallet == "paid" else 0

    @property
    def granted_minor(self) -> int:
        """What the granted wallet moved by."""
        return self.amount_minor if self.wallet == "granted" else 0


class ChargeLine(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One charge of a tariff: what it was for in the books, and the VAT inside it."""

    id: str
    gl: str
    amount_minor: int
    vat_minor: int
    vat_rate: tuple[int, int]


Taxed = tuple[tuple[int, int, int, int], ...]
"""(rate numerator, denominator, gross, VAT) of the tax period so far, one per rate."""


class UnitsHeld(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Units that one recharge bought and that are not used yet, and what they were bought for."""

    receipt_no: str
    """Of the recharge; empty where units came back by a correction, or were put together."""
    quantity: int
    lines: tuple[ChargeLine, ...]
    """The VAT inside is told, and becomes due when they are used."""


class UnitsPaid(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What prepaid units paid for, at the prices that they were bought at; oldest first."""

    paid_minor: int
    left: tuple[UnitsHeld, ...]
    overused: int
    """Passed beyond the units held; the next ones make up for it."""


class AccountCharged(Event, frozen=True, omit_defaults=True):
    """Consumption up to a reading was rated and paid from the balance (扣费).

    `registers` maps a register to [before, after, quantity] in the point's unit; the reading's own
    time is the event's `valid_at`, the one before it `from_us`. `week_minor` is the sum of the
    charges of the seven local days that end with `day`; `taxed` are the tax period's totals then.
    Where the point holds prepaid `units`, these pay, not the balance.
    """

    TOPIC: ClassVar[str] = "account.charged.v1"
    account_no: str
    point: str
    meter_no: str
    from_us: int
    unit: str
    registers: dict[str, tuple[int, int, int]]
    tariff_id: str
    tariff_version: int
    lines: tuple[ChargeLine, ...]
    currency: str
    amount_minor: int
    granted_used_minor: int
    balance_after_minor: int
    granted_after_minor: int
    day: int
    week_minor: int
    tax_month: int
    taxed: Taxed
    position: Position
    units: UnitsPaid | None = None


class MeteredInterval(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What one meter counted between two of its readings; registers as in `account.charged.v1`."""

    meter_no: str
    from_us: int
    to_us: int
    registers: dict[str, tuple[int, int, int]]


class ChargeCorrected(Event, frozen=True, omit_defaults=True):
    """Intervals of a point became others, and it was rated again (补差); amounts are signed.

    `cause` is `late`, `corrected`, `cancelled`, `shared` where a reading came behind another meter
    of the same tiers, or `household` where an allowance counts for the whole window. `replaced` no
    longer count, `intervals` do; all from `rerated_from_us` on was rated again, that of points with
    the same tiers as well. The point's last reading was at `was_through_us` and is at `through_us`;
    where `is_present`, these `registers` are the point's. The position is that of the tiers.
    """

    TOPIC: ClassVar[str] = "account.charge_corrected.v1"
    account_no: str
    point: str
    cause: str
    reason: str
    is_present: bool
    rerated_from_us: int
    was_through_us: int
    through_us: int
    unit: str
    registers: dict[str, int]
    replaced: tuple[MeteredInterval, ...]
    intervals: tuple[MeteredInterval, ...]
    tariff_id: str
    tariff_version: int
    lines: tuple[ChargeLine, ...]
    currency: str
    amount_minor: int
    granted_used_minor: int
    balance_after_minor: int
    granted_after_minor: int
    day: int
    week_minor: int
    tax_month: int
    taxed: Taxed
    position: Position
    units: UnitsPaid | None = None


class FixedFeeCharged(Event, frozen=True):
    """A silent meter's point bore the fixed charges of a local day (固定费)."""

    TOPIC: ClassVar[str] = "account.fixed_fee_charged.v1"
    account_no: str
    point: str
    tariff_id: str
    tariff_version: int
    lines: tuple[ChargeLine, ...]
    currency: str
    amount_minor: int
    granted_used_minor: int
    balance_after_minor: int
    granted_after_minor: int
    day: int
    week_minor: int
    tax_month: int
    taxed: Taxed
    position: Position


class UnitsSold(Event, frozen=True):
    """A recharge bought units of a point that holds a prepaid quantity (售电).

    From the payment, `arrears_minor` stays in the wallet; `amount_minor` leaves it, for the `lines`
    that were due at once and for the `units`, with the remainder of rounding to whole quanta.
    """

    TOPIC: ClassVar[str] = "account.units_sold.v1"
    account_no: str
    point: str
    receipt_no: str
    tariff_id: str
    tariff_version: int
    unit: str
    paid_minor: int
    channel_fee_minor: int
    arrears_minor: int
    lines: tuple[ChargeLine, ...]
    units: UnitsHeld
    remainder_minor: int
    currency: str
    amount_minor: int
    balance_after_minor: int
    granted_after_minor: int
    day: int
    tax_month: int
    taxed: Taxed
    held_after: int
    """Units that the point holds then, and what they were bought for."""
    held_after_minor: int
    read_at_us: int
    """When the point's meter was last read, and what it showed."""
    registers: dict[str, int]
    was: Position
    position: Position


class UnitsReturned(Event, frozen=True):
    """Units that were not used went back, and what they were bought for into the wallet (退还电量).

    By the reversal of their recharge, with its other `lines`; or all that a point held, where it
    ended (then without a receipt).
    """

    TOPIC: ClassVar[str] = "account.units_returned.v1"
    account_no: str
    point: str
    receipt_no: str
    reason: str
    tariff_id: str
    unit: str
    lines: tuple[ChargeLine, ...]
    units: UnitsHeld
    currency: str
    amount_minor: int
    balance_after_minor: int
    granted_after_minor: int
    day: int
    tax_month: int
    taxed: Taxed
    held_after: int
    """Units that the point holds then, and what they were bought for."""
    held_after_minor: int
    read_at_us: int
    registers: dict[str, int]
    position: Position


class Rule(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One condition of a control decision with the truth value it had."""

    rule: str
    holds: bool


class Trace(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Everything a control decision looked at, so that it can be explained and repeated."""

    policy_id: str
    policy_version: int
    balance_minor: int
    granted_minor: int
    available_minor: int
    days_left: int
    level_before: str
    level_after: str
    rules: tuple[Rule, ...]


class AccountReminded(Event, frozen=True):
    """The money available fell to the reminder line (提醒)."""

    TOPIC: ClassVar[str] = "account.reminded.v1"
    account_no: str
    point: str
    trace: Trace


class AccountWarned(Event, frozen=True):
    """The money available fell to the warning line (预警)."""

    TOPIC: ClassVar[str] = "account.warned.v1"
    account_no: str
    point: str
    trace: Trace


class WarningCancelled(Event, frozen=True):
    """A level no longer holds (取消预警)."""

    TOPIC: ClassVar[str] = "account.warning_cancelled.v1"
    account_no: str
    point: str
    trace: Trace


class SupplyTripPostponed(Event, frozen=True):
    """The trip line was reached, and nobody is cut now (暂缓停电): supply stays on for the time.

    `held_by` names the no-cut windows of the policy that are open, or `grace`; `since_us` is when
    the line was reached, and at `due_us` it is decided anew.
    """

    TOPIC: ClassVar[str] = "account.supply_trip_postponed.v1"
    account_no: str
    point: str
    trace: Trace
    held_by: tuple[str, ...]
    since_us: int
    due_us: int


class SupplyTripOrdered(Event, frozen=True):
    """The ledger decided to cut the point (停电): a decision, not yet an open relay."""

    TOPIC: ClassVar[str] = "account.supply_trip_ordered.v1"
    account_no: str
    point: str
    trace: Trace


class SupplyRestoreOrdered(Event, frozen=True):
    """The ledger decided to give supply back (复电)."""

    TOPIC: ClassVar[str] = "account.supply_restore_ordered.v1"
    account_no: str
    point: str
    trace: Trace


class AccountClosed(Event, frozen=True):
    """No more charges or payments are taken; what was left is stated."""

    TOPIC: ClassVar[str] = "account.closed.v1"
    account_no: str
    reason: str
    balance_after_minor: int
    granted_after_minor: int


EVENTS: Final = (
    AccountOpened,
    ServicePointAdded,
    ServicePointRemoved,
    MeterReplaced,
    TariffAssigned,
    PolicyAssigned,
    GroupAssigned,
    AttributesChanged,
    AccountCredited,
    CreditReversed,
    AccountAdjusted,
    AccountCharged,
    ChargeCorrected,
    FixedFeeCharged,
    UnitsSold,
    UnitsReturned,
    AccountReminded,
    AccountWarned,
    WarningCancelled,
    SupplyTripPostponed,
    SupplyTripOrdered,
    SupplyRestoreOrdered,
    AccountClosed,
)
