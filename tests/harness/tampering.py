"""What only somebody with the database's own rights can do: events that no command made."""

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection, Engine, insert, select, update

from adapters.store.tables import events, log_heads
from ledger.events.leaf import leaf_entry, leaf_hash

SALT = b"0123456789abcdef"


class Tampered(Protocol):
    """A database and the time of its ledger."""

    @property
    def engine(self) -> Engine:
        """The way into the database."""

    @property
    def clock(self) -> Callable[[], int]:
        """Microseconds since the epoch."""


def smuggle(at: Tampered, shard: int, stream_id: str, topic: str, payload: str) -> int:
    """Append an event with a right leaf behind the log's end; its position."""
    with at.engine.begin() as connection:
        head = connection.execute(
            select(log_heads).where(log_heads.c.shard == shard).with_for_update()
        ).one()
        version = _last_version(connection, shard, stream_id) + 1
        position: int = head.position + 1
        now_us = max(head.recorded_at, at.clock())
        entry = leaf_entry(
            shard, position, stream_id, version, topic, now_us, now_us, None,
            b'{"actor":"nobody"}', payload.encode(), SALT,
        )  # fmt: skip
        connection.execute(
            insert(events).values(
                shard=shard,
                position=position,
                stream_id=stream_id,
                version=version,
                topic=topic,
                recorded_at=now_us,
                valid_at=now_us,
                command_id=None,
                metadata='{"actor":"nobody"}',
                payload=payload,
                salt=SALT,
                leaf_hash=leaf_hash(entry),
            )
        )
        connection.execute(
            update(log_heads)
            .where(log_heads.c.shard == shard)
            .values(position=position, recorded_at=now_us)
        )
    return position


def _last_version(connection: Connection, shard: int, stream_id: str) -> int:
    versions = select(events.c.version).where(
        events.c.shard == shard, events.c.stream_id == stream_id
    )
    return max([0, *map(int, connection.scalars(versions))])
