"""Reverse a recharge (冲正): take a booked payment back in full, once."""

from typing import Annotated

from pydantic import Field

from ledger.aggregates import Refused
from ledger.aggregates.account.money import reverse_credit
from ledger.aggregates.payment import Payment
from ledger.commands import Command, Json, Reason
from ledger.commands.answers import money_of
from ledger.events.account import AccountCredited
from ledger.store import Answer, Context, Ledger, Session


class ReverseRecharge(Command):
    """Take back the payment of a receipt."""

    receipt_no: Annotated[str, Field(pattern=r"^[0-9]{1,9}-[0-9]{1,18}$")]
    reason: Reason


def handle(command: ReverseRecharge, ledger: Ledger, context: Context) -> Answer:
    """Reverse the credit and the payment in one commit; a second reversal is refused."""
    shard, position = (int(part) for part in command.receipt_no.split("-"))
    credited = ledger.event(shard, position) if shard < ledger.terms.shards else None
    if not isinstance(credited, AccountCredited):
        raise Refused("receipt_unknown", f"There is no receipt {command.receipt_no}.")
    return ledger.decide(
        lambda session: _decide(command, session, credited),
        context,
        accounts=(credited.account_no,),
    )


def _decide(command: ReverseRecharge, session: Session, credited: AccountCredited) -> Json:
    account = session.account(credited.account_no)
    payment_id = f"{credited.channel}/{credited.channel_txn_id}"
    payment = session.aggregate(Payment, payment_id, account.shard)
    settled = payment.reverse(command.reason)
    session.record(account, reverse_credit(account, credited, command.reason), session.now_us)
    session.record(payment, settled, session.now_us)
    session.decide_levels(account, session.now_us)
    return {"receipt_no": command.receipt_no, "reversed": True, **money_of(account)}
