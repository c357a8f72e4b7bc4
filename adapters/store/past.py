"""The past of streams: their newest snapshots and the events behind them."""

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, text

from adapters.store.dialects import insert_into, is_postgresql
from adapters.store.statements import Statement
from adapters.store.tables import snapshots
from ledger.ports import Past, Snapshot, Span

Fact = tuple[int, int, int, str, bytes]

# OFFSET 0 and CROSS keep the planners from reading the whole shard instead of the few streams.
_PAST: Final = Statement(
    postgresql="""WITH kept AS MATERIALIZED (SELECT w.id::uuid AS stream_id, s.version, s.state
FROM json_array_elements_text(%(ids)s) w(id) LEFT JOIN LATERAL (
SELECT version, state FROM snapshots WHERE shard = %(shard)s AND stream_id = w.id::uuid
AND fold_hash = %(fold_hash)s ORDER BY version DESC LIMIT 1) s ON true)
SELECT stream_id::text, NULL, state, version, 0 AS place FROM kept WHERE version IS NOT NULL
UNION ALL SELECT k.stream_id::text, e.topic, e.payload, e.valid_at, e.version FROM kept k
CROSS JOIN LATERAL (SELECT topic, payload, valid_at, version FROM events WHERE shard = %(shard)s
AND stream_id = k.stream_id AND version > coalesce(k.version, 0) OFFSET 0) e ORDER BY place""",
    sqlite="""WITH kept AS MATERIALIZED (SELECT w.value AS stream_id, (
SELECT max(version) FROM snapshots WHERE shard = :shard AND stream_id = w.value
AND fold_hash = :fold_hash) AS version FROM json_each(:ids) w)
SELECT k.stream_id, NULL, s.state, s.version, 0 AS place FROM kept k
CROSS JOIN snapshots s ON s.shard = :shard AND s.stream_id = k.stream_id AND s.version = k.version
UNION ALL SELECT k.stream_id, e.topic, e.payload, e.valid_at, e.version FROM kept k
CROSS JOIN events e ON e.shard = :shard AND e.stream_id = k.stream_id
AND e.version > coalesce(k.version, 0) ORDER BY place""",
)
"""(stream, no topic, state, version) of each snapshot, then (stream, topic, payload, valid_at)."""

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
    past = Past({}, behind := [])
    ids = list(set(stream_ids))  # A stream that is named twice would be read twice.
    for stream, topic, content, about, _ in _PAST.rows(
        connection, shard=shard, ids=ids, fold_hash=fold_hash
    ):
        if topic is None:
            past.snapshots[stream] = about, content.encode()
        else:
            behind.append((stream, topic, content.encode(), about))
    return past


def save_snapshots(connection: Connection, made: Sequence[Snapshot]) -> None:
    """Keep folded states; one of the same version is replaced."""
    insert = insert_into(connection, snapshots)
    statement = insert.on_conflict_do_update(
        index_elements=["shard", "stream_id", "version"],
        set_={"fold_hash": insert.excluded.fold_hash, "state": insert.excluded.state},
    )
    values = [{**snapshot._asdict(), "state": snapshot.state.decode()} for snapshot in made]
    connection.execute(statement, values)
