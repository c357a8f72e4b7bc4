"""Readings: taken, known, kept aside, corrected."""

from typing import Annotated, Literal

from pydantic import Field

from api.answers import (
    AccountNo,
    Code,
    Count,
    Currency,
    MeterNo,
    Minor,
    Page,
    PointName,
    Position,
    Positions,
    Quantity,
    Reason,
    Registers,
    Sentence,
    Shard,
    Time,
    Told,
)
from api.answers.money import Wallets

ReadingId = Annotated[str, Field(examples=["M000001@2026-11-22T00:00:00Z"])]


class KeptAside(Told):
    """A reading of the batch that could not be charged."""

    index: Count
    """Its place in the batch, from 0."""
    code: Code
    reason: Sentence


class BatchTaken(Told):
    """What became of a batch; each reading is counted once."""

    accepted: Count
    duplicate: Count
    quarantined: list[KeptAside]
    positions: Positions


class ReadingCorrection(Told):
    """A correction that changed what a reading is; booked for the reading that it names."""

    shard: Shard
    position: Position
    cause: Code
    reason: str
    booked_at: Time
    amount_minor: Minor


class Reading(Told):
    """A charged reading."""

    reading_id: ReadingId
    meter_no: MeterNo
    account_no: AccountNo
    service_point: PointName
    at: Time
    registers: Registers
    quantity: Quantity
    """What was used since the reading before it."""
    amount_minor: Minor
    """What was posted for it: its charge, and the corrections that were booked at its time."""
    corrections: list[ReadingCorrection]
    """Those that made it what it is, in the order in which they were booked."""
    currency: Currency
    shard: Shard
    position: Position


class Readings(Page[Reading]):
    """Charged readings of a meter in order of time."""


class Quarantined(Told):
    """A reading that waits, with its reason."""

    reading_id: ReadingId
    meter_no: MeterNo
    account_no: AccountNo | None
    at: Time
    registers: Registers
    code: Code
    reason: Sentence
    shard: Shard
    position: Position


class Quarantine(Page[Quarantined]):
    """Readings that wait, the newest first."""


class StillWaiting(Told):
    """A reading that still cannot be charged."""

    shard: Shard
    position: Position
    code: Code
    reason: Sentence


class Recomputed(Told):
    """What became of the readings that were tried again."""

    charged: Count
    duplicate: Count
    waiting: list[StillWaiting]
    positions: Positions


class ItemCorrected(Told):
    """A reading in quarantine that was charged with other values."""

    outcome: Literal["corrected"]
    reading: Literal["charged", "duplicate"]
    positions: Positions


class ItemDismissed(Told):
    """A reading in quarantine that was let go."""

    outcome: Literal["dismissed"]
    positions: Positions


class Counted(Told):
    """A register over an interval."""

    before: Quantity
    after: Quantity
    quantity: Quantity


class Interval(Told):
    """A stretch of time between two readings of a meter."""

    meter_no: MeterNo
    from_: Annotated[Time, Field(alias="from")]
    to: Time
    registers: Annotated[
        dict[str, Counted],
        Field(examples=[{"total": {"before": "1204.5", "after": "1234.5", "quantity": "30"}}]),
    ]


class LineDifference(Told):
    """What a line of the charge changes by."""

    id: Annotated[str, Field(examples=["energy"])]
    gl: Annotated[str, Field(examples=["energy"])]
    amount_minor: Minor
    vat_minor: Minor


class CorrectionShown(Told):
    """What a correction changes."""

    changed: Literal[True]
    account_no: AccountNo
    service_point: PointName
    cause: Code
    reason: Reason
    rerated_from: Time
    replaced: list[Interval]
    intervals: list[Interval]
    lines: list[LineDifference]
    currency: Currency
    amount_minor: Minor
    """The signed difference."""
    balance_after_minor: Minor
    granted_after_minor: Minor
    positions: Positions
    """Empty for a preview."""


class CorrectionBooked(CorrectionShown, Wallets):
    """A correction that was booked."""


class NothingChanged(Wallets):
    """The reading shows these values already."""

    changed: Literal[False]
    positions: Positions


CorrectionAnswer = CorrectionBooked | NothingChanged
CorrectionPreview = CorrectionShown | NothingChanged
