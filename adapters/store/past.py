"""The past of streams: their newest snapshots and the events behind them."""

# ruff: noqa: S608 - statements are made of our own words

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, text

from adapters.store.dialects import insert_into, is_postgresql
from adapters.store.eras import looked_up, newest_of
from adapters.store.statements import Statement
from adapters.store.tables import snapshots
from ledger.ports import Past, Snapshot, Span

Fact = tuple[int, int, int, str, bytes]

_BEHIND: Final = "e.version > coalesce(w.version, 0)"
# CROSS keeps SQLite's planner from reading the whole shard instead of the few streams.
_PAST: Final = Statement(
    postgresql=f"""WITH kept AS MATERIALIZED (SELECT w.id::uuid AS stream_id, s.version, s.state
FROM json_array_elements_text(%(ids)s) w(id) LEFT JOIN LATERAL (
SELECT version, state FROM snapshots WHERE shard = %(shard)s AND stream_id = w.id::uuid
AND fold_hash = %(fold_hash)s ORDER BY version DESC LIMIT 1) s ON true)
SELECT stream_id::text, NULL, state, version, 0 AS place FROM kept WHERE version IS NOT NULL
UNION ALL SELECT w.stream_id::text, e.topic, e.payload, e.valid_at, e.version
FROM {looked_up("kept w", "%(shard)s", _BEHIND, is_server=True)} ORDER BY place""",
    sqlite=f"""WITH kept AS MATERIALIZED (SELECT w.value AS stream_id, (
SELECT max(version) FROM snapshots WHERE shard = :shard AND stream_id = w.value
AND fold_hash = :fold_hash) AS version FROM json_each(:ids) w)
SELECT w.stream_id, NULL, s.state, s.version, 0 AS place FROM kept w
CROSS JOIN snapshots s ON s.shard = :shard AND s.stream_id = w.stream_id AND s.version = w.version
UNION ALL SELECT w.stream_id, e.topic, e.payload, e.valid_at, e.version
FROM {looked_up("kept w", ":shard", _BEHIND, is_server=False)} ORDER BY place""",
)
"""(stream, no topic, state, version) of each snapshot, then (stream, topic, payload, valid_at)."""

_NEWEST_POSTGRESQL: Final = text(
    newest_of("unnest(CAST(:streams AS uuid[])) AS w(stream_id)", ":shard", is_server=True)
)
_NEWEST_SQLITE: Final = text(
    newest_of(
        "(SELECT value AS stream_id FROM json_each(:streams)) AS w", ":shard", is_server=False
    )
)
_BETWEEN: Final = "SELECT w.number, e.version, e.valid_at, e.topic, e.payload FROM {found}"
_BETWEEN_POSTGRESQL: Final = text(
    _BETWEEN.format(
        found=looked_up(
            """unnest(CAST(:numbers AS integer[]), CAST(:streams AS uuid[]),
CAST(:lows AS integer[]), CAST(:highs AS integer[])) AS w(number, stream_id, low, high)""",
            ":shard",
            "e.version BETWEEN w.low AND w.high",
            is_server=True,
        )
    )
)
_BETWEEN_SQLITE: Final = text(
    _BETWEEN.format(
        found=looked_up(
            """(SELECT key AS number, json_extract(value, '$[0]') AS stream_id,
json_extract(value, '$[1]') AS low, json_extract(value, '$[2]') AS high
FROM json_each(:spans)) AS w""",
            ":shard",
            "e.version BETWEEN w.low AND w.high",
            is_server=False,
        )
    )
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
            "numbers": list(range(len(spans))),
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
