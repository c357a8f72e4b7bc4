"""Ports of 127.0.0.1 that stay ours while nobody listens on them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


def hold_port() -> socket.socket:
    """A socket that keeps a port from everybody who asks for any; a server may listen on it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # As servers do, so both have it.
    held.bind(("127.0.0.1", 0))
    return held


def port_of(held: socket.socket) -> int:
    """The number of a held port."""
    port: int = held.getsockname()[1]
    return port


@contextmanager
def held_port() -> Iterator[int]:
    """A port that is ours while the block lasts; until somebody listens, callers are refused."""
    with hold_port() as held:
        yield port_of(held)
