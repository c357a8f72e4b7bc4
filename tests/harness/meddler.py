"""Somebody on the line between a master and a gateway who breaks answers in every way there is."""

import socket
import socketserver
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from adapters.devices.park.frames import sealed

READ_BYTES: Final = 8
WRITE_HEAD_BYTES: Final = 7
READ: Final = 0x03
WRITE: Final = 0x10
UPSTREAM_S: Final = 2.0


class Reset(NamedTuple):
    """The connection breaks here, without a goodbye."""


RESET: Final = Reset()
Piece = bytes | float | Reset
"""Bytes to send, seconds of quiet, or the end of the connection."""
Trick = Callable[[bytes, Callable[[], bytes]], list[Piece]]
"""What is sent for a request; calling the second hands it to the meter and gives its answer."""


def honest(_request: bytes, ask: Callable[[], bytes]) -> list[Piece]:
    """The answer as it is."""
    return [ask()]


def unheard(_request: bytes, _ask: Callable[[], bytes]) -> list[Piece]:
    """The request never reaches the meter."""
    return []


def lost(_request: bytes, ask: Callable[[], bytes]) -> list[Piece]:
    """The meter does it, and its answer is lost."""
    ask()
    return []


def late(seconds: float) -> Trick:
    """An answer for which nobody waits any more; the meter does it at once."""

    def trick(_request: bytes, ask: Callable[[], bytes]) -> list[Piece]:
        answer = ask()
        return [seconds, answer]

    return trick


def repeated(_request: bytes, ask: Callable[[], bytes]) -> list[Piece]:
    """The answer twice."""
    answer = ask()
    return [answer, 0.02, answer]


def of_another(_request: bytes, ask: Callable[[], bytes]) -> list[Piece]:
    """The meter does it, and the answer bears another's number, with a sound checksum."""
    answer = ask()
    return [sealed(bytes([answer[0] + 1]) + answer[1:-2])]


def wrong_crc(_request: bytes, ask: Callable[[], bytes]) -> list[Piece]:
    """The meter does it; what comes back does not fit its checksum."""
    answer = ask()
    return [answer[:-1] + bytes([answer[-1] ^ 0xFF])]


def half(_request: bytes, ask: Callable[[], bytes]) -> list[Piece]:
    """Half an answer, and no more."""
    answer = ask()
    return [answer[: len(answer) // 2]]


def reset_midway(_request: bytes, ask: Callable[[], bytes]) -> list[Piece]:
    """The connection breaks in the middle of the answer."""
    answer = ask()
    return [answer[: len(answer) // 2], 0.02, RESET]


def reset_before(_request: bytes, _ask: Callable[[], bytes]) -> list[Piece]:
    """The connection breaks before the meter hears of it."""
    return [RESET]


def in_pieces(_request: bytes, ask: Callable[[], bytes]) -> list[Piece]:
    """Byte by byte, each in a segment of its own."""
    return [piece for byte in ask() for piece in (bytes([byte]), 0.0005)]


def with_garbage(_request: bytes, ask: Callable[[], bytes]) -> list[Piece]:
    """Noise before the answer and behind it."""
    return [b"\x00\xff\x03" + ask() + b"\xff\x00\x01"]


def refusing(code: int) -> Trick:
    """The meter says no."""
    return lambda request, _ask: [sealed(bytes([request[0], request[1] | 0x80, code]))]


class Meddler:
    """Listens beside a gateway and hands on; tricks are played on the next requests in turn."""

    def __init__(self, gateway: str) -> None:
        parts = urlsplit(gateway)
        assert parts.hostname is not None
        assert parts.port is not None
        self._behind = (parts.hostname, parts.port)
        self._tricks: dict[int, deque[Trick]] = {READ: deque(), WRITE: deque()}
        self.heard: list[bytes] = []
        """Requests in the order in which they came."""
        meddler = self

        class Handler(socketserver.BaseRequestHandler):
            request: socket.socket

            def handle(self) -> None:
                self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with suppress(OSError):
                    meddler._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"rtu+tcp://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def at_work(self) -> Iterator["Meddler"]:
        """Listen while the block lasts."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def play(self, trick: Trick, times: int = 1, *, on: int = READ) -> None:
        """Do so with the next requests of a function; then be honest again."""
        self._tricks[on].extend([trick] * times)

    def be_honest(self) -> None:
        """Play no more."""
        for tricks in self._tricks.values():
            tricks.clear()

    def _serve(self, master: socket.socket) -> None:
        while request := _whole_request(master):
            self.heard.append(request)
            tricks = self._tricks[request[1]]
            trick = tricks.popleft() if tricks else honest
            for piece in trick(request, partial(self._asked, request)):
                if isinstance(piece, Reset):
                    master.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    master.close()
                    return
                if isinstance(piece, float):
                    time.sleep(piece)
                else:
                    master.sendall(piece)

    def _asked(self, request: bytes) -> bytes:
        """What the meter says to a request; nothing where it is silent."""
        with socket.create_connection(self._behind, UPSTREAM_S) as line:
            line.settimeout(UPSTREAM_S)
            line.sendall(request)
            size = READ_BYTES if request[1] == WRITE else 5 + 2 * int.from_bytes(request[4:6])
            answer = b""
            while len(answer) < size and not _is_exception(answer):
                piece = line.recv(size - len(answer))
                if not piece:
                    return b""
                answer += piece
            return answer


def _is_exception(answer: bytes) -> bool:
    return len(answer) == 5 and bool(answer[1] & 0x80)


def _whole_request(master: socket.socket) -> bytes:
    head = _exactly(master, WRITE_HEAD_BYTES)
    if not head:
        return b""
    more = 2 + head[6] if head[1] == WRITE else READ_BYTES - WRITE_HEAD_BYTES
    return head + _exactly(master, more)


def _exactly(master: socket.socket, size: int) -> bytes:
    heard = b""
    while len(heard) < size:
        piece = master.recv(size - len(heard))
        if not piece:
            return b""
        heard += piece
    return heard
