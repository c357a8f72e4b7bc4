"""What the API answers, as its contract tells it.

The shapes are told here and made elsewhere: no answer is validated on its way out. Tests hold every
answer that they get to these shapes, field by field, so that neither can change alone.
"""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")

AccountNo = Annotated[str, Field(examples=["A000001"])]
MeterNo = Annotated[str, Field(examples=["M000001"])]
PointName = Annotated[str, Field(examples=["electricity"])]
TariffId = Annotated[str, Field(examples=["residential"])]
PolicyId = Annotated[str, Field(examples=["standard"])]
ReceiptNo = Annotated[str, Field(examples=["0-118"])]
CommandId = Annotated[str, Field(examples=["0-c121"])]
WorkOrderNo = Annotated[str, Field(examples=["0-w140"])]
GatewayId = Annotated[str, Field(examples=["G1"])]
Site = Annotated[str, Field(examples=["East"])]
Group = Annotated[str, Field(examples=["homes"])]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["9f" * 32])]
Topic = Annotated[str, Field(examples=["account.charged.v1"])]
Reason = Annotated[str, Field(examples=["certificate 17"])]
Sentence = Annotated[str, Field(examples=["The register ran backward."])]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_]*$", examples=["backward"])]
Arithmetic = Annotated[str, Field(examples=["30 × 0.5283"])]

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["CNY"])]
Minor = Annotated[int, Field(examples=[10_000])]
"""Money in the currency's minor unit."""
Money = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", examples=["15.85"])]
"""Money in major units, where arithmetic is shown to people."""
Quantity = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", examples=["1234.5"])]
"""kWh or m³."""
Exact = Annotated[str, Field(examples=["15.849"])]
"""A number as exact as it is: a decimal, or a fraction where no decimal ends."""
Unit = Literal["kWh", "m³"]
Count = Annotated[int, Field(ge=0, examples=[1])]
Shard = Annotated[int, Field(ge=0, examples=[0])]
Position = Annotated[int, Field(ge=0, examples=[120])]
Time = Annotated[
    str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T02:00:00Z"])
]
Day = Annotated[str, Field(json_schema_extra={"format": "date"}, examples=["2026-11-01"])]
Month = Annotated[str, Field(pattern=r"^\d{4}-\d\d$", examples=["2026-11"])]
Level = Literal["none", "remind", "warn", "trip"]
Switch = Literal["on", "off", "unknown"]
Registers = Annotated[dict[str, Quantity], Field(examples=[{"total": "1234.5"}])]
Positions = Annotated[
    dict[str, Position],
    Field(
        examples=[{"0": 120}],
        description="Where this was written: shard and position, to be sent as `?after=`.",
    ),
]


class Told(BaseModel):
    """One answer, or a part of one."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Page(Told, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    cursor: Annotated[str | None, Field(examples=["WyJhY2NvdW50cyIsIkEwMDAwMDEiXQ"])]
    """Opaque; sent back as `cursor` it gives the next page, null follows the last one."""
