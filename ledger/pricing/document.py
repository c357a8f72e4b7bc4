"""The tariff document (资费) as its author writes it: the whole public format, validated by shape.

What the shape cannot say is said by `lint`.
"""

from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
)

_NUMBER: Final = r"^-?[0-9]+(\.[0-9]+)?$"
_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_NAME: Final = r"^[a-z][a-z0-9_]*$"
_REGISTER: Final = r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,31}$"
_CURRENCY: Final = r"^[A-Z]{3}$"
FORMS: Final = {
    _NUMBER: "Write a plain decimal, like 0.4883.",
    _DAY: "Write a day like 2026-01-31.",
    _NAME: "Write small letters, digits and _, beginning with a letter.",
    _REGISTER: "Write up to 32 letters, digits and . _ + -, beginning with a letter or digit.",
    _CURRENCY: "Write three capital letters, like CNY.",
}
"""How text is written, in words, by the pattern that it must match."""

Number = Annotated[str, StringConstraints(pattern=_NUMBER, max_length=40)]
Day = Annotated[str, StringConstraints(pattern=_DAY)]
Name = Annotated[str, StringConstraints(pattern=_NAME, max_length=64)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Register = Annotated[str, StringConstraints(pattern=_REGISTER)]
Prices = list[Number] | dict[str, list[Number]]
Applies = Literal["split_by_days", "by_reading_end"]


def as_written(told: object) -> object:
    """A JSON number with a point as its text, because nothing is reckoned by floating point."""
    return told if told is None or isinstance(told, (bool, int, str, list, dict)) else str(told)


Bound = Annotated[int | Number, BeforeValidator(as_written)]
Told = Annotated[bool | int | str | None, BeforeValidator(as_written)]
"""What an attribute is told to be."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Rounding(_Part):
    quantum: Number
    mode: Literal["half_up", "half_even", "down", "up"]


class AtLeast(_Part):
    attribute: Text
    gte: Bound


class Equals(_Part):
    attribute: Text
    eq: object


def _compared_by(told: object) -> str:
    """Which of both is meant, so that what is wrong is said of that one alone."""
    is_equal = "eq" in told and "gte" not in told if isinstance(told, dict) else False
    return "equal" if is_equal or isinstance(told, Equals) else "at least"


Condition = Annotated[
    Annotated[AtLeast, Tag("at least")] | Annotated[Equals, Tag("equal")],
    Discriminator(_compared_by),
]


class Tier(_Part):
    """阶梯: `upto` belongs to the tier; None leaves it open."""

    upto: Number | None
    per: Literal["window", "day", "kva"] = "window"


class Season(_Part):
    """Months in which other tiers or other prices hold."""

    id: Text
    months: Annotated[list[Annotated[int, Field(ge=1, le=12)]], Field(min_length=1)]
    tiers: Annotated[list[Tier], Field(min_length=1)] | None = None
    rates: dict[str, Prices] = {}


class Proration(_Part):
    method: Literal["none", "months_in_service", "days", "months"]
    base_days: int | None = None
    factor_quantum: Number | None = None
    tier_quantum: Number | None = None


class Accumulation(_Part):
    window: Literal["month", "bimonth", "four_months", "year", "billing_period"]
    anchor_month: Annotated[int, Field(ge=1, le=12)] = 1
    basis: Literal["consumption", "purchase"]
    proration: Proration
    on_version_change: Literal["carry", "reset"] = "carry"
    period_attribution: Applies = "split_by_days"


class _Charge(_Part):
    id: Name
    rounding: Rounding | None = None
    when: Condition | None = None
    gl: Text = "revenue"
    tax_rate: Number | None = None
    derivation: Text | None = None
    note: Text | None = None


class Consumption(_Charge):
    kind: Literal["consumption"]
    rates: Prices | None = None
    rate: Number | None = None
    on_excess_over: Number | None = None


class Fixed(_Charge):
    kind: Literal["fixed"]
    per: Literal["day", "month", "period", "first_purchase_of_month"]
    amount: Number | None = None
    amount_by_tier_reached: Annotated[list[Number], Field(min_length=1)] | None = None


class Capacity(_Charge):
    kind: Literal["capacity"]
    rate: Number
    per: Literal["kva_month", "kw_month", "amp_month"]
    quantity_attribute: Text


class Ratchet(_Part):
    percent: Number
    lookback_months: int


class Demand(_Charge):
    kind: Literal["demand"]
    rates: Prices
    register_: Annotated[str, Field(alias="register")]
    ratchet: Ratchet | None = None
    min_percent_of_contract: Number | None = None


class Percent(_Charge):
    kind: Literal["percent"]
    of: Annotated[list[str], Field(min_length=1)]
    rate: Number


class Step(_Part):
    from_: Annotated[Number, Field(alias="from")]
    to: Number
    percent_per_001: Number


class AdjustmentTable(_Charge):
    kind: Literal["adjustment_table"]
    input: Literal["power_factor"]
    of: Annotated[list[str], Field(min_length=1)]
    standard: Number
    steps: Annotated[list[Step], Field(min_length=1)]


class FreeQuantity(_Charge):
    kind: Literal["free_quantity"]
    per_month: Number
    at_rate: Number | None = None
    effect: Literal["credit", "deduct_quantity"] = "credit"


class Minimum(_Charge):
    kind: Literal["minimum"]
    per: Literal["day", "month", "period"]
    amount: Number


Charge = Annotated[
    Consumption | Fixed | Capacity | Demand | Percent | AdjustmentTable | FreeQuantity | Minimum,
    Field(discriminator="kind"),
]


class Modifier(_Part):
    id: Text
    effect: Literal["shift_tiers", "flat_price"]
    per_month: Number | None = None
    per_extra_person: bool | None = None
    only_tiers: list[int] | None = None
    rate: Number | None = None
    when: Condition
    starts: Text | None = None
    valid_years: int | None = None
    change: Literal["from_change_on", "rerate_window"] | None = None


class LineRounding(_Part):
    line: Text
    rounding: Rounding


class Schedule(_Part):
    upto: Number | None
    tiers: Annotated[list[Tier], Field(min_length=1)] | None = None
    charges: Annotated[list[Charge], Field(min_length=1)]


class Version(_Part):
    """Prices from one local day (inclusive) to another (exclusive)."""

    effective_from: Day
    effective_to: Day | None
    applies: Applies = "split_by_days"
    published: Text | None = None
    accumulation: Accumulation
    seasons: list[Season] = []
    tiers: Annotated[list[Tier], Field(min_length=1)]
    tou_tier_mode: Literal["none", "shared_thresholds", "per_register"] | None = None
    charges: Annotated[list[Charge], Field(min_length=1)]
    modifiers: list[Modifier] = []
    rounding: Rounding
    bill_rounding: list[LineRounding] = []
    schedule_by_total: list[Schedule] = []


class Tax(_Part):
    treatment: Literal["inclusive", "exclusive", "none"]
    rate: Number | None = None


class Vending(_Part):
    unit_quantum: Number | None = None
    unit_mode: Literal["half_up", "down"] | None = None
    order: list[str] | None = None
    arrears_share: Number | None = None


class HolidayYear(_Part):
    """Holidays of a year as they were announced: days, or spans such as `2027-02-06/2027-02-12`."""

    year: Annotated[int, Field(ge=1900, le=2200)]
    off: Annotated[list[Text], Field(min_length=1, max_length=366)]
    worked: Annotated[list[Text], Field(max_length=366)] = []
    """Days of a weekend that are worked in exchange."""
    source: Text | None = None


class TariffDocument(_Part):
    """A tariff: what is measured, and its versions in the order of their days."""

    tariff_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    name: Text | None = None
    service_kind: Literal["electricity", "water", "gas", "heat"]
    unit: Literal["kWh", "m3"]
    currency: Annotated[str, StringConstraints(pattern=_CURRENCY)]
    timezone: Text
    registers: Annotated[list[Register], Field(min_length=1, max_length=48)]
    tax: Tax
    tou_calendar: dict[str, str | dict[str, str]] | None = None
    holidays: list[HolidayYear] = []
    """Years that the calendar named by `tou_calendar` does not know, or knows otherwise."""
    vending: Vending | None = None
    source: Annotated[list[Text], Field(min_length=1)]
    confidence: Literal["high", "medium", "low"] | None = None
    versions: Annotated[list[Version], Field(min_length=1)]


def parse_tariff(document: bytes | dict[str, object]) -> TariffDocument:
    """Shape of a tariff document; `pydantic.ValidationError` names every place that is wrong."""
    if isinstance(document, bytes):
        return TariffDocument.model_validate_json(document)
    return TariffDocument.model_validate(document)
