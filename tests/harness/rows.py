"""Rows that any log would take."""

from ledger.ports import Row
from tests.harness.soundness import leaf_of

STREAM = "5d6bb4a4-8a51-5c0e-9a53-1f0c9a1d7a10"


def a_row(position: int, version: int, shard: int = 0) -> Row:
    """A fact that any log would take at this place."""
    row = Row(
        shard=shard,
        position=position,
        stream_id=STREAM,
        version=version,
        topic="account.group_assigned.v1",
        recorded_at=1_800_000_000_000_000 + position,
        valid_at=-1,
        command_id=None,
        metadata=b"{}",
        payload=b"{}",
        salt=bytes(16),
        leaf_hash=b"",
    )
    return row._replace(leaf_hash=leaf_of(row))
