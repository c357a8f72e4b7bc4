"""One write transaction on the log, under the lock of its shards' heads."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, insert, select

from adapters.store.claims import find_claims, release_claims, take_claims
from adapters.store.eras import events_of
from adapters.store.heads import move_heads
from adapters.store.log_faults import translated
from adapters.store.past import facts_between, newest_versions, read_past, save_snapshots
from adapters.store.tables import events, vault
from ledger.ports import Claim, ClaimKey, Head, Past, Row, Snapshot, Span, StoredClaim

CHANGED_MAX: Final = 20_000
"""More foreign events than this: forgetting everything is cheaper than listing."""

_SEALED: Final = ("shard", "account_no", "field", "sealed")


class SqlLogWriter(ABC):
    """Reads and writes of one transaction; faults are told in the words of the ledger."""

    def __init__(self, connection: Connection, shards: int, heads: dict[int, Head]) -> None:
        self.heads = heads
        self.last_row: Row | None = None
        self._shared = connection
        self._shards = shards
        self.advanced: dict[int, Head] = {}
        """The heads behind what was written."""

    @translated()
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

    @translated()
    def find_claims(self, keys: Sequence[ClaimKey]) -> dict[ClaimKey, StoredClaim]:
        """The claims that stand."""
        return find_claims(self._connection, keys, self._shards)

    @translated()
    def take_claims(self, taken: Sequence[tuple[Claim, bytes]]) -> bool:
        """Take claims with their answers; False when another transaction was first."""
        return take_claims(self._locked, taken, self._shards)

    @translated()
    def release_claims(self, keys: Sequence[ClaimKey]) -> None:
        """Give up claims, so that the keys may be claimed again."""
        release_claims(self._locked, keys, self._shards)

    @translated()
    def past(self, shard: int, stream_ids: Sequence[str], fold_hash: str) -> Past:
        """Newest snapshots of streams, and the events behind them in order of version."""
        return read_past(self._connection, shard, stream_ids, fold_hash)

    @translated()
    def shards_of(self, stream_id: str) -> list[int]:
        """Shards in which a stream of this id has begun: a meter may have counted in several."""
        first = events_of(self._connection, range(self._shards), [stream_id], high=1)
        return list(self._connection.scalars(select(first.c.shard)))

    @translated()
    def newest_versions(self, shard: int, stream_ids: Sequence[str]) -> dict[str, int]:
        """Last version of each stream; one without events is left out."""
        return newest_versions(self._connection, shard, stream_ids)

    @translated()
    def facts_between(
        self, shard: int, spans: Sequence[Span]
    ) -> list[tuple[int, int, int, str, bytes]]:
        """(index of the span, version, valid_at, topic, payload) of each fact within a span."""
        return facts_between(self._connection, shard, spans)

    @translated()
    def hand_over(self, rows: Sequence[Row]) -> None:
        """Take events while more are decided; what is wrong with them is told later."""
        self._note(rows)
        self._take(rows)

    @translated()
    def append(self, rows: Sequence[Row]) -> None:
        """Write these events and what was handed over.

        Raises `ConflictError` when a version or position is taken.
        """
        if rows:
            self._note(rows)
        self._write(rows)

    @abstractmethod
    def _take(self, rows: Sequence[Row]) -> None:
        """Write or keep events that others will follow."""

    @abstractmethod
    def _write(self, rows: Sequence[Row]) -> None:
        """Have everything written that was taken, and these; there may be none."""

    @abstractmethod
    def abandon(self) -> None:
        """Break off what is under way; the transaction is rolled back."""

    @property
    def _connection(self) -> Connection:
        """The connection, free for a statement that reads."""
        return self._shared

    @property
    def _locked(self) -> Connection:
        """The connection, free for a statement that writes."""
        return self._connection

    def _note(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self.advanced[row[0]] = Head(row[1], row[5])
        self.last_row = rows[-1]

    @translated()
    def advance_heads(self) -> None:
        """Move the heads to the last rows written."""
        move_heads(self._locked, self.advanced)

    @translated()
    def save_snapshots(self, made: Sequence[Snapshot]) -> None:
        """Keep folded states; one made before by the same version is replaced."""
        save_snapshots(self._locked, made)

    @translated()
    def put_sealed(self, rows: Sequence[tuple[int, str, str, bytes]]) -> None:
        """Keep sealed personal data: (shard, account_no, field, ciphertext)."""
        values = [dict(zip(_SEALED, row, strict=True)) for row in rows]
        self._locked.execute(insert(vault), values)
