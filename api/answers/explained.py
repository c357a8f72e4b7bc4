"""How a charge came about: inputs, version, tiers, arithmetic, rounding."""

from typing import Annotated, Literal

from pydantic import Field

from api.answers import (
    AccountNo,
    Arithmetic,
    Code,
    Count,
    Currency,
    Day,
    Exact,
    Minor,
    Money,
    PointName,
    Position,
    Reason,
    ReceiptNo,
    Shard,
    TariffId,
    Time,
    Told,
)
from api.answers.readings import Interval

WallClock = Annotated[str, Field(examples=["2026-11-22T08:00:00"])]
LineId = Annotated[str, Field(examples=["energy"])]


class Window(Told):
    """The window of a tariff, by local days."""

    from_: Annotated[Day, Field(alias="from")]
    to: Day


class TierShare(Told):
    """What fell into a tier, by register."""

    tier: Annotated[int, Field(ge=1, examples=[1])]
    upto: Exact | None
    quantities: Annotated[dict[str, Exact], Field(examples=[{"total": "30"}])]


class LineStep(Told):
    """A line of a step: `exact_before` plus the arithmetic is `exact_after`."""

    id: LineId
    arithmetic: Arithmetic
    exact_before: Exact
    exact_after: Exact
    rounding: Annotated[str, Field(examples=["half_up 0.01"])]
    rounded_before: Money
    rounded_after: Money
    amount: Money


class Step(Told):
    """A stretch of an interval in one version, season and window."""

    version: Day
    season: Annotated[str | None, Field(examples=["summer"])]
    window: Window
    from_: Annotated[WallClock, Field(alias="from")]
    to: WallClock
    share: Exact
    bounds: list[Exact]
    used_before: Exact
    used_after: Exact
    tiers: list[TierShare]
    lines: list[LineStep]


class HoursCounted(Told):
    """A time in which one register of the tariff counted, where the meter has one for all hours."""

    register_: Annotated[str, Field(alias="register", examples=["peak"])]
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    day_type: Annotated[str, Field(examples=["workday"])]
    quantity: Exact


class Derived(Interval):
    """An interval with the steps that rated it."""

    hours: list[HoursCounted] | None = None
    steps: list[Step]


class LineBooked(Told):
    """A line as it was booked."""

    id: LineId
    gl: Annotated[str, Field(examples=["energy"])]
    amount: Money
    amount_minor: Minor
    vat_minor: Minor
    vat_rate: Annotated[str, Field(examples=["13/113"])]


class Difference(Told):
    """A line of a correction: what is right now, and what had been posted."""

    id: LineId
    rated: Money
    posted: Money
    arithmetic: Arithmetic
    amount: Money


class Explained(Told):
    """What every explanation tells."""

    account_no: AccountNo
    service_point: PointName
    shard: Shard
    position: Position
    recorded_at: Time
    valid_at: Time
    tariff_id: TariffId
    tariff_version: Count
    lines: list[LineBooked]
    currency: Currency
    amount: Money
    amount_minor: Minor
    granted_used_minor: Minor
    balance_after_minor: Minor


class PartOfPrice(Told):
    """What a part of the units was bought for."""

    id: LineId
    arithmetic: Arithmetic
    amount: Money


class UnitsTaken(Told):
    """Units of one recharge that a reading took; without one, more than were held."""

    receipt_no: ReceiptNo | None
    quantity: Exact
    of: Exact | None = None
    lines: list[PartOfPrice]


class ChargeExplained(Explained):
    """Consumption between two readings."""

    kind: Literal["charge"]
    intervals: list[Derived]
    units: list[UnitsTaken] | None = None
    """Where prepaid units paid for it."""


class CorrectionExplained(Explained):
    """Charges that were rated again."""

    kind: Literal["correction"]
    cause: Code
    reason: Reason
    replaced: list[Interval]
    intervals: list[Derived]
    silent_days: list[Step]
    differences: list[Difference]


class FixedFeeExplained(Explained):
    """Fixed charges of days on which the meter was silent."""

    kind: Literal["fixed_fee"]
    silent_days: list[Step]


class Deduction(Told):
    """What a payment was taken for, one thing after the other; their sum is nothing."""

    id: Annotated[str, Field(examples=["arrears"])]
    amount: Money


class SaleExplained(Explained):
    """What a payment bought where units are sold."""

    kind: Literal["sale"]
    receipt_no: ReceiptNo
    sold: Exact
    quantum: Exact
    deductions: list[Deduction]
    steps: list[Step]


Explanation = Annotated[
    ChargeExplained | CorrectionExplained | FixedFeeExplained | SaleExplained,
    Field(discriminator="kind"),
]
