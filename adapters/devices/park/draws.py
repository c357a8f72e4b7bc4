"""Chance that is the same on every machine: a draw is a hash of the seed and of what it is for."""

from hashlib import blake2s


def draw(below: int, *what: object) -> int:
    """An integer from 0 to `below` - 1, always the same one for the same `what`."""
    digest = blake2s("/".join(map(str, what)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) * below >> 64
