"""Adjust an account (调账): a named person corrects a wallet, with a reason."""

from typing import Literal

from ledger.aggregates import Refused
from ledger.aggregates.account import money
from ledger.commands import AccountNo, AmountMinor, Command, Currency, Json, Reason
from ledger.commands.answers import money_of
from ledger.commands.buy_units import buys_only_units
from ledger.store import Answer, Context, Ledger, Session


class Adjust(Command):
    """A signed correction of the paid or the granted wallet."""

    account_no: AccountNo
    amount_minor: AmountMinor
    currency: Currency
    reason: Reason
    wallet: Literal["paid", "granted"] = "paid"


def handle(command: Adjust, ledger: Ledger, context: Context) -> Answer:
    """Book the correction and decide what follows for the supply."""
    return ledger.decide(
        lambda session: _decide(command, session), context, accounts=(command.account_no,)
    )


def _decide(command: Adjust, session: Session) -> Json:
    account = session.account(command.account_no)
    adjusted = money.adjust(
        account,
        amount_minor=command.amount_minor,
        currency=command.currency,
        wallet=command.wallet,
        reason=command.reason,
    )
    is_granted = adjusted.granted_minor > 0
    if is_granted and buys_only_units(session, account):
        raise Refused(
            "grant_buys_nothing",
            f"All that the account {account.account_no} uses is bought in units, and granted "
            "credit buys none; credit the paid wallet, which buys with the next payment.",
        )
    session.record(account, adjusted, session.now_us)
    session.decide_levels(account, session.now_us)
    return {"amount_minor": command.amount_minor, **money_of(account)}
