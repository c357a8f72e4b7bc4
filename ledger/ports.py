"""What the ledger needs from outside: a durable log and the time. One capability each."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class Row(NamedTuple):
    """One row of the log, exactly as hashed."""

    shard: int
    position: int
    stream_id: str
    version: int
    topic: str
    recorded_at: int
    valid_at: int
    command_id: str | None
    metadata: bytes
    payload: bytes
    salt: bytes
    leaf_hash: bytes


class Head(NamedTuple):
    """The end of a shard's log: last position (0 when empty) and its time in UTC microseconds."""

    position: int
    recorded_at_us: int


class Claim(NamedTuple):
    """What must be unique in the ledger; `fingerprint` tells a repeat from a contradiction."""

    kind: str
    key: str
    fingerprint: str
    owner: str


class StoredClaim(NamedTuple):
    """A claim as it was taken, with the answer that was given then (empty when none was)."""

    fingerprint: str
    owner: str
    answer: bytes


class Snapshot(NamedTuple):
    """A folded state at a version, valid for one fold hash; a cache, deletable at any time."""

    shard: int
    stream_id: str
    version: int
    fold_hash: str
    state: bytes


ClaimKey = tuple[str, str]
Span = tuple[str, int, int]
"""A stream, and a first and a last version of it."""


class LogUnavailableError(Exception):
    """The log cannot be reached or cannot grow (disk full); nothing of the request was recorded."""


class OutcomeUnknownError(LogUnavailableError):
    """The answer to COMMIT was lost and cannot be asked for now: ask again with the same key."""


class ConflictError(Exception):
    """Another writer took a version or position first; everything of the transaction is undone."""


class LogWriter(Protocol):
    """One write transaction; the heads of its shards are locked until it ends."""

    heads: dict[int, Head]

    def streams_changed(self, shard: int, after_position: int) -> set[str] | None:
        """Streams written behind a position; None when there are too many to name."""

    def find_claims(self, keys: Sequence[ClaimKey]) -> dict[ClaimKey, StoredClaim]:
        """The claims that stand."""

    def take_claims(self, claims: Sequence[tuple[Claim, bytes]]) -> bool:
        """Take claims with their answers; False when another transaction was first."""

    def release_claims(self, keys: Sequence[ClaimKey]) -> None:
        """Give up claims, so that the keys may be claimed again."""

    def past(self, shard: int, stream_ids: Sequence[str], fold_hash: str) -> "Past":
        """Snapshots and the events behind them."""

    def shards_of(self, stream_id: str) -> list[int]:
        """Shards in which a stream of this id has begun: a meter may have counted in several."""

    def newest_versions(self, shard: int, stream_ids: Sequence[str]) -> dict[str, int]:
        """Last version of each stream; one without events is left out."""

    def facts_between(
        self, shard: int, spans: Sequence[Span]
    ) -> Iterable[tuple[int, int, int, str, bytes]]:
        """(index of the span, version, valid_at, topic, payload) of each fact within a span."""

    def hand_over(self, rows: Sequence[Row]) -> None:
        """Begin to write events while more are decided; their faults are told by `append`."""

    def append(self, rows: Sequence[Row]) -> None:
        """Write events; raises `ConflictError` when a version or position is taken."""

    def save_snapshots(self, snapshots: Sequence[Snapshot]) -> None:
        """Keep folded states."""

    def put_sealed(self, rows: Sequence[tuple[int, str, str, bytes]]) -> None:
        """Keep sealed personal data: (shard, account_no, field, ciphertext)."""


class Past(NamedTuple):
    """Newest snapshot of each stream, and (stream, topic, payload, valid_at) of later events."""

    snapshots: dict[str, tuple[int, bytes]]
    events: Iterable[tuple[str, str, bytes, int]]


class Vault(Protocol):
    """Personal data, sealed under a key of each customer."""

    def seal(
        self, shard: int, account_no: str, personal: dict[str, str]
    ) -> tuple[dict[str, str], list[tuple[int, str, str, bytes]]]:
        """Commitments for the event, and sealed rows to be written with it."""

    def unseal(self, shard: int, account_no: str) -> dict[str, str]:
        """The personal data of an account; empty where there is none or it was erased."""

    def unseal_all(self, owners: Sequence[tuple[int, str]]) -> dict[str, dict[str, str]]:
        """The same of several by shard and number, read at once; who has none is left out."""


class Log(Protocol):
    """The event log of one ledger."""

    shards: int

    def write(self, shards: Sequence[int]) -> AbstractContextManager[LogWriter]:
        """Begin a write; leaving the block commits, and finds out about a COMMIT that was lost.

        Raises `ConflictError` when nothing was written and the same again will do,
        `OutcomeUnknownError` when it cannot be found out.
        """

    def event(self, shard: int, position: int) -> tuple[str, bytes] | None:
        """Topic and payload at a position."""

    def owners(self, keys: Sequence[ClaimKey]) -> dict[ClaimKey, str]:
        """Who owns which claim."""
