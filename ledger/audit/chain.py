"""The chain of a shard (链): positions without a gap, times that never fall, leaves as hashed."""

from collections.abc import Iterator
from typing import NamedTuple

from ledger.events.leaf import leaf_entry, leaf_hash
from ledger.ports import Head, Row


class Finding(NamedTuple):
    """What does not follow: where, by which check, and what was expected."""

    shard: int
    position: int
    stream_id: str
    check: str
    message: str


class Chain:
    """Walks the rows of one shard in order of position."""

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._last = Head(0, 0)

    def check(self, row: Row) -> Iterator[Finding]:
        """Findings of one row."""
        for check, message in self._problems(row):
            yield Finding(row.shard, row.position, row.stream_id, check, message)

    def end(self, head: Head) -> Iterator[Finding]:
        """Findings at the end: the shard's head must be its last row."""
        last = self._last.position
        if last != head.position:
            message = f"the head says {head.position}, the last row is {last}"
            yield Finding(self._shard, last, "", "head", message)

    def _problems(self, row: Row) -> Iterator[tuple[str, str]]:
        last, self._last = self._last, Head(row.position, row.recorded_at)
        if row.position != last.position + 1:
            yield "gap", f"position {last.position + 1} is missing"
        if row.recorded_at < last.recorded_at_us:
            yield "time", "it was recorded before the row in front of it"
        if leaf_hash(leaf_entry(*row[:-1])) != row.leaf_hash:
            yield "leaf", "the row is not what was hashed when it was recorded"
