"""What corrections made of a meter's readings: late ones that came, others that changed or went."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Subquery, select

from adapters.store.eras import events_of
from adapters.store.rows import to_row
from adapters.views.accounts import Json
from ledger.commands.quantities import decimal_text
from ledger.events.account import ChargeCorrected, MeteredInterval
from ledger.events.registry import decode
from ledger.ports import Row
from ledger.values import rfc3339

Home = tuple[int, str]
"""Shard and stream of an account."""


class Corrected(NamedTuple):
    """A reading as the newest of its corrections left it; without an interval it does not count."""

    row: Row
    event: ChargeCorrected
    interval: MeteredInterval | None
    corrections: tuple[Json, ...]
    """All that spoke of it, in the order in which they were booked."""
    booked_minor: int
    """What those of them moved that were booked for this very reading."""


def events_at(connection: Connection, homes: Sequence[Home]) -> Subquery:
    """The events of streams at home in these shards, as a table."""
    return events_of(connection, {shard for shard, _ in homes}, [stream for _, stream in homes])


def corrected_readings(
    connection: Connection, homes: Sequence[Home], meter_no: str
) -> dict[tuple[str, int], Corrected]:
    """(stream, time) of each reading that a correction spoke of, and what it is since."""
    of_meter = f'"meter_no":{msgspec.json.encode(meter_no).decode()}'
    told = events_at(connection, homes)
    statement = select(told).where(
        told.c.topic == ChargeCorrected.TOPIC, told.c.payload.contains(of_meter, autoescape=True)
    )
    found: dict[tuple[str, int], Corrected] = {}
    rows: Any = connection.execute(statement.order_by(told.c.shard, told.c.position))
    for row in map(to_row, rows):
        event = decode(row.topic, row.payload)
        assert isinstance(event, ChargeCorrected)  # noqa: S101 - the statement asks for this topic
        since = {each.to_us: each for each in event.intervals if each.meter_no == meter_no}
        gone = {each.to_us for each in event.replaced if each.meter_no == meter_no}
        for at_us in gone | since.keys():
            place = row.stream_id, at_us
            found[place] = _corrected(found.get(place), row, event, since.get(at_us), at_us)
    return found


def _corrected(
    before: Corrected | None,
    row: Row,
    event: ChargeCorrected,
    interval: MeteredInterval | None,
    at_us: int,
) -> Corrected:
    told = before.corrections if before else ()
    booked = event.amount_minor if row.valid_at == at_us else 0
    return Corrected(
        row,
        event,
        interval,
        (*told, _correction(row, event)),
        booked + (before.booked_minor if before else 0),
    )


def _correction(row: Row, event: ChargeCorrected) -> Json:
    """A correction; its amount is that of the reading at whose time it was booked."""
    return {
        "shard": row.shard,
        "position": row.position,
        "cause": event.cause,
        "reason": event.reason,
        "booked_at": rfc3339(row.valid_at),
        "amount_minor": event.amount_minor,
    }


def corrected_body(corrected: Corrected, charged_minor: int) -> Json:
    """A corrected reading as `GET /readings` shows it, with all that was ever posted for it."""
    row, event, interval, corrections, booked_minor = corrected
    assert interval is not None  # noqa: S101 - only what counts is shown
    return {
        "reading_id": f"{interval.meter_no}@{rfc3339(interval.to_us)}",
        "meter_no": interval.meter_no,
        "account_no": event.account_no,
        "service_point": event.point,
        "at": rfc3339(interval.to_us),
        "registers": {name: decimal_text(v[1]) for name, v in interval.registers.items()},
        "quantity": decimal_text(sum(v[2] for v in interval.registers.values())),
        "amount_minor": charged_minor + booked_minor,
        "corrections": list(corrections),
        "currency": event.currency,
        "shard": row.shard,
        "position": row.position,
    }
