"""An account's own events: pages of them, the account at a moment, what its meters read."""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, func, literal, or_, select, tuple_

from adapters.store.eras import VERSION_MAX, events_of, in_order
from adapters.store.ledger_recorder import LedgerRecorder
from adapters.store.rows import to_row
from adapters.store.tables import events
from adapters.views.accounts import Json, TariffOf
from adapters.views.reading_corrections import (
    Corrected,
    corrected_body,
    corrected_readings,
    events_at,
)
from ledger.access import Reach
from ledger.aggregates.account import Account
from ledger.aggregates.meter import Meter
from ledger.commands.answers import account_body
from ledger.commands.quantities import decimal_text
from ledger.events.account import AccountCharged
from ledger.events.meter import MeterInstalled
from ledger.events.registry import decode
from ledger.ports import Row
from ledger.queries import (
    LIMIT_MAX,
    Changes,
    EventsAsked,
    LogAsked,
    Page,
    ReadingsAsked,
    cursor_of,
    key_of,
)
from ledger.store.history import LATEST, History, Moment
from ledger.values import rfc3339, shard_of, stream_id

LOOKED_AT_MAX: Final = 100_000


def history_of(engine: Engine, shards: int) -> History:
    """The past of all accounts of a ledger."""
    return History({shard: LedgerRecorder(engine, shard) for shard in range(shards)})


def account_then(
    connection: Connection, account: Account, moment: Moment, tariff_of: TariffOf
) -> Json | None:
    """A folded account as it reads everywhere; None where it was not known at the moment."""
    if account.version == 0:
        return None
    fact = events_of(connection, [account.shard], [account.stream_id]).c
    position = connection.scalar(
        select(func.max(fact.position)).where(
            fact.recorded_at <= moment.known_at_us,
            fact.position <= moment.known_position,
            fact.valid_at <= moment.valid_at_us,
        )
    )
    return account_body(account, tariff_of, position or 0)


def page_of_events(
    connection: Connection, account_no: str, shards: int, asked: EventsAsked
) -> Page:
    """Events of an account by version; the cursor is that of the last one."""
    limit = min(asked.limit, LIMIT_MAX)
    version = events.c.version
    statement = select(events).where(events.c.valid_at.between(asked.from_us, asked.to_us))
    if asked.types:
        statement = statement.where(or_(*map(is_topic, asked.types)))
    if asked.cursor is not None:
        (last,) = key_of(asked.cursor, account_no, int)
        behind = min(max(last, 0), VERSION_MAX)
        statement = statement.where(version < behind if asked.newest_first else version > behind)
    found = in_order(
        connection,
        shard_of(account_no, shards),
        stream_id(Account.KIND, account_no),
        statement,
        newest_first=asked.newest_first,
        limit=limit,
    )
    rows = [to_row(row) for row in found]
    cursor = cursor_of(account_no, rows[-1].version) if len(rows) == limit else None
    return Page([event_body(row) for row in rows], cursor)


def page_of_log(connection: Connection, asked: LogAsked) -> Page:
    """Events of a shard in order of position; the cursor is the last position looked at.

    Of one topic they may be far apart: a page looks at so many positions at most.
    """
    limit = min(asked.limit, LIMIT_MAX)
    position = events.c.position
    last = min(asked.after + LOOKED_AT_MAX, LATEST)
    statement = select(events).where(
        events.c.shard == asked.shard, position > asked.after, position <= last
    )
    if asked.type:
        statement = statement.where(is_topic(asked.type))
    rows = [to_row(row) for row in connection.execute(statement.order_by(position).limit(limit))]
    head = select(func.max(position)).where(events.c.shard == asked.shard)
    if len(rows) == limit:
        cursor: int | None = rows[-1].position
    else:
        cursor = last if (connection.scalar(head) or 0) > last else None
    return Page([event_body(row) for row in rows], None if cursor is None else str(cursor))


def is_topic(topic: str) -> ColumnElement[bool]:
    """The topic itself, or any below it: `account.charged` has `account.charged.v1`."""
    below = events.c.topic.startswith(f"{topic.rstrip('.')}.", autoescape=True)
    return or_(events.c.topic == topic, below)


def event_body(row: Row) -> Json:
    """An event as it reads everywhere; payload and metadata as they were written."""
    return {
        "shard": row.shard,
        "position": row.position,
        "stream_id": row.stream_id,
        "version": row.version,
        "topic": row.topic,
        "recorded_at": rfc3339(row.recorded_at),
        "valid_at": rfc3339(row.valid_at),
        "command_id": row.command_id,
        "metadata": msgspec.json.decode(row.metadata),
        "payload": msgspec.json.decode(row.payload),
    }


def page_of_readings(
    connection: Connection, shards: int, asked: ReadingsAsked, numbers: Sequence[str]
) -> Page:
    """Charged readings of a meter at these accounts, in order of time and position."""
    limit = min(asked.limit, LIMIT_MAX)
    homes = [(shard_of(number, shards), stream_id(Account.KIND, number)) for number in numbers]
    if not homes:
        return Page([])
    here = events_at(connection, homes)
    key = tuple_(here.c.valid_at, here.c.shard, here.c.position)
    of_meter = f'"meter_no":{msgspec.json.encode(asked.meter_no).decode()}'
    statement = select(here).where(
        here.c.topic == AccountCharged.TOPIC,
        here.c.payload.contains(of_meter, autoescape=True),
        here.c.valid_at.between(asked.from_us, asked.to_us),
    )
    since = asked.from_us - 1
    if asked.cursor is not None:
        behind = key_of(asked.cursor, asked.meter_no, int, int, int)
        statement = statement.where(key > tuple_(*map(literal, behind)))
        since = behind[0]
    rows = connection.execute(statement.order_by(*key).limit(limit)).all()
    last = rows[-1] if len(rows) == limit else None
    place = None if last is None else (last.valid_at, last.shard, last.position)
    cursor = None if place is None else cursor_of(asked.meter_no, *place)
    until = asked.to_us if last is None else last.valid_at
    corrected = corrected_readings(connection, homes, asked.meter_no)
    found = [(row.valid_at, body) for row in rows if (body := _as_it_is(to_row(row), corrected))]
    found += _late(corrected, {(row.stream_id, row.valid_at) for row in rows}, since, until)
    return Page([body for _, body in sorted(found, key=itemgetter(0))], cursor)


def _as_it_is(row: Row, corrected: Mapping[tuple[str, int], Corrected]) -> Json | None:
    """A charged reading with what corrections made of it since; None where it was cancelled."""
    change = corrected.get((row.stream_id, row.valid_at))
    if change is None or change.row.position < row.position:
        return _reading(row)
    if change.interval is None:
        return None
    return corrected_body(change, _charged(row).amount_minor)


def _late(
    corrected: Mapping[tuple[str, int], Corrected],
    charged: set[tuple[str, int]],
    since_us: int,
    until_us: int,
) -> Iterator[tuple[int, Json]]:
    """Readings that came late: no charge has their time."""
    for (stream, at_us), change in corrected.items():
        is_here = since_us < at_us <= until_us and (stream, at_us) not in charged
        if is_here and change.interval is not None:
            yield at_us, corrected_body(change, 0)


def accounts_of_meter(connection: Connection, shards: int, meter_no: str) -> list[str]:
    """Every account that a meter ever counted for."""
    stream = stream_id(Meter.KIND, meter_no)
    told = events_of(connection, range(shards), [stream]).c
    rows = connection.execute(
        select(told.topic, told.payload).where(told.topic == MeterInstalled.TOPIC)
    )
    found = (decode(row.topic, row.payload) for row in rows)
    return sorted({event.account_no for event in found if isinstance(event, MeterInstalled)})


def changed(
    connection: Connection, after: Mapping[int, int], until: Mapping[int, int], limit: int
) -> Changes:
    """What the events of a stretch of the log were about."""
    numbers: set[str] = set()
    topics: set[str] = set()
    left = limit
    for shard, last in until.items():
        rows = connection.execute(
            select(events.c.topic, events.c.payload)
            .where(
                events.c.shard == shard,
                events.c.position > after.get(shard, 0),
                events.c.position <= last,
            )
            .order_by(events.c.position)
            .limit(left + 1)
        ).all()
        left -= len(rows)
        for row in rows:
            topics.add(row.topic)
            account_no: Any = getattr(decode(row.topic, row.payload), "account_no", "")
            if account_no:
                numbers.add(account_no)
        if left < 0:
            return Changes(frozenset(numbers), frozenset(topics), is_cut=True)
    return Changes(frozenset(numbers), frozenset(topics))


def is_within(reach: Reach, site: str | None, account_no: str) -> bool:
    """Whether an account whose site was looked up is in reach."""
    return site is not None and reach.covers(account_no, site)


def _charged(row: Row) -> AccountCharged:
    charged = decode(row.topic, row.payload)
    assert isinstance(charged, AccountCharged)  # noqa: S101 - the statement asks for this topic
    return charged


def _reading(row: Row) -> Json:
    charged = _charged(row)
    return {
        "reading_id": f"{charged.meter_no}@{rfc3339(row.valid_at)}",
        "meter_no": charged.meter_no,
        "account_no": charged.account_no,
        "service_point": charged.point,
        "at": rfc3339(row.valid_at),
        "registers": {name: decimal_text(v[1]) for name, v in charged.registers.items()},
        "quantity": decimal_text(sum(v[2] for v in charged.registers.values())),
        "amount_minor": charged.amount_minor,
        "corrections": [],
        "currency": charged.currency,
        "shard": row.shard,
        "position": row.position,
    }
