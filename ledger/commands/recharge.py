"""Recharge an account (充值): book a settled payment once, whatever its channel repeats."""

from concurrent.futures import Future

from ledger.aggregates import Refused
from ledger.aggregates.account.consumption import FUTURE_US
from ledger.aggregates.account.money import credit
from ledger.aggregates.payment import Payment
from ledger.commands import (
    AccountNo,
    AmountMinor,
    Command,
    Currency,
    ExternalId,
    Identifier,
    Json,
    Moment,
    at_us,
)
from ledger.commands.answers import money_of
from ledger.events.payment import PaymentSettled
from ledger.store import Answer, Context, Ledger, Session


class Recharge(Command):
    """A payment that a channel reports as settled; channel and transaction id name it for ever."""

    account_no: AccountNo
    amount_minor: AmountMinor
    currency: Currency
    channel: Identifier
    channel_txn_id: ExternalId
    paid_at: Moment | None = None


def handle(command: Recharge, ledger: Ledger, context: Context) -> Answer:
    """Credit the account and settle the payment in one commit, or do neither.

    The same payment again answers as the first time; with another content it is refused.
    """
    return submit(command, ledger, context).result()


def submit(command: Recharge, ledger: Ledger, context: Context) -> "Future[Answer]":
    """The same without waiting: the future answers when the payment is durable."""
    payment = f"{command.channel}/{command.channel_txn_id}"
    return ledger.submit(
        lambda session: _decide(command, session, payment),
        context,
        accounts=(command.account_no,),
        claims=(command.claim("payment", payment, command.account_no),),
    )


def _decide(command: Recharge, session: Session, payment_id: str) -> Json:
    account = session.account(command.account_no)
    paid_at_us = at_us(command.paid_at, session.now_us)
    if paid_at_us > session.now_us + FUTURE_US:
        raise Refused("paid_in_the_future", "The payment's time lies in the future.")
    receipt_no = f"{account.shard}-{session.next_position(account.shard)}"
    credited = credit(
        account,
        receipt_no=receipt_no,
        channel=command.channel,
        channel_txn_id=command.channel_txn_id,
        currency=command.currency,
        amount_minor=command.amount_minor,
    )
    session.record(account, credited, paid_at_us)
    settled = PaymentSettled(
        channel=command.channel,
        channel_txn_id=command.channel_txn_id,
        account_no=command.account_no,
        receipt_no=receipt_no,
        currency=command.currency,
        amount_minor=command.amount_minor,
    )
    session.record(session.new(Payment, payment_id, account.shard), settled, paid_at_us)
    session.decide_levels(account, session.now_us)
    return {"receipt_no": receipt_no, "amount_minor": command.amount_minor, **money_of(account)}
