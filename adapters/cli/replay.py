"""`wattledger replay`: an account folded from event 1, a line an event."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import typer
from sqlalchemy import Engine

from adapters.cli.amounts import amount_text
from adapters.cli.inputs import AccountNo
from adapters.cli.log_lines import log_rows
from adapters.cli.movements import Movement, moved
from adapters.cli.opening import reading
from adapters.cli.output import Stream
from adapters.cli.problems import DIFFERENCE, OK, InputError
from adapters.cli.times import Times, local_text
from adapters.store.tables import events
from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.commands import Json
from ledger.commands.answers import alert_level
from ledger.events import Event
from ledger.events.registry import decode
from ledger.ports import Row
from ledger.store.history import Moment
from ledger.store.ledger import LedgerTerms
from ledger.values import rfc3339, shard_of, stream_id


def replay(
    account: AccountNo,
    valid_at: Annotated[
        str | None, typer.Option(help="Money as it was true at this time (RFC 3339).")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(help="As it was known at this time, or at SHARD:POSITION.")
    ] = None,
) -> Stream:
    """Fold an account from event 1 and print each event with the money after it."""
    run = _Replay(account, valid_at, known_at)
    return Stream(
        lines=run.lines(), human=run.text, exit_code=lambda: DIFFERENCE if run.differences else OK
    )


@dataclass(slots=True)
class _Replay:
    """One replay: money is added up from the movements, and compared with what events say."""

    account_no: str
    valid_at: str | None
    known_at: str | None
    timezone: str = "UTC"
    differences: int = 0
    paid_minor: int = 0
    granted_minor: int = 0

    def lines(self) -> Iterator[Json]:
        """A line an event."""
        with reading() as (engine, terms):
            shard = shard_of(self.account_no, terms.shards)
            until = _moment(self.valid_at, self.known_at, shard, terms)
            stream = stream_id(Account.KIND, self.account_no)
            state, is_found = Account(shard, stream), False
            for row in _known(engine, shard, stream, until):
                event = decode(row.topic, row.payload)
                state.evolve(event, row.valid_at)
                self.timezone = state.timezone or self.timezone
                if row.valid_at <= until.valid_at_us:
                    is_found = True
                    yield self._line(row, event, state)
            if not is_found:
                raise Refused(
                    "account_unknown", f"There is no account {self.account_no}, or not yet then."
                )

    def _line(self, row: Row, event: Event, state: Account) -> Json:
        movement = moved(event)
        self.paid_minor += movement.paid_minor
        self.granted_minor += movement.granted_minor
        line: Json = {
            "shard": row.shard,
            "position": row.position,
            "version": row.version,
            "topic": row.topic,
            "recorded_at": rfc3339(row.recorded_at),
            "valid_at": rfc3339(row.valid_at),
            "amount_minor": movement.paid_minor + movement.granted_minor,
            "balance_minor": self.paid_minor,
            "granted_minor": self.granted_minor,
            "available_minor": self.paid_minor + self.granted_minor,
            "currency": state.currency,
            "alert_level": alert_level(state),
        }
        if self.valid_at is None and not self._agrees(movement):
            self.differences += 1
            line["stated_balance_minor"] = movement.balance_after_minor
            line["stated_granted_minor"] = movement.granted_after_minor
        return line

    def _agrees(self, movement: Movement) -> bool:
        """Whether the event states the sum of all movements; left-out events leave no sum."""
        stated = (movement.balance_after_minor, movement.granted_after_minor)
        return stated in ((None, None), (self.paid_minor, self.granted_minor))

    def text(self, line: Json) -> str:
        """An event on one line of a terminal, in the account's own time."""
        currency = line["currency"]
        amount = amount_text(line["amount_minor"], currency) if line["amount_minor"] else ""
        available = amount_text(line["available_minor"], currency)
        stated = "  DIFFERS from what the event states" if "stated_balance_minor" in line else ""
        topic = line["topic"].rpartition(".")[0]
        at = local_text(line["valid_at"], self.timezone)
        return (
            f"{line['shard']}:{line['position']:<9} {at} {topic:<32} "
            f"{amount:>14} {available:>14} {currency} {line['alert_level']}{stated}"
        )


def _known(engine: Engine, shard: int, stream: str, until: Moment) -> Iterator[Row]:
    """The account's rows as they were known at a moment, in order."""
    where = (
        events.c.recorded_at <= until.known_at_us,
        events.c.position <= until.known_position,
    )
    return log_rows(engine, shard, where, stream=stream)


def _moment(valid_at: str | None, known_at: str | None, shard: int, terms: LedgerTerms) -> Moment:
    times, moment = Times(terms.timezone), Moment()
    try:
        if valid_at is not None:
            moment = moment._replace(valid_at_us=times.micros(valid_at))
        if known_at is None:
            return moment
        of_shard, colon, position = known_at.partition(":")
        if not (colon and of_shard.isdecimal() and position.isdecimal()):
            return moment._replace(known_at_us=times.micros(known_at))
    except ValueError as error:
        raise InputError("time_invalid", f"{error}.") from error
    if int(of_shard) != shard:
        raise InputError("position_invalid", f"The account is in shard {shard}, not {of_shard}.")
    return moment._replace(known_position=int(position))
