"""The facts, kept for ever: the contract with the past, with Kafka and with auditors.

A payload is a frozen struct under an explicit topic; what is known about its recording stands apart
in the envelope (`Recorded`).
"""

from typing import ClassVar
from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What happened, in the past tense; `TOPIC` is its name for ever."""

    TOPIC: ClassVar[str]


class Metadata(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Who did it and what led to it: ids and codes, never names of people."""

    actor: str
    cause: str = ""


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event in its envelope; `position` is gapless per shard, times are UTC microseconds."""

    shard: int
    position: int
    stream_id: str
    version: int
    recorded_at_us: int
    valid_at_us: int
    command_id: str | None
    metadata: bytes
    event: Event

    @property
    def originator_id(self) -> UUID:
        """The stream's id, in the event-sourcing library's words."""
        return UUID(self.stream_id)

    @property
    def originator_version(self) -> int:
        """The version, in the event-sourcing library's words."""
        return self.version
