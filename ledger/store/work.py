"""One command on its way into the log, and what it is answered."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ledger.events import Metadata
from ledger.ports import Claim
from ledger.store.session import Session, Wanted

Body = dict[str, Any]


class Answer(msgspec.Struct, frozen=True):
    """What a command answers; `replayed` when an earlier run of it was the one that counted."""

    body: Body
    replayed: bool = False


class MoreShardsError(Exception):
    """A work must write to shards that are not locked: in its place it is decided again with them.

    What was handed over after it stays behind it, so that readings keep their order.
    """

    def __init__(self, message: str, shards: frozenset[int]) -> None:
        super().__init__(message)
        self.shards = shards


@dataclass(slots=True)
class Work:
    """A decision to be made under the lock of `shards`, the only ones it may write to.

    `wanted` are streams it will ask for, `weight` is about how many events it makes. A bulk work
    keeps no copies for undoing itself: it must not refuse as a whole, and one that breaks makes its
    batch begin anew without it.
    """

    decide: Callable[[Session], Body]
    shards: frozenset[int]
    command_id: str
    metadata: Metadata
    wanted: tuple[Wanted, ...] = ()
    claims: tuple[Claim, ...] = ()
    weight: int = 1
    is_bulk: bool = False
    answer: Future[Answer] = field(default_factory=Future)

    def settle(self, outcome: Answer | Exception) -> None:
        """Tell whoever waits; the first outcome stands."""
        if self.answer.done():
            return
        if isinstance(outcome, Answer):
            self.answer.set_result(outcome)
        else:
            self.answer.set_exception(outcome)
