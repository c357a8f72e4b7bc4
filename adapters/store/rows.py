"""Rows of the log as they come from the database, exactly as they were hashed."""

from typing import Any

from ledger.ports import Row


def to_row(found: Any) -> Row:  # noqa: ANN401 - a database row of all columns
    """The row of the log in a result that selected every column of `events`."""
    return Row(
        shard=found.shard,
        position=found.position,
        stream_id=found.stream_id,
        version=found.version,
        topic=found.topic,
        recorded_at=found.recorded_at,
        valid_at=found.valid_at,
        command_id=found.command_id,
        metadata=found.metadata.encode(),
        payload=found.payload.encode(),
        salt=bytes(found.salt),
        leaf_hash=bytes(found.leaf_hash),
    )
