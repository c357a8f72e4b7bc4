"""A payment is settled once and taken back at most once."""

from ledger.aggregates.payment import Payment
from ledger.events.payment import PaymentReversed, PaymentSettled
from tests.scenario import Scenario

SETTLED = PaymentSettled("cash", "T1", "A1", "0-7", "CNY", 50_00)
REVERSED = PaymentReversed("cash", "T1", "A1", "0-7", 50_00, "mistyped")


def test_a_settled_payment_is_taken_back_in_full() -> None:
    Scenario(Payment).given(SETTLED).when(Payment.reverse, "mistyped").then(REVERSED)


def test_a_payment_is_taken_back_once() -> None:
    Scenario(Payment).given(SETTLED, REVERSED).when(Payment.reverse, "again").refused(
        "already_reversed"
    )


def test_a_payment_that_never_came_is_not_taken_back() -> None:
    Scenario(Payment).when(Payment.reverse, "mistyped").refused("receipt_unknown")
