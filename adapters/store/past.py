"""The past of streams: their newest snapshots and the events behind them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, and_, func, select, text

from adapters.store.dialects import any_of, insert_into, is_postgresql
from adapters.store.tables import events, snapshots
from ledger.ports import Past, Snapshot, Span

Event = tuple[str, str, bytes, int]
Fact = tuple[int, int, int, str, bytes]

_COLUMNS: Final = events.c.stream_id, events.c.topic, events.c.payload, events.c.valid_at
_BEHIND: Final = """SELECT e.stream_id, e.topic, e.payload, e.valid_at FROM {wanted} JOIN events e
ON e.shard = :shard AND e.stream_id = w.stream_id AND e.version > w.version
ORDER BY e.stream_id, e.version"""
_BEHIND_POSTGRESQL: Final = text(
    _BEHIND.format(
        wanted="unnest(CAST(:ids AS uuid[]), CAST(:versions AS integer[])) AS w(stream_id, version)"
    )
).columns(*_COLUMNS)
# CROSS makes SQLite begin with the few streams, where it would rather read the whole shard.
_BEHIND_SQLITE: Final = text(
    _BEHIND.format(
        wanted="(SELECT key AS stream_id, value AS version FROM json_each(:versions)) w CROSS"
    )
).columns(*_COLUMNS)

_NEWEST: Final = """SELECT w.stream_id, (SELECT max(e.version) FROM events e
WHERE e.shard = :shard AND e.stream_id = w.stream_id) FROM {wanted}"""
_NEWEST_POSTGRESQL: Final = text(
    _NEWEST.format(wanted="unnest(CAST(:streams AS uuid[])) AS w(stream_id)")
)
_NEWEST_SQLITE: Final = text(
    _NEWEST.format(wanted="(SELECT value AS stream_id FROM json_each(:streams)) w")
)
# OFFSET 0 keeps the planner from joining the other way round, by reading the whole shard.
_BETWEEN_POSTGRESQL: Final = text(
    """SELECT w.number - 1, e.version, e.valid_at, e.topic, e.payload FROM
unnest(CAST(:streams AS uuid[]), CAST(:lows AS integer[]), CAST(:highs AS integer[]))
WITH ORDINALITY AS w(stream_id, low, high, number) CROSS JOIN LATERAL (
SELECT version, valid_at, topic, payload FROM events
WHERE shard = :shard AND stream_id = w.stream_id AND version BETWEEN w.low AND w.high OFFSET 0) e"""
)
_BETWEEN_SQLITE: Final = text(
    """SELECT w.number, e.version, e.valid_at, e.topic, e.payload FROM (
SELECT key AS number, json_extract(value, '$[0]') AS stream_id,
json_extract(value, '$[1]') AS low, json_extract(value, '$[2]') AS high
FROM json_each(:spans)) w CROSS JOIN events e
ON e.shard = :shard AND e.stream_id = w.stream_id AND e.version BETWEEN w.low AND w.high"""
)


def newest_versions(
    connection: Connection, shard: int, stream_ids: Sequence[str]
) -> dict[str, int]:
    """Last version of each stream; one without events is left out."""
    if is_postgresql(connection):
        about: dict[str, object] = {"shard": shard, "streams": list(stream_ids)}
        found = connection.execute(_NEWEST_POSTGRESQL, about)
    else:
        about = {"shard": shard, "streams": json.dumps(list(stream_ids))}
        found = connection.execute(_NEWEST_SQLITE, about)
    return {str(stream): version for stream, version in found if version is not None}


def facts_between(connection: Connection, shard: int, spans: Sequence[Span]) -> list[Fact]:
    """(index of the span, version, valid_at, topic, payload) of spans of versions."""
    if is_postgresql(connection):
        streams, lows, highs = (list(part) for part in zip(*spans, strict=True))
        about: dict[str, object] = {
            "shard": shard,
            "streams": streams,
            "lows": lows,
            "highs": highs,
        }
        found = connection.execute(_BETWEEN_POSTGRESQL, about)
    else:
        about = {"shard": shard, "spans": json.dumps(spans)}
        found = connection.execute(_BETWEEN_SQLITE, about)
    # The driver's own tuples: wrapping each costs as much as decoding it.
    rows = found.cursor.fetchall()
    return [(number, version, at, topic, it.encode()) for number, version, at, topic, it in rows]


def read_past(
    connection: Connection, shard: int, stream_ids: Sequence[str], fold_hash: str
) -> Past:
    """Newest valid snapshot of each stream and (stream, topic, payload, valid_at) behind it."""
    found = _newest_snapshots(connection, shard, stream_ids, fold_hash)
    return Past(found, _events(connection, shard, stream_ids, found))


def save_snapshots(connection: Connection, made: Sequence[Snapshot]) -> None:
    """Keep folded states; one of the same version is replaced."""
    insert = insert_into(connection, snapshots)
    statement = insert.on_conflict_do_update(
        index_elements=["shard", "stream_id", "version"],
        set_={"fold_hash": insert.excluded.fold_hash, "state": insert.excluded.state},
    )
    values = [{**snapshot._asdict(), "state": snapshot.state.decode()} for snapshot in made]
    connection.execute(statement, values)


def _newest_snapshots(
    connection: Connection, shard: int, stream_ids: Sequence[str], fold_hash: str
) -> dict[str, tuple[int, bytes]]:
    newest = (
        select(snapshots.c.stream_id, func.max(snapshots.c.version).label("version"))
        .where(
            snapshots.c.shard == shard,
            any_of(connection, snapshots.c.stream_id, stream_ids),
            snapshots.c.fold_hash == fold_hash,
        )
        .group_by(snapshots.c.stream_id)
        .subquery()
    )
    states = connection.execute(
        select(snapshots.c.stream_id, snapshots.c.version, snapshots.c.state).join(
            newest,
            and_(
                snapshots.c.shard == shard,
                snapshots.c.stream_id == newest.c.stream_id,
                snapshots.c.version == newest.c.version,
            ),
        )
    )
    return {stream: (version, state.encode()) for stream, version, state in states}


def _events(
    connection: Connection,
    shard: int,
    stream_ids: Sequence[str],
    found: Mapping[str, tuple[int, bytes]],
) -> Iterator[Event]:
    if fresh := [stream for stream in stream_ids if stream not in found]:
        yield from _from_the_first(connection, shard, fresh)
    if found:
        yield from _behind(connection, shard, {s: version for s, (version, _) in found.items()})


def _from_the_first(
    connection: Connection, shard: int, stream_ids: Sequence[str]
) -> Iterator[Event]:
    statement = (
        select(*_COLUMNS)
        .where(events.c.shard == shard, any_of(connection, events.c.stream_id, stream_ids))
        .order_by(events.c.stream_id, events.c.version)
    )
    for stream, topic, payload, valid_at in connection.execute(statement):
        yield stream, topic, payload.encode(), valid_at


def _behind(connection: Connection, shard: int, versions: Mapping[str, int]) -> Iterator[Event]:
    if is_postgresql(connection):
        about: dict[str, object] = {
            "shard": shard,
            "ids": [*versions],
            "versions": [*versions.values()],
        }
        found = connection.execute(_BEHIND_POSTGRESQL, about)
    else:
        about = {"shard": shard, "versions": json.dumps(dict(versions))}
        found = connection.execute(_BEHIND_SQLITE, about)
    for stream, topic, payload, valid_at in found:
        yield stream, topic, payload.encode(), valid_at
