"""Recharge an account (充值): book a settled payment once, whatever its channel repeats.

Where a point of the account holds prepaid units, the payment buys units of it at once.
"""

from concurrent.futures import Future
from typing import Annotated

from pydantic import Field

from ledger.aggregates import Refused
from ledger.aggregates.account.consumption import FUTURE_US
from ledger.aggregates.account.money import credit
from ledger.aggregates.account.sales import Offer
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
    Text,
    at_us,
)
from ledger.commands.answers import money_of
from ledger.commands.buy_units import buy, point_to_buy_for
from ledger.events.payment import PaymentSettled
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.ledger import fingerprint


class Recharge(Command):
    """A payment that a channel reports as settled; channel and transaction id name it for ever."""

    account_no: AccountNo
    amount_minor: AmountMinor
    currency: Currency
    channel: Identifier
    channel_txn_id: ExternalId
    paid_at: Moment | None = None
    service_point: Annotated[Text, Field(max_length=64)] | None = None
    """Whose units are bought; needed where the account has several points."""
    channel_fee_minor: Annotated[int, Field(strict=True, ge=0)] = 0
    """What the channel takes of a payment for units."""

    def fingerprint(self, path: str) -> str:
        """What is left out is no other command than what was told before it could be said."""
        body = self.model_dump(mode="json", exclude_defaults=True)
        return fingerprint(path, {"paid_at": None, **body})


class _Told(Refused):
    """A decision that was only to be told: it is undone."""

    def __init__(self, body: Json) -> None:
        super().__init__("preview", "Nothing was booked.")
        self.body = body


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


def preview(command: Recharge, ledger: Ledger, context: Context) -> Answer:
    """What a recharge would buy and leave, by the very same decision; nothing is booked."""

    def tell(session: Session) -> Json:
        raise _Told(_decide(command, session, f"preview/{ledger.new_id()}"))

    unclaimed = context._replace(request=None)
    try:
        return ledger.decide(tell, unclaimed, accounts=(command.account_no,))
    except _Told as told:
        return Answer({**told.body, "preview": True, "receipt_no": None}, replayed=False)


def _decide(command: Recharge, session: Session, payment_id: str) -> Json:
    account = session.account(command.account_no)
    paid_at_us = at_us(command.paid_at, session.now_us)
    if paid_at_us > session.now_us + FUTURE_US:
        raise Refused("paid_in_the_future", "The payment's time lies in the future.")
    point = point_to_buy_for(session, account, command.service_point)
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
    bought: Json = {}
    if point is not None:
        fee_minor = command.channel_fee_minor
        offer = Offer(receipt_no, command.amount_minor, paid_at_us, fee_minor)
        bought = {"units": buy(session, account, point, offer)}
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
    booked: Json = {"receipt_no": receipt_no, "amount_minor": command.amount_minor}
    if command.service_point is not None:
        booked["service_point"] = command.service_point
    return {**booked, **bought, **money_of(account)}
