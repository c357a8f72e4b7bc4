"""What an account is after its events: wallets, service points, levels."""

from collections.abc import Callable
from typing import Any, ClassVar, Final, Self

import msgspec

from ledger.aggregates import Aggregate, Refused
from ledger.events import Event
from ledger.events.account import Taxed, UnitsHeld
from ledger.pricing.bills import End
from ledger.pricing.context import Context, Value
from ledger.pricing.position import Position

LEVELS: Final = ("none", "remind", "warn", "trip")
NO_WEEK: Final = (0, 0, 0, 0, 0, 0, 0)
DAYS_MAX: Final = 9_999
LAST_BILL_DAY: Final = 28
"""Every month has it."""


class Point(msgspec.Struct, gc=False):
    """A service point (用户点): one meter, one tariff, its tier position and its control level."""

    name: str
    service_kind: str
    meter_no: str
    tariff_id: str
    policy_id: str
    unit: str
    register_names: tuple[str, ...]
    registers: tuple[int, ...]
    wrap: int
    multiplier_milli: int
    last_at_us: int
    position: Position
    cancelled: tuple[int, ...] = ()
    """Times of cancelled readings that no later reading has followed yet."""
    level: str = "none"
    supply_intended: str = "on"
    """What the level asks for."""
    trip_due_us: int = 0
    """When a trip is decided anew that was put off; 0 where none was."""
    trip_since_us: int = 0
    """When the line of that trip was reached."""
    supply_actual: str = "unknown"
    """What the meter showed last, and when."""
    supply_seen_us: int = 0
    command_id: str = ""
    """The newest command that moves the supply."""
    off_by_hand: bool = False
    has_guarantee: bool = False
    guaranteed_until_us: int = 0
    """0 where the guarantee lasts until it is ended."""
    is_disputed: bool = False
    holds_units: bool = False
    """Recharges buy units of it: it is warned and cut by what these are worth."""
    units: tuple[UnitsHeld, ...] = ()
    """Not used yet, the oldest first."""
    overused: int = 0
    """Passed beyond the units held."""
    mismatch: str = ""
    """What was wanted when the open case was found; empty where wanted and actual agree."""
    is_shared: bool = False
    """Others count, or counted, towards the same tiers: all of them have one position."""
    counted_from_us: int = 0
    """Where the last interval of a shared point began; 0 before it has one."""
    going_on: tuple[End, ...] = ()
    """Its meters that were replaced within a bill, and when: with them it did not end."""

    @property
    def units_left(self) -> int:
        """Wh or litres that are paid for and not used; below zero where more was used."""
        return sum(each.quantity for each in self.units) - self.overused

    @property
    def units_minor(self) -> int:
        """What the units left were bought for."""
        if self.units_left <= 0:
            return 0
        return sum(line.amount_minor for each in self.units for line in each.lines)

    def named_registers(self) -> dict[str, int]:
        """Register values as last read, by name."""
        return dict(zip(self.register_names, self.registers, strict=True))

    def shows(self, registers: dict[str, int]) -> bool:
        """Whether a reading tells the values that were last read."""
        return all(
            registers.get(name) == value
            for name, value in zip(self.register_names, self.registers, strict=True)
        )


class Account(Aggregate):
    """One customer's money and the points it pays for."""

    KIND: ClassVar[str] = "account"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    account_no: str = ""
    status: str = "absent"
    currency: str = ""
    timezone: str = ""
    site: str = ""
    group: str = ""
    attributes: dict[str, bool | int | str] | None = None
    balance_minor: int = 0
    granted_minor: int = 0
    has_moved: bool = False
    """Money has come or gone; before that the supply is left as it is."""
    points: tuple[Point, ...] = ()
    day: int = 0
    week: tuple[int, ...] = NO_WEEK
    """Charges of the seven local days that end with `day`, newest first."""
    tax_month: int = 0
    taxed: Taxed = ()
    told: tuple[tuple[int, str, Value], ...] = ()
    """Attributes since when (local time) and what, in time order: what allowances count by."""
    left: tuple[tuple[str, str, Position], ...] = ()
    """Service kind, tariff and position of tiers whose last point was removed."""

    def rating_context(self) -> Context | None:
        """What a tariff may ask of the account; None where nobody told anything."""
        if not self.told:
            return None
        bill_day = (self.attributes or {}).get("bill_day")
        is_day = isinstance(bill_day, int) and 1 <= bill_day <= LAST_BILL_DAY
        return Context(attributes=self.told, bill_day=int(bill_day or 0) if is_day else 0)

    @property
    def available_minor(self) -> int:
        """Money that can still be used before the supply is cut."""
        return self.balance_minor + self.granted_minor

    def available_at(self, point: Point) -> int:
        """Money that a point can still use: of units that it holds, else of the wallets."""
        return point.units_minor if point.holds_units else self.available_minor

    def require_open(self) -> None:
        """Refuse where the account is not open."""
        if self.status != "open":
            raise Refused("account_not_open", f"The account {self.account_no} is {self.status}.")

    def point_of_meter(self, meter_no: str) -> Point | None:
        """The service point that a meter counts for now."""
        for point in self.points:
            if point.meter_no == meter_no:
                return point
        return None

    def point(self, name: str | None) -> Point:
        """The named service point; without a name, the only one."""
        if name is None and len(self.points) == 1:
            return self.points[0]
        for point in self.points:
            if point.name == name:
                return point
        known = ", ".join(point.name for point in self.points)
        if not known:
            found = "no service point"
        elif name is None:
            found = f"several service points; name one of: {known}"
        else:
            found = f"no service point {name}; it has: {known}"
        raise Refused("service_point_unknown", f"The account {self.account_no} has {found}.")

    def clone(self) -> Self:
        """Independent copy, points included."""
        points = tuple(msgspec.structs.replace(point) for point in self.points)
        return msgspec.structs.replace(self, points=points)


def days_left(available_minor: int, week_minor: int) -> int:
    """Whole days that the money lasts at the last week's pace, `DAYS_MAX` at most."""
    if available_minor <= 0:
        return 0
    return min(DAYS_MAX, available_minor * 7 // week_minor) if week_minor > 0 else DAYS_MAX


def shifted_week(account: Account, day: int) -> tuple[int, ...]:
    """The account's seven daily sums seen from `day`; an earlier day counts as the newest one."""
    gap = day - account.day
    if gap <= 0:
        return account.week
    return (*NO_WEEK[:gap], *account.week[: 7 - gap]) if gap < len(NO_WEEK) else NO_WEEK
