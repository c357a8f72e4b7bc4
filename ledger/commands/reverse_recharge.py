"""Reverse a recharge (冲正): take a booked payment back in full, once."""

from typing import Annotated

from pydantic import Field

from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.money import reverse_credit
from ledger.aggregates.account.sales import give_back
from ledger.aggregates.payment import Payment
from ledger.commands import Command, Json, Reason
from ledger.commands.answers import money_of
from ledger.commands.quantities import UNIT_TEXT, decimal_text
from ledger.events.account import AccountCredited, UnitsSold
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
    following = ledger.event(shard, position + 1)
    sold = following if isinstance(following, UnitsSold) else None
    return ledger.decide(
        lambda session: _decide(command, session, credited, sold),
        context,
        accounts=(credited.account_no,),
    )


def _decide(
    command: ReverseRecharge, session: Session, credited: AccountCredited, sold: UnitsSold | None
) -> Json:
    account = session.account(credited.account_no)
    payment_id = f"{credited.channel}/{credited.channel_txn_id}"
    payment = session.aggregate(Payment, payment_id, account.shard)
    settled = payment.reverse(command.reason)
    returned: Json = {}
    if sold is not None and sold.receipt_no == command.receipt_no:
        returned = _give_back(command, session, account, sold)
    session.record(account, reverse_credit(account, credited, command.reason), session.now_us)
    session.record(payment, settled, session.now_us)
    session.decide_levels(account, session.now_us)
    return {"receipt_no": command.receipt_no, "reversed": True, **returned, **money_of(account)}


def _give_back(
    command: ReverseRecharge, session: Session, account: Account, sold: UnitsSold
) -> Json:
    """What is left of the units that the recharge bought; what was used stays charged."""
    points = [point for point in account.points if point.name == sold.point]
    if not points:
        return {}
    event = give_back(account, points[0], sold, command.reason)
    session.record(account, event, session.now_us)
    units = {"service_point": event.point, "returned": decimal_text(event.units.quantity)}
    return {"units": {**units, "unit": UNIT_TEXT[event.unit], "amount_minor": event.amount_minor}}
