"""Assign a tariff, a control policy or a user group to what exists."""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from ledger.aggregates.account import Account, points
from ledger.aggregates.account.sales import give_all_back
from ledger.commands import AccountNo, Command, Identifier, Json, Text
from ledger.commands.answers import account_answer
from ledger.events import Event
from ledger.store import Answer, Context, Ledger, Session


class AssignTariff(Command):
    """Rate a service point by another tariff, from its last reading on."""

    account_no: AccountNo
    service_point: str | None = None
    tariff_id: Identifier


class AssignPolicy(Command):
    """Let another control policy decide about a service point."""

    account_no: AccountNo
    service_point: str | None = None
    policy_id: Identifier


class AssignGroup(Command):
    """Move an account to another user group."""

    account_no: AccountNo
    group: Annotated[Text, Field(max_length=64)]


def assign_tariff(command: AssignTariff, ledger: Ledger, context: Context) -> Answer:
    """The same tariff again changes nothing."""

    def fact(session: Session, account: Account) -> Event | None:
        point = account.point(command.service_point)
        assigned = points.assign_tariff(account, point, *session.tariff(command.tariff_id))
        if assigned is not None:
            for back in give_all_back(account, point, session.now_us, "another tariff"):
                session.record(account, back, session.now_us)
        return assigned

    return _assign(command.account_no, fact, ledger, context)


def assign_policy(command: AssignPolicy, ledger: Ledger, context: Context) -> Answer:
    """The same policy again changes nothing; the new lines are decided by at once."""

    def fact(session: Session, account: Account) -> Event | None:
        session.terms(command.policy_id)
        point = account.point(command.service_point)
        return points.assign_policy(account, point, command.policy_id)

    return _assign(command.account_no, fact, ledger, context)


def assign_group(command: AssignGroup, ledger: Ledger, context: Context) -> Answer:
    """The same group again changes nothing."""

    def fact(_session: Session, account: Account) -> Event | None:
        return points.assign_group(account, command.group)

    return _assign(command.account_no, fact, ledger, context)


def _assign(
    account_no: str,
    fact: Callable[[Session, Account], Event | None],
    ledger: Ledger,
    context: Context,
) -> Answer:
    def decide(session: Session) -> Json:
        account = session.account(account_no)
        found = fact(session, account)
        if found is not None:
            session.record(account, found, session.now_us)
            session.decide_levels(account, session.now_us)
        return {"changed": found is not None, **account_answer(account, session)}

    return ledger.decide(decide, context, accounts=(account_no,))
