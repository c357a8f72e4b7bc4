"""The past of streams: their newest snapshots and the events behind them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, and_, func, select, text

from adapters.store.dialects import any_of, insert_into, is_postgresql
from adapters.store.tables import events, snapshots
from ledger.ports import Past, Snapshot

Event = tuple[str, str, bytes, int]

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
