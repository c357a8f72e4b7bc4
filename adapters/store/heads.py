"""The heads of the log: whoever writes to a shard holds its row until the transaction ends."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection

from adapters.store.statements import Statement
from ledger.ports import Head

_LOCK: Final = Statement(
    postgresql="""SELECT shard, position, recorded_at FROM log_heads WHERE shard = ANY (
ARRAY(SELECT json_array_elements_text(%(shards)s)::integer)) ORDER BY shard FOR UPDATE""",
    sqlite="""SELECT shard, position, recorded_at FROM log_heads
WHERE shard IN (SELECT value FROM json_each(:shards)) ORDER BY shard""",
)
_READ: Final = Statement(
    postgresql="SELECT shard, position, recorded_at FROM log_heads WHERE shard = %(shard)s",
    sqlite="SELECT shard, position, recorded_at FROM log_heads WHERE shard = :shard",
)
_MOVE: Final = Statement(
    postgresql="""UPDATE log_heads SET position = %(position)s, recorded_at = %(recorded_at)s
WHERE shard = %(shard)s""",
    sqlite="""UPDATE log_heads SET position = :position, recorded_at = :recorded_at
WHERE shard = :shard""",
)


def lock_heads(connection: Connection, shards: Collection[int]) -> dict[int, Head]:
    """Lock the heads of `shards`; the catalogue's shard 0 is read in any case."""
    rows = [*_LOCK.rows(connection, shards=list(shards))]
    if 0 not in shards:
        rows += _READ.rows(connection, shard=0)
    return {shard: Head(position, at_us) for shard, position, at_us in rows}


def move_heads(connection: Connection, heads: Mapping[int, Head]) -> None:
    """Let the log end here."""
    for shard, head in sorted(heads.items()):
        _MOVE.run(connection, shard=shard, position=head.position, recorded_at=head.recorded_at_us)
