"""Facts of one payment (支付): it exists so that money is booked once."""

from typing import ClassVar, Final

from ledger.events import Event


class PaymentSettled(Event, frozen=True):
    """Money has arrived through a channel (结算)."""

    TOPIC: ClassVar[str] = "payment.settled.v1"
    channel: str
    channel_txn_id: str
    account_no: str
    receipt_no: str
    currency: str
    amount_minor: int


class PaymentReversed(Event, frozen=True):
    """The payment was taken back in full (冲正)."""

    TOPIC: ClassVar[str] = "payment.reversed.v1"
    channel: str
    channel_txn_id: str
    account_no: str
    receipt_no: str
    amount_minor: int
    reason: str


EVENTS: Final = (PaymentSettled, PaymentReversed)
