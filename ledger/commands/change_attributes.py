"""Tell anew what tariffs may ask of a household: persons, low income, contracted power (户属性)."""

from typing import Annotated

from pydantic import Field

from ledger.aggregates.account import points
from ledger.commands import AccountNo, Command, Identifier, Json, Text
from ledger.commands.answers import account_answer
from ledger.store import Answer, Context, Ledger, Session


class ChangeAttributes(Command):
    """Attributes from a time on; None takes one away."""

    account_no: AccountNo
    attributes: Annotated[dict[Identifier, bool | int | Text | None], Field(min_length=1)]
    reason: Text
    valid_from_us: int | None = None
    """UTC; now, where nothing is told. An allowance counts from the month after it."""


def handle(command: ChangeAttributes, ledger: Ledger, context: Context) -> Answer:
    """The same values again change nothing."""

    def decide(session: Session) -> Json:
        account = session.account(command.account_no)
        at_us = session.now_us if command.valid_from_us is None else command.valid_from_us
        fact = points.change_attributes(account, dict(command.attributes), at_us, command.reason)
        if fact is not None:
            session.record(account, fact, at_us)
        return {"changed": fact is not None, **account_answer(account, session)}

    return ledger.decide(decide, context, accounts=(command.account_no,))
