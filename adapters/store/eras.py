"""Eras of the log: a stream is looked up era by era, so that writers stay in the newest one.

Ids of streams are random. An index by stream alone is touched all over by every batch: at ten
million events a page of it is read, changed and written anew for each of them. Sorted by era
first, the part that still grows fits into memory however long the log becomes; whoever reads a
stream asks each era for it, a look into the index each.

The statements say in which order tables are joined: a planner without statistics would rather
read a whole shard.
"""

# ruff: noqa: S608 - statements are made of numbers and our own words

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Subquery, literal, select, text

from adapters.store.dialects import is_postgresql
from adapters.store.selections import Asked
from adapters.store.tables import ERA, ERA_BITS, events, log_heads

VERSION_MAX: Final = 2**31 - 1

_ERAS_POSTGRESQL: Final = f"""(SELECT shard, generate_series(0, position >> {ERA_BITS}) AS era
FROM log_heads WHERE shard IN ({{shards}})) AS eras"""
_ERAS_SQLITE: Final = f"""(WITH RECURSIVE past(shard, era) AS (
SELECT shard, position >> {ERA_BITS} FROM log_heads WHERE shard IN ({{shards}})
UNION ALL SELECT shard, era - 1 FROM past WHERE era > 0) SELECT shard, era FROM past) AS eras"""
_HERE: Final = f"""events e WHERE e.shard = eras.shard AND (e.position >> {ERA_BITS}) = eras.era
AND e.stream_id = w.stream_id"""

_AS_THEY_LIE: Final = """SELECT set_config('enable_indexscan', 'off', true),
set_config('enable_seqscan', 'off', true), set_config('work_mem', '64MB', true),
CASE WHEN current_setting('effective_io_concurrency')::int > 0 -- 0 where there is no such thing
THEN set_config('effective_io_concurrency', '64', true) END"""


def events_of(
    connection: Connection,
    shards: Iterable[int],
    streams: Sequence[str],
    *,
    low: int = 1,
    high: int = VERSION_MAX,
) -> Subquery:
    """The events of these streams in these shards, as a table with the columns of the log."""
    is_server = is_postgresql(connection)
    wanted = (
        "unnest(CAST(:streams AS uuid[])) AS w(stream_id)"
        if is_server
        else "(SELECT value AS stream_id FROM json_each(:streams)) AS w"
    )
    listed = ", ".join(map(str, shards))
    versions = "e.version BETWEEN :low AND :high"
    found = text(f"SELECT e.* FROM {looked_up(wanted, listed, versions, is_server=is_server)}")
    named = list(streams) if is_server else json.dumps(list(streams))
    bound = found.bindparams(streams=named, low=low, high=high)
    return bound.columns(*events.c).subquery("of_streams")


def whole_streams(connection: Connection, shard: int, streams: Sequence[str]) -> Subquery:
    """All events of many streams, as `events_of`; a server fetches them in the order they lie in.

    A long log lies on the disk, and each event of a stream in a place of its own: fetched stream
    by stream, a year of a hundred thousand accounts waits an hour for the disk. What the server is
    told about that holds to the end of the transaction.
    """
    if not is_postgresql(connection):
        return events_of(connection, [shard], streams)
    connection.execute(text(_AS_THEY_LIE))
    here = select(events).where(events.c.shard == shard, events.c.stream_id.in_(streams))
    return here.where(ERA.in_(_eras(connection, shard))).subquery("of_streams")


def looked_up(wanted: str, shards: str, versions: str, *, is_server: bool) -> str:
    """SQL behind FROM: events `e` of the streams that `wanted`, a table `w`, lists."""
    eras = (_ERAS_POSTGRESQL if is_server else _ERAS_SQLITE).format(shards=shards)
    if is_server:  # OFFSET keeps what is inside from being joined otherwise.
        of_era = f"LATERAL (SELECT * FROM {_HERE} AND {versions} OFFSET 0) AS e"
    else:
        of_era = f"{_HERE} AND {versions}"
    return f"{wanted} CROSS JOIN {eras} CROSS JOIN {of_era}"


def newest_of(wanted: str, shards: str, *, is_server: bool) -> str:
    """SQL: the last version of each stream of a table `w`: one look into the index an era."""
    eras = (_ERAS_POSTGRESQL if is_server else _ERAS_SQLITE).format(shards=shards)
    of_era = f"(SELECT max(e.version) FROM {_HERE})"
    return f"SELECT w.stream_id, max({of_era}) FROM {wanted} CROSS JOIN {eras} GROUP BY w.stream_id"


def in_order(
    connection: Connection,
    shard: int,
    stream: str,
    wanted: Asked,
    *,
    newest_first: bool = False,
    limit: int | None = None,
) -> Iterator[Any]:
    """Wanted events of a stream in order of version, at most so many: as the index holds them."""
    eras = _eras(connection, shard)
    version = events.c.version
    here = wanted.where(events.c.shard == shard, events.c.stream_id == stream)
    here = here.order_by(version.desc() if newest_first else version)
    for era in reversed(eras) if newest_first else eras:
        found = connection.execute(here.where(literal(era) == ERA).limit(limit)).all()
        yield from found
        if limit is not None:
            limit -= len(found)
            if limit <= 0:
                return


def _eras(connection: Connection, shard: int) -> range:
    last = connection.scalar(select(log_heads.c.position).where(log_heads.c.shard == shard)) or 0
    return range((last >> ERA_BITS) + 1)
