"""One payment (支付): settled once, reversed at most once."""

from collections.abc import Callable
from typing import Any, ClassVar

from ledger.aggregates import Aggregate, Refused
from ledger.events import Event
from ledger.events.payment import PaymentReversed, PaymentSettled


class Payment(Aggregate):
    """Money that came through a channel; natural id `channel/transaction id`."""

    KIND: ClassVar[str] = "payment"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    status: str = "absent"
    settled: PaymentSettled | None = None

    def reverse(self, reason: str) -> PaymentReversed:
        """Take a settled payment back in full."""
        settled = self.settled
        if settled is None:
            raise Refused("receipt_unknown", "No payment was settled under this receipt.")
        if self.status == "reversed":
            raise Refused(
                "already_reversed", f"The receipt {settled.receipt_no} was reversed before."
            )
        return PaymentReversed(
            channel=settled.channel,
            channel_txn_id=settled.channel_txn_id,
            account_no=settled.account_no,
            receipt_no=settled.receipt_no,
            amount_minor=settled.amount_minor,
            reason=reason,
        )


def _settled(payment: Payment, event: PaymentSettled, _at: int) -> None:
    payment.status = "settled"
    payment.settled = event


def _reversed(payment: Payment, _event: PaymentReversed, _at: int) -> None:
    payment.status = "reversed"


Payment.EVOLVERS.update({PaymentSettled: _settled, PaymentReversed: _reversed})
