"""A TCP relay that fails on demand, between our code and a real database, broker or meter.

`with ChaosProxy(server.port) as proxy:` is reached through `proxy.port`; faults are switched at any
time, also under open connections, and `heal()` ends them all.
"""

import asyncio
import socket
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

CHUNK_BYTES = 65_536
BLACKHOLE_POLL_SECONDS = 0.01
REPLY_SECONDS_MAX = 60
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Faults:
    """What goes wrong now; up is towards the server, down is towards the client."""

    refuse: bool = False  # reset whoever connects
    blackhole: bool = False  # take everything, pass nothing on until healed
    drop_up: bool = False  # requests are lost
    drop_down: bool = False  # requests reach the server, answers are lost
    delay_seconds: float = 0.0  # each chunk, each way
    bytes_per_second: int | None = None  # each way
    cut_after_up_bytes: int | None = None  # once: reset instead of passing on the last of them
    lose_answer_to: bytes | None = None  # once: reset instead of answering what holds these bytes


@dataclass(slots=True)
class Traffic:
    """What came to the proxy, lost or not."""

    accepted: int = 0
    up_bytes: int = 0
    down_bytes: int = 0


@dataclass(slots=True, eq=False)
class _Link:
    """A client and its own connection to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    answer_is_lost: bool = False

    def reset(self) -> None:
        _reset(self.client)
        _reset(self.server)

    def close(self) -> None:
        self.client.close()
        self.server.close()


class ChaosProxy:
    """Listens on a free port of 127.0.0.1 and relays to the server's, as faultily as it is told."""

    def __init__(self, server_port: int) -> None:
        self.faults = Faults()
        self.traffic = Traffic()
        self._server_port = server_port
        self._links: set[_Link] = set()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(REPLY_SECONDS_MAX)

    def route(self, url: str) -> str:
        """The same URL, through this proxy."""
        parts = urlsplit(url)
        user = f"{parts.username}@" if parts.username else ""
        return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{self.port}"))

    def cut(self) -> None:
        """Reset every open connection, now."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(self._cut, done)
        done.wait(REPLY_SECONDS_MAX)

    def mend(self) -> None:
        """Reset every open connection and end all faults: nothing that is on its way gets by."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(self._mend, done)
        done.wait(REPLY_SECONDS_MAX)

    def heal(self) -> None:
        """No more faults; a connection that lost bytes stays as broken as it is."""
        self.faults = Faults()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(REPLY_SECONDS_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._relay, sock=self._socket)
        ready.set()
        await self._stopping.wait()
        server.close()
        self._cut()

    def _cut(self, done: threading.Event | None = None) -> None:
        for link in self._links:
            link.reset()
        if done is not None:
            done.set()

    def _mend(self, done: threading.Event) -> None:
        self._cut()
        self.heal()
        done.set()

    async def _relay(self, requests: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.traffic.accepted += 1
        if self.faults.refuse:
            _reset(client)
            return
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            _reset(client)
            return
        link = _Link(client, server)
        self._links.add(link)
        pumps = {
            asyncio.create_task(self._pump_up(requests, link)),
            asyncio.create_task(self._pump_down(answers, link)),
        }
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        self._links.discard(link)
        link.close()

    async def _pump_up(self, requests: asyncio.StreamReader, link: _Link) -> None:
        while chunk := await _read(requests):
            self.traffic.up_bytes += len(chunk)
            if self._cut_is_due(chunk):
                link.reset()
                return
            if self.faults.lose_answer_to is not None and self.faults.lose_answer_to in chunk:
                self.faults.lose_answer_to = None
                link.answer_is_lost = True
            await self._linger(chunk, link)
            if not self.faults.drop_up:
                await _write(link.server, chunk)

    async def _pump_down(self, answers: asyncio.StreamReader, link: _Link) -> None:
        while chunk := await _read(answers):
            self.traffic.down_bytes += len(chunk)
            if link.answer_is_lost:
                link.reset()
                return
            await self._linger(chunk, link)
            if not self.faults.drop_down:
                await _write(link.client, chunk)

    def _cut_is_due(self, chunk: bytes) -> bool:
        if self.faults.cut_after_up_bytes is None:
            return False
        self.faults.cut_after_up_bytes -= len(chunk)
        if self.faults.cut_after_up_bytes > 0:
            return False
        self.faults.cut_after_up_bytes = None
        return True

    async def _linger(self, chunk: bytes, link: _Link) -> None:
        while self.faults.blackhole and not link.server.is_closing():  # noqa: ASYNC110 - the test's thread switches it
            await asyncio.sleep(BLACKHOLE_POLL_SECONDS)
        seconds = self.faults.delay_seconds
        if self.faults.bytes_per_second is not None:
            seconds += len(chunk) / self.faults.bytes_per_second
        await asyncio.sleep(seconds)


async def _read(stream: asyncio.StreamReader) -> bytes:
    """The next bytes; none when the other side has gone, however it went."""
    try:
        return await stream.read(CHUNK_BYTES)
    except OSError:
        return b""


async def _write(stream: asyncio.StreamWriter, chunk: bytes) -> None:
    if stream.is_closing():
        return
    try:
        stream.write(chunk)
        await stream.drain()
    except OSError:
        stream.close()  # the reading half of this side ends the link


def _reset(stream: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN, as a crashed host or a firewall does."""
    connection = stream.get_extra_info("socket")
    if connection.fileno() != -1:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    stream.transport.abort()
