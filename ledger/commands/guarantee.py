"""Guarantee a supply (保电): not cut whatever is owed, for a time or until it is ended."""

from ledger.aggregates.account.supply import end_guarantee, guarantee
from ledger.commands import AccountNo, Command, Json, Moment, Reason
from ledger.commands.request_command import points_of
from ledger.store import Answer, Context, Ledger, Session
from ledger.values import micros

DUE: Context = Context("scheduler", "guarantee due")


class StartGuarantee(Command):
    """One service point, or every one of the account; without `until` it lasts until ended."""

    account_no: AccountNo
    service_point: str | None = None
    until: Moment | None = None
    reason: Reason


class EndGuarantee(Command):
    """The points may be cut again."""

    account_no: AccountNo
    service_point: str | None = None
    reason: Reason


def start(command: StartGuarantee, ledger: Ledger, context: Context) -> Answer:
    """Protect the points; a point that was cut gets its supply back. The same again is silence."""
    until_us = 0 if command.until is None else micros(command.until)

    def decide(session: Session) -> Json:
        account = session.account(command.account_no)
        changed = False
        for point in points_of(account, command.service_point):
            event = guarantee(account, point, until_us, session.now_us, command.reason)
            if event is not None:
                session.record(account, event, session.now_us)
                changed = True
        return {"account_no": command.account_no, "guaranteed": True, "changed": changed}

    return ledger.decide(decide, context, accounts=(command.account_no,))


def end(command: EndGuarantee, ledger: Ledger, context: Context) -> Answer:
    """Let the points be cut again; where no guarantee holds, silence."""

    def decide(session: Session) -> Json:
        account = session.account(command.account_no)
        changed = False
        for point in points_of(account, command.service_point):
            event = end_guarantee(account, point, command.reason)
            if event is not None:
                session.record(account, event, session.now_us)
                changed = True
        return {"account_no": command.account_no, "guaranteed": False, "changed": changed}

    return ledger.decide(decide, context, accounts=(command.account_no,))


def end_due(account_no: str, service_point: str, ledger: Ledger) -> Answer:
    """End a guarantee whose time has passed; one that was prolonged meanwhile goes on."""

    def decide(session: Session) -> Json:
        account = session.account(account_no)
        for point in account.points:
            is_due = 0 < point.guaranteed_until_us <= session.now_us
            if point.name == service_point and is_due:
                event = end_guarantee(account, point, "its time has passed")
                if event is not None:
                    session.record(account, event, session.now_us)
        return {}

    return ledger.decide(decide, DUE, accounts=(account_no,))
