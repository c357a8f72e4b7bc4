"""A case file (用例): readings as they arrived, and the amounts that must come out."""

from decimal import Decimal
from fractions import Fraction
from itertools import chain, pairwise
from numbers import Real
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from ledger.pricing.document import Applies, Number, Text, Told
from ledger.pricing.problems import pointer
from ledger.pricing.shape import shape_problems


class CaseFileInvalid(ValueError):  # noqa: N818 - a refusal, named as one
    """The file cannot be read as cases; the message names the place."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Told(_Part):
    """A part in which an author may note more than is read."""

    model_config = ConfigDict(extra="allow")

    def ignored(self, *place: str | int) -> list[str]:
        """Pointers to what is not read."""
        return [pointer(*place, name) for name in self.model_extra or ()]


def as_text(told: object) -> object:
    """A JSON number as its text; nothing is reckoned by floating point."""
    if isinstance(told, bool):
        return told
    return f"{Decimal(str(told)):f}" if isinstance(told, Real) else told


def _above_zero(number: str) -> str:
    if Fraction(number) <= 0:
        message = "it must be above 0; correct it, or take it out"
        raise ValueError(message)
    return number


Numeral = Annotated[Number, BeforeValidator(as_text)]
Positive = Annotated[Numeral, AfterValidator(_above_zero)]
Registers = Annotated[dict[str, Numeral], Field(min_length=1)]


class _Event(_Told):
    seq: int
    note: object = None


class MeterInstalled(_Event):
    type: Literal["meter_installed"]
    at: Text
    meter: Text
    registers: Registers
    wrap: Positive | None = None
    multiplier: Positive = "1"


class Reading(_Event):
    type: Literal["reading"]
    at: Text
    meter: Text
    registers: Registers


class MeterRemoved(_Event):
    type: Literal["meter_removed"]
    at: Text
    meter: Text
    registers: Registers


class ReadingCorrected(_Event):
    type: Literal["reading_corrected"]
    at: Text | None = None
    corrects_seq: int
    registers: Registers


class ReadingCancelled(_Event):
    type: Literal["reading_cancelled"]
    at: Text | None = None
    cancels_seq: int


class AttributeChanged(_Event):
    type: Literal["attribute_changed"]
    at: Text
    attribute: Text
    value: Told


class Purchase(_Event):
    """Money for units, in major units; what it must pay besides comes first."""

    type: Literal["purchase"]
    at: Text
    amount: Numeral
    channel_fee: Numeral = "0"
    arrears: Numeral = "0"


Event = Annotated[
    MeterInstalled
    | Reading
    | MeterRemoved
    | ReadingCorrected
    | ReadingCancelled
    | AttributeChanged
    | Purchase,
    Field(discriminator="type"),
]


class Policies(_Part):
    """What holds where the tariff leaves it open."""

    period_attribution: Applies = "split_by_days"
    price_change: Applies = "split_by_days"
    modifier_change: Literal["from_change_on", "rerate_window"] = "from_change_on"


class Case(_Told):
    """One account's readings on one tariff."""

    id: Text
    kind: Literal["sequence"] = "sequence"
    tariff: Text
    title: object = None
    tags: object = None
    policies: Policies = Policies()
    attributes: dict[str, Told] = {}
    events: list[Event]
    expected: dict[str, object] | None = None
    printed: object = None
    note: object = None

    def unread(self, *place: str | int) -> list[str]:
        """Pointers to what is not read of the case and its events, these by their numbers."""
        events = [each.ignored(*place, "events", f"seq={each.seq}") for each in self.events]
        return [*self.ignored(*place), *chain.from_iterable(events)]

    @field_validator("events")
    @classmethod
    def _in_the_order_of_arrival(cls, events: list[Event]) -> list[Event]:
        in_order = sorted(events, key=lambda event: event.seq)
        for one, other in pairwise(in_order):
            if one.seq == other.seq:
                message = f"two events have the number {one.seq}; give each its own seq"
                raise ValueError(message)
        return in_order


class CaseFile(_Told):
    schema_: Annotated[Literal["wattledger-case/1"], Field(alias="schema")]
    tariffs: dict[str, dict[str, object]]
    cases: list[dict[str, object]]
    """Each is read for itself, so that a wrong one hides no other."""


def parse_file(document: dict[str, object]) -> CaseFile:
    """Tariffs and cases of a file; CaseFileInvalid names the first place that is wrong."""
    return _parsed(CaseFile, document, ())


def parse_case(document: dict[str, object], number: int) -> Case:
    """A case of a file; CaseFileInvalid names the first place that is wrong."""
    return _parsed(Case, document, ("cases", number))


_Model = TypeVar("_Model", bound=BaseModel)


def _parsed(model: type[_Model], document: object, place: tuple[str | int, ...]) -> _Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = shape_problems(error, document, *place)[0]
        raise CaseFileInvalid(f"{first.path}: {first.message}") from error
