"""Hold what is owed in dispute (争议): the supply is not cut for it while the dispute lasts."""

from collections.abc import Callable

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.supply import hold_dispute, release_dispute
from ledger.commands import AccountNo, Command, Json, Reason
from ledger.commands.request_command import points_of
from ledger.events import Event
from ledger.store import Answer, Context, Ledger, Session


class Dispute(Command):
    """One service point, or every one of the account."""

    account_no: AccountNo
    service_point: str | None = None
    reason: Reason


def hold(command: Dispute, ledger: Ledger, context: Context) -> Answer:
    """Begin the dispute; the same again is silence."""
    return _decided(command, hold_dispute, ledger, context)


def release(command: Dispute, ledger: Ledger, context: Context) -> Answer:
    """End the dispute; where there is none, silence."""
    return _decided(command, release_dispute, ledger, context)


def _decided(
    command: Dispute,
    fact: Callable[[Account, Point, str], Event | None],
    ledger: Ledger,
    context: Context,
) -> Answer:
    def decide(session: Session) -> Json:
        account = session.account(command.account_no)
        found = []
        for point in points_of(account, command.service_point):
            event = fact(account, point, command.reason)
            if event is not None:
                session.record(account, event, session.now_us)
            found.append(point.is_disputed)
        return {"account_no": command.account_no, "disputed": any(found)}

    return ledger.decide(decide, context, accounts=(command.account_no,))
