"""Rules. Pure: no clock, no I/O, not even the event store.

A decision returns the facts that follow from the state, or refuses; `evolve` brings facts into the
state in place (the hot path) and never refuses: history is what it is.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self

import msgspec

from ledger.events import Event


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """The rules say no: a stable `code` for programs, a full sentence for the person who asked."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Aggregate(msgspec.Struct, gc=False):
    """State folded from a stream; `version` is that of its last event, 0 before the first."""

    KIND: ClassVar[str]
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]]

    shard: int
    stream_id: str
    version: int = 0
    valid_through_us: int = 0
    """The latest time at which any fact so far was valid."""

    def evolve(self, event: Event, valid_at_us: int) -> None:
        """Bring one fact into the state."""
        self.EVOLVERS[type(event)](self, event, valid_at_us)
        self.version += 1
        self.valid_through_us = max(self.valid_through_us, valid_at_us)

    def replay(self, past: Iterable[tuple[Event, int]]) -> Self:
        """Fold facts with the times they were valid at."""
        for event, valid_at_us in past:
            self.evolve(event, valid_at_us)
        return self

    def clone(self) -> Self:
        """Independent copy, so that a refused command can be undone."""
        return msgspec.structs.replace(self)
