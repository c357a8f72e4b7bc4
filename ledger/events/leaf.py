"""The leaf of the proof log: what an auditor hashes again, byte for byte (docs/events.md)."""

from hashlib import sha256

ABSENT = "-"


def leaf_entry(  # noqa: PLR0913, PLR0917 - the entry names all of them, in this order
    shard: int,
    position: int,
    stream_id: str,
    version: int,
    topic: str,
    recorded_at_us: int,
    valid_at_us: int,
    command_id: str | None,
    metadata: bytes,
    payload: bytes,
    salt: bytes,
) -> bytes:
    """UTF-8 text that identifies one event; its content enters by a salted digest."""
    content = sha256(salt + metadata + b"\0" + payload).hexdigest()
    return (
        f"wattledger/1\n{shard} {position} {stream_id} {version} {topic}\n"
        f"{recorded_at_us} {valid_at_us} {command_id or ABSENT}\n{content}\n"
    ).encode()


def leaf_hash(entry: bytes) -> bytes:
    """RFC 9162 leaf hash of an entry."""
    return sha256(b"\0" + entry).digest()
