"""Tell anew what tariffs may ask of a household: persons, low income, contracted power (户属性)."""

from typing import Annotated

from pydantic import Field

from ledger.aggregates import Refused
from ledger.aggregates.account import Account, Point, points
from ledger.aggregates.account.consumption import Quarantine
from ledger.aggregates.account.read_back import Sought
from ledger.aggregates.account.rerating import HOUSEHOLD, Change, correct_charge
from ledger.commands import AccountNo, Command, Identifier, Json, Text
from ledger.commands.answers import account_answer
from ledger.commands.rerating import series_of
from ledger.events.account import AttributesChanged
from ledger.pricing.calendar import instants_of_midnight
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
            tiers = {(each.service_kind, each.tariff_id): each for each in account.points}
            for point in tiers.values():
                _rate_again(session, account, point, fact, at_us)
        return {"changed": fact is not None, **account_answer(account, session)}

    return ledger.decide(decide, context, accounts=(command.account_no,))


def _rate_again(
    session: Session, account: Account, point: Point, told: AttributesChanged, at_us: int
) -> None:
    """The point's open window anew, where its tariff says that an allowance counts in all of it."""
    tariff, version = session.tariff(point.tariff_id)
    if not tariff.rerates_for(told.attributes.keys()):
        return
    _, opened_us = instants_of_midnight(tariff.timezone, point.position.window_from)
    sought = Sought(point.meter_no, opened_us + 1, has_reading=False)
    series = series_of(session, account, sought)
    if isinstance(series, Quarantine):
        raise Refused(series.code, series.reason)
    if series.intervals():
        own = series.own()
        through_us = own[-1].to_us if own else point.last_at_us
        change = Change(HOUSEHOLD, told.reason, at_us, series, series, through_us)
        fact = correct_charge(account, change, tariff, version)
        if isinstance(fact, Quarantine):
            raise Refused(fact.code, fact.reason)
        if fact.lines:
            session.record(account, fact, at_us)
            session.decide_levels(account, session.now_us)
