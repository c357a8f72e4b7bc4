"""The event log on SQLAlchemy Core: one code, two databases, one lock per shard."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Final

import psycopg2
import sqlalchemy
from sqlalchemy import Connection, Engine, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from adapters.store.copy import COLUMNS, pack_rows
from adapters.store.tables import claims, events, log_heads, snapshots, vault
from ledger.ports import (
    Claim,
    ClaimKey,
    ConflictError,
    Head,
    LogUnavailableError,
    OutcomeUnknownError,
    Past,
    Row,
    Snapshot,
    StoredClaim,
)
from ledger.values import claim_shard

CHANGED_MAX: Final = 20_000
"""More foreign events than this behind a position: forgetting everything is cheaper than listing."""
IN_MAX: Final = 5_000
INSERT: Final = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

_INSERT_SQLITE: Final = (
    f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
)
_COPY_POSTGRESQL: Final = f"COPY events ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"


class SqlLog:
    """The log of one ledger with `shards` shards."""

    def __init__(self, engine: Engine, shards: int) -> None:
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        self.shards = shards

    @contextmanager
    def write(self, shards: Sequence[int]) -> Iterator["SqlLogWriter"]:
        """Begin a write with the heads of `shards` locked, in shard order; commit at the end."""
        with _translated():
            connection = self._engine.connect()
        with connection:
            with _translated():
                connection.begin()
                writer = SqlLogWriter(connection, self.shards, _lock_heads(connection, shards))
            with _translated():
                yield writer
                writer.advance_heads()
            _commit(connection)

    def landed(self, row: Row) -> bool:
        """Whether a row is in the log; waits for a pending COMMIT by taking the head's lock."""
        with _translated(), self._engine.begin() as connection:
            _lock_heads(connection, [row.shard])
            found = connection.scalar(
                select(events.c.leaf_hash).where(
                    events.c.shard == row.shard, events.c.position == row.position
                )
            )
            return found is not None and bytes(found) == row.leaf_hash

    def event(self, shard: int, position: int) -> tuple[str, bytes] | None:
        """Topic and payload at a position."""
        at = and_(events.c.shard == shard, events.c.position == position)
        with _translated(), self._reader.begin() as connection:
            row = connection.execute(select(events.c.topic, events.c.payload).where(at)).first()
        return None if row is None else (row.topic, row.payload.encode())

    def owners(self, keys: Sequence[ClaimKey]) -> dict[ClaimKey, str]:
        """Who owns which claim."""
        with _translated(), self._reader.begin() as connection:
            found = _find_claims(connection, keys, self.shards)
        return {key: claim.owner for key, claim in found.items()}


class SqlLogWriter:
    """One write transaction on the log."""

    def __init__(self, connection: Connection, shards: int, heads: dict[int, Head]) -> None:
        self.heads = heads
        self._connection = connection
        self._shards = shards
        self._insert = INSERT[connection.dialect.name]
        self._advanced: dict[int, Head] = {}

    def streams_changed(self, shard: int, after_position: int) -> set[str] | None:
        """Streams written behind a position; None when there are too many to name."""
        if self.heads[shard].position - after_position > CHANGED_MAX:
            return None
        found = self._connection.scalars(
            select(events.c.stream_id).where(
                events.c.shard == shard, events.c.position > after_position
            )
        )
        return set(found)

    def find_claims(self, keys: Sequence[ClaimKey]) -> dict[ClaimKey, StoredClaim]:
        """The claims that stand."""
        return _find_claims(self._connection, keys, self._shards)

    def take_claims(self, taken: Sequence[tuple[Claim, bytes]]) -> bool:
        """Take claims with their answers; False when another transaction was first."""
        values = [
            {
                "shard": claim_shard(claim.kind, claim.key, self._shards),
                "kind": claim.kind,
                "key": claim.key,
                "fingerprint": claim.fingerprint,
                "owner": claim.owner,
                "answer": answer.decode(),
            }
            for claim, answer in taken
        ]
        values.sort(key=lambda value: (value["shard"], value["kind"], value["key"]))
        statement = self._insert(claims).on_conflict_do_nothing().returning(claims.c.key)
        return len(self._connection.execute(statement, values).all()) == len(values)

    def release_claims(self, keys: Sequence[ClaimKey]) -> None:
        """Give up claims, so that the keys may be claimed again."""
        for kind, key in keys:
            shard = claim_shard(kind, key, self._shards)
            self._connection.execute(
                delete(claims).where(
                    claims.c.shard == shard, claims.c.kind == kind, claims.c.key == key
                )
            )

    def past(self, shard: int, stream_ids: Sequence[str], fold_hash: str) -> Past:
        """Newest snapshots of streams, and the events behind them in order of version."""
        return read_past(self._connection, shard, stream_ids, fold_hash)

    def readings_at(
        self, shard: int, keys: Sequence[tuple[str, int]]
    ) -> Iterator[tuple[str, int, str, bytes]]:
        """(stream, valid_at, topic, payload) of what streams recorded at exactly these times."""
        wanted = set(keys)
        streams = sorted({stream for stream, _ in keys})
        times = sorted({at for _, at in keys})
        for start in range(0, len(streams), IN_MAX):
            found = self._connection.execute(
                select(
                    events.c.stream_id, events.c.valid_at, events.c.topic, events.c.payload
                ).where(
                    events.c.shard == shard,
                    _any_of(self._connection, events.c.stream_id, streams[start : start + IN_MAX]),
                    _any_of(self._connection, events.c.valid_at, times)
                    if len(times) <= IN_MAX
                    else events.c.valid_at.between(times[0], times[-1]),
                )
            )
            for stream, valid_at, topic, payload in found:
                if (stream, valid_at) in wanted:
                    yield stream, valid_at, topic, payload.encode()

    def append(self, rows: Sequence[Row]) -> None:
        """Write events and move the heads past them."""
        if not rows:
            return
        with _translated():
            if self._connection.dialect.name == "postgresql":
                with self._connection.connection.cursor() as cursor:
                    data = pack_rows(rows)
                    cursor.copy_expert(_COPY_POSTGRESQL, BytesIO(data), size=1 << 20)
            else:
                cursor = self._connection.connection.cursor()
                cursor.executemany(_INSERT_SQLITE, _texts(rows))
        for row in rows:
            self._advanced[row.shard] = Head(row.position, row.recorded_at)

    def advance_heads(self) -> None:
        """Move the heads to the last rows written."""
        for shard, head in sorted(self._advanced.items()):
            self._connection.execute(
                update(log_heads)
                .where(log_heads.c.shard == shard)
                .values(position=head.position, recorded_at=head.recorded_at_us)
            )

    def save_snapshots(self, made: Sequence[Snapshot]) -> None:
        """Keep folded states; one made before by the same version is replaced."""
        save_snapshots(self._connection, made)

    def put_sealed(self, rows: Sequence[tuple[int, str, str, bytes]]) -> None:
        """Keep sealed personal data: (shard, account_no, field, ciphertext)."""
        names = ("shard", "account_no", "field", "sealed")
        self._connection.execute(
            self._insert(vault), [dict(zip(names, row, strict=True)) for row in rows]
        )


def save_snapshots(connection: Connection, made: Sequence[Snapshot]) -> None:
    """Keep folded states; one of the same version is replaced."""
    insert = INSERT[connection.dialect.name](snapshots)
    statement = insert.on_conflict_do_update(
        index_elements=["shard", "stream_id", "version"],
        set_={"fold_hash": insert.excluded.fold_hash, "state": insert.excluded.state},
    )
    values = [{**snapshot._asdict(), "state": snapshot.state.decode()} for snapshot in made]
    connection.execute(statement, values)


def read_past(
    connection: Connection, shard: int, stream_ids: Sequence[str], fold_hash: str
) -> Past:
    """Newest valid snapshot of each stream and (stream, topic, payload, valid_at) behind it."""
    of_streams = _any_of(connection, snapshots.c.stream_id, stream_ids)
    newest = (
        select(snapshots.c.stream_id, func.max(snapshots.c.version).label("version"))
        .where(snapshots.c.shard == shard, of_streams, snapshots.c.fold_hash == fold_hash)
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
    found = {stream: (version, state.encode()) for stream, version, state in states}
    behind = _any_of(connection, events.c.stream_id, stream_ids)
    if found:
        fresh = [stream for stream in stream_ids if stream not in found]
        behind = or_(
            *([_any_of(connection, events.c.stream_id, fresh)] if fresh else []),
            *(
                and_(events.c.stream_id == stream, events.c.version > version)
                for stream, (version, _) in found.items()
            ),
        )
    rows = connection.execute(
        select(events.c.stream_id, events.c.topic, events.c.payload, events.c.valid_at)
        .where(events.c.shard == shard, behind)
        .order_by(events.c.stream_id, events.c.version)
    )
    return Past(found, ((row[0], row[1], row[2].encode(), row[3]) for row in rows))


def _any_of(connection: Connection, column: Any, values: Sequence[Any]) -> Any:  # noqa: ANN401 - SQL expressions
    """`column = ANY(array)` where one parameter carries them all, else IN."""
    if connection.dialect.name == "postgresql":
        array_type = postgresql.ARRAY(column.type)
        return column == sqlalchemy.any_(sqlalchemy.cast(list(values), array_type))
    return column.in_(values)


def _find_claims(
    connection: Connection, keys: Sequence[ClaimKey], shards: int
) -> dict[ClaimKey, StoredClaim]:
    homes: dict[tuple[int, str], list[str]] = {}
    for kind, key in keys:
        homes.setdefault((claim_shard(kind, key, shards), kind), []).append(key)
    found: dict[ClaimKey, StoredClaim] = {}
    for (shard, kind), wanted in homes.items():
        for start in range(0, len(wanted), IN_MAX):
            among = _any_of(connection, claims.c.key, wanted[start : start + IN_MAX])
            rows = connection.execute(
                select(claims).where(claims.c.shard == shard, claims.c.kind == kind, among)
            )
            for row in rows:
                answer = row.answer.encode()
                found[kind, row.key] = StoredClaim(row.fingerprint, row.owner, answer)
    return found


def _lock_heads(connection: Connection, shards: Sequence[int]) -> dict[int, Head]:
    """Lock the heads of `shards`; the catalogue's shard 0 is read in any case."""
    statement = select(log_heads).where(log_heads.c.shard.in_(shards)).order_by(log_heads.c.shard)
    rows = list(connection.execute(statement.with_for_update()))
    if 0 not in shards:
        rows += connection.execute(select(log_heads).where(log_heads.c.shard == 0))
    return {row.shard: Head(row.position, row.recorded_at) for row in rows}


def _texts(rows: Sequence[Row]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield (*row[:8], row.metadata.decode(), row.payload.decode(), row.salt, row.leaf_hash)


@contextmanager
def _translated() -> Iterator[None]:
    """Say what a fault of the database means for the ledger."""
    try:
        yield
    except (IntegrityError, psycopg2.IntegrityError, sqlite3.IntegrityError) as error:
        raise ConflictError(str(error)) from error
    except (DBAPIError, psycopg2.Error, sqlite3.Error, sqlalchemy.exc.TimeoutError) as error:
        raise LogUnavailableError(f"The database cannot record now: {error}") from error


def _commit(connection: Connection) -> None:
    """Commit; a connection lost meanwhile leaves the outcome unknown, a refusal does not."""
    try:
        connection.commit()
    except (DBAPIError, psycopg2.Error, sqlite3.Error) as error:
        raise OutcomeUnknownError(f"The connection was lost at COMMIT: {error}") from error
