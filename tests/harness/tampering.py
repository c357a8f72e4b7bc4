"""What only somebody with the database's own rights can do: events that no command made."""

from sqlalchemy import Connection, insert, select, update

from adapters.store.tables import events, log_heads
from ledger.events.leaf import leaf_entry, leaf_hash
from tests.harness.desk import Desk

SALT = b"0123456789abcdef"


def smuggle(desk: Desk, shard: int, stream_id: str, topic: str, payload: str) -> int:
    """Append an event with a right leaf behind the log's end; its position."""
    with desk.engine.begin() as connection:
        head = connection.execute(
            select(log_heads).where(log_heads.c.shard == shard).with_for_update()
        ).one()
        version = _last_version(connection, shard, stream_id) + 1
        position: int = head.position + 1
        at = max(head.recorded_at, desk.clock())
        entry = leaf_entry(
            shard, position, stream_id, version, topic, at, at, None,
            b'{"actor":"nobody"}', payload.encode(), SALT,
        )  # fmt: skip
        connection.execute(
            insert(events).values(
                shard=shard,
                position=position,
                stream_id=stream_id,
                version=version,
                topic=topic,
                recorded_at=at,
                valid_at=at,
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
            .values(position=position, recorded_at=at)
        )
    return position


def _last_version(connection: Connection, shard: int, stream_id: str) -> int:
    versions = select(events.c.version).where(
        events.c.shard == shard, events.c.stream_id == stream_id
    )
    return max([0, *map(int, connection.scalars(versions))])
