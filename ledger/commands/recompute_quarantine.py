"""Settle readings in quarantine (异常抄表处理): charge them again, with others, or never.

An item is named by its place in the log. It leaves the view once its settlement is an event; a
reading that still cannot be charged stays, and the answer says why.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.consumption import Quarantine
from ledger.aggregates.meter import Meter
from ledger.commands import Command, Json, Moment, Reason
from ledger.commands.late_readings import LateReadings, Reading
from ledger.commands.quantities import Registers, milli
from ledger.commands.record_readings import Batch
from ledger.events.meter import QuarantineSettled
from ledger.store import Answer, Context, Ledger, Session
from ledger.values import micros

CHARGED = "charged"
DUPLICATE = "duplicate"
CORRECTED = "corrected"
DISMISSED = "dismissed"
ITEMS_MAX = 500
"""Items of one work."""


class Item(NamedTuple):
    """A reading that waits, by the shard and position of its event."""

    shard: int
    position: int
    account_no: str
    reading: Reading


class CorrectItem(Command):
    """What a reading in quarantine should have shown."""

    registers: Registers
    reason: Reason


class DismissItem(Command):
    """A reading in quarantine is not to be charged."""

    reason: Reason


class _Stated(Command):
    at: Moment


def item_of(body: Json) -> Item:
    """The item of a row as `GET /quarantine` shows it."""
    at_us = micros(_Stated(at=body["at"]).at)
    registers = {name: milli(value) for name, value in body["registers"].items()}
    reading = Reading(body["meter_no"], at_us, registers)
    return Item(body["shard"], body["position"], body["account_no"] or "", reading)


def recompute(items: Sequence[Item], ledger: Ledger, context: Context) -> Json:
    """Charge what can be charged by now, in order of time; what still waits is told with why."""
    total: Json = {CHARGED: 0, DUPLICATE: 0, "waiting": []}
    positions: dict[str, int] = {}
    ordered = sorted(items, key=lambda item: item.reading.at_us)
    for start in range(0, len(ordered), ITEMS_MAX):
        part = ordered[start : start + ITEMS_MAX]
        body = ledger.decide(
            lambda session, part=part: _recompute(part, session, ledger),  # type: ignore[misc]
            context,
            shards=range(ledger.terms.shards),
            weight=len(part),
            is_bulk=True,
        ).body
        total = {name: found + body[name] for name, found in total.items()}
        positions.update(body["positions"])
    return {**total, "positions": positions}


def correct(item: Item, command: CorrectItem, ledger: Ledger, context: Context) -> Answer:
    """Charge an item with other values; refused where these cannot be charged either."""

    def decide(session: Session) -> Json:
        _require_waiting(item, session)
        reading = item.reading._replace(registers=command.registers)
        outcome = _tried(reading, session, ledger)
        if isinstance(outcome, Quarantine):
            raise Refused(outcome.code, outcome.reason)
        _settle(item, session, CORRECTED, command.registers, command.reason)
        return {"outcome": CORRECTED, "reading": outcome}

    return ledger.decide(decide, context, shards=range(ledger.terms.shards))


def dismiss(item: Item, command: DismissItem, ledger: Ledger, context: Context) -> Answer:
    """Let an item go without a charge; the same reading again stays aside."""

    def decide(session: Session) -> Json:
        _require_waiting(item, session)
        _settle(item, session, DISMISSED, {}, command.reason)
        return {"outcome": DISMISSED}

    return ledger.decide(decide, context, shards=(item.shard,))


def _recompute(items: Sequence[Item], session: Session, ledger: Ledger) -> Json:
    body: Json = {CHARGED: 0, DUPLICATE: 0, "waiting": []}
    for item in items:
        if not _meter(item, session).waits(item.reading.at_us, item.reading.registers):
            continue  # Somebody else has settled it.
        outcome = _tried(item.reading, session, ledger)
        if isinstance(outcome, Quarantine):
            place = {"shard": item.shard, "position": item.position}
            body["waiting"].append({**place, "code": outcome.code, "reason": outcome.reason})
        else:
            _settle(item, session, outcome, item.reading.registers, "")
            body[outcome] += 1
    return body


def _tried(reading: Reading, session: Session, ledger: Ledger) -> str | Quarantine:
    """What becomes of a reading by now: charged, a duplicate, or why it still waits."""
    batch = _Again(session, ledger, ledger.meter_homes([reading.meter_no]))
    answer = batch.record([reading])
    if batch.refusal is not None:
        return batch.refusal
    return CHARGED if answer["accepted"] else DUPLICATE


class _Again(Batch):
    """A batch of one reading that is in quarantine already, and is not put there again."""

    refusal: Quarantine | None = None

    def late_readings(self, session: Session) -> LateReadings:
        """Readings are judged as if none of them had been kept aside before."""
        return LateReadings(session, is_again=True)

    def keep(self, _index: int, _aside: Reading, _account: Account | None, why: Quarantine) -> None:
        """Remember why instead of recording it."""
        self.refusal = why


def _meter(item: Item, session: Session) -> Meter:
    return session.aggregate(Meter, item.reading.meter_no, item.shard)


def _require_waiting(item: Item, session: Session) -> None:
    if not _meter(item, session).waits(item.reading.at_us, item.reading.registers):
        raise Refused("quarantine_settled", "The reading no longer waits: it was settled before.")


def _settle(item: Item, session: Session, outcome: str, taken: dict[str, int], reason: str) -> None:
    meter_no, at_us, registers = item.reading
    meter = _meter(item, session)
    settled = QuarantineSettled(
        meter_no, item.account_no, item.position, registers, outcome, taken, reason
    )
    session.record(meter, settled, at_us)
