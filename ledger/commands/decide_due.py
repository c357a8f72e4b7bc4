"""Decide again what a no-cut window put off (保电时段结束): cut now, put off further, or let be."""

from concurrent.futures import Future
from typing import Final

from ledger.commands import Json
from ledger.store import Answer, Context, Ledger, Session

CONTEXT: Final = Context("scheduler", "no-cut window over")


def submit(account_no: str, ledger: Ledger) -> "Future[Answer]":
    """Decide about every point of an account by its money and the policies of the moment.

    Nothing happens to whoever has paid, or was decided about meanwhile: again is silence.
    """

    def decide(session: Session) -> Json:
        account = session.account(account_no)
        before = account.version
        session.decide_levels(account, session.now_us)
        return {"account_no": account_no, "changed": account.version > before}

    return ledger.submit(decide, CONTEXT, accounts=(account_no,))
