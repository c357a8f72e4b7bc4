"""Wallets and receipts."""

from typing import Annotated, Literal

from pydantic import Field

from api.answers import (
    AccountNo,
    Code,
    Currency,
    Level,
    Minor,
    PointName,
    Positions,
    Quantity,
    ReceiptNo,
    TariffId,
    Told,
    Unit,
)


class Wallets(Told):
    """An account's money right after what was asked for."""

    account_no: AccountNo
    currency: Currency
    balance_minor: Minor
    """Paid money."""
    granted_minor: Minor
    """Money that was given, not paid."""
    available_minor: Minor
    """What decides about the supply."""
    alert_level: Level


class LineBooked(Told):
    """A line of a charge, with the VAT inside."""

    id: Annotated[str, Field(examples=["energy"])]
    gl: Annotated[str, Field(examples=["energy"])]
    amount_minor: Minor
    vat_minor: Minor


class UnitsSold(Told):
    """What a payment was taken for at a point that holds units."""

    service_point: PointName
    sold: Quantity
    unit: Unit
    tariff_id: TariffId
    paid_minor: Minor
    channel_fee_minor: Minor
    arrears_minor: Minor
    lines: list[LineBooked]
    vat_minor: Minor
    remainder_minor: Minor
    amount_minor: Minor
    prepaid: Quantity
    """What the point holds now."""


class UnitsNotSold(Told):
    """A payment that bought nothing; it stays in the wallet."""

    service_point: PointName
    unit: Unit
    sold: Literal["0"]
    reason: Code


class UnitsReturned(Told):
    """What was left of the units that a reversed payment had bought."""

    service_point: PointName
    returned: Quantity
    unit: Unit
    amount_minor: Minor


class Receipt(Wallets):
    """A payment that was booked."""

    receipt_no: ReceiptNo
    amount_minor: Minor
    service_point: PointName | None = None
    """Only where the payment named one."""
    units: UnitsSold | UnitsNotSold | None = None
    """Only where a point of the account holds units."""
    positions: Positions


class ReceiptPreview(Wallets):
    """A payment as it would be booked."""

    preview: Literal[True]
    receipt_no: None
    amount_minor: Minor
    service_point: PointName | None = None
    units: UnitsSold | UnitsNotSold | None = None


class Adjusted(Wallets):
    """A wallet that was corrected."""

    amount_minor: Minor
    positions: Positions


class Reversed(Wallets):
    """A payment that was taken back."""

    receipt_no: ReceiptNo
    reversed: Literal[True]
    units: UnitsReturned | None = None
    """Only where the payment had bought units."""
    positions: Positions


class Closed(Wallets):
    """An account that has ended."""

    status: Literal["closed"]
    positions: Positions
