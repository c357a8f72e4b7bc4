"""What corrections made of a meter's readings: late ones that came, others that changed or went."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, and_, or_, select

from adapters.store.rows import to_row
from adapters.store.tables import events
from adapters.views.accounts import Json
from ledger.commands.quantities import decimal_text
from ledger.events.account import ChargeCorrected, MeteredInterval
from ledger.events.registry import decode
from ledger.ports import Row
from ledger.values import rfc3339

Home = tuple[int, str]
"""Shard and stream of an account."""


class Corrected(NamedTuple):
    """A reading as a correction left it; without an interval it does not count."""

    row: Row
    event: ChargeCorrected
    interval: MeteredInterval | None


def corrected_readings(
    connection: Connection, homes: Sequence[Home], meter_no: str
) -> dict[tuple[str, int], Corrected]:
    """(stream, time) of each reading that a correction spoke of, and what it is since."""
    of_meter = f'"meter_no":{msgspec.json.encode(meter_no).decode()}'
    statement = select(events).where(
        or_(*(and_(events.c.shard == s, events.c.stream_id == stream) for s, stream in homes)),
        events.c.topic == ChargeCorrected.TOPIC,
        events.c.payload.contains(of_meter, autoescape=True),
    )
    found: dict[tuple[str, int], Corrected] = {}
    rows: Any = connection.execute(statement.order_by(events.c.shard, events.c.position))
    for row in map(to_row, rows):
        event = decode(row.topic, row.payload)
        assert isinstance(event, ChargeCorrected)  # noqa: S101 - the statement asks for this topic
        for gone in event.replaced:
            if gone.meter_no == meter_no:
                found[row.stream_id, gone.to_us] = Corrected(row, event, None)
        for come in event.intervals:
            if come.meter_no == meter_no:
                found[row.stream_id, come.to_us] = Corrected(row, event, come)
    return found


def corrected_body(corrected: Corrected) -> Json:
    """A corrected reading as `GET /readings` shows it; what it cost is told by its correction."""
    row, event, interval = corrected
    assert interval is not None  # noqa: S101 - only what counts is shown
    return {
        "reading_id": f"{interval.meter_no}@{rfc3339(interval.to_us)}",
        "meter_no": interval.meter_no,
        "account_no": event.account_no,
        "service_point": event.point,
        "at": rfc3339(interval.to_us),
        "registers": {name: decimal_text(v[1]) for name, v in interval.registers.items()},
        "quantity": decimal_text(sum(v[2] for v in interval.registers.values())),
        "amount_minor": None,
        "currency": event.currency,
        "shard": row.shard,
        "position": row.position,
    }
