"""Close an account (销户): nothing left to supply, nothing left to pay."""

from ledger.aggregates.account import money
from ledger.commands import AccountNo, Command, Json, Reason
from ledger.commands.answers import money_of
from ledger.store import Answer, Context, Ledger, Session


class CloseAccount(Command):
    """End an account whose meters are removed and whose balance is zero."""

    account_no: AccountNo
    reason: Reason


def handle(command: CloseAccount, ledger: Ledger, context: Context) -> Answer:
    """Close the account; refused while a meter counts for it or money is left."""
    return ledger.decide(
        lambda session: _decide(command, session), context, accounts=(command.account_no,)
    )


def _decide(command: CloseAccount, session: Session) -> Json:
    account = session.account(command.account_no)
    session.record(account, money.close(account, command.reason), session.now_us)
    return {"status": account.status, **money_of(account)}
