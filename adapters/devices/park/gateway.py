"""A simulated gateway: a serial bus of meters behind one TCP port, a request at a time."""

import asyncio
from typing import Final, Self

from adapters.devices.park import frames
from adapters.devices.park.meter import SimulatedMeter
from adapters.devices.park.registers import ILLEGAL_VALUE, read, write, write_private

BROADCAST: Final = 0
DEVICE_BUSY: Final = 6
FRAME_GAP_S: Final = 0.2
"""What is not a whole request by then was noise."""
SLOW_ANSWER_S: Final = 1.5
"""A slow meter answers after the usual time-out, when nobody waits for it any more."""


class Gateway:
    """Forwards RTU frames to its bus, transparently: it answers nothing itself."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        baud: int | None = None,
        slow_answer_s: float = SLOW_ANSWER_S,
    ) -> None:
        self.host = host
        self.port = port
        self.baud = baud
        """Bits a second on the line; None answers at once."""
        self.slow_answer_s = slow_answer_s
        self.units: dict[int, SimulatedMeter] = {}
        self.lines: set[Line] = set()
        self.heard = 0
        """Requests that reached the bus."""
        self._free_at_s = 0.0
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """Where a master dials: `rtu+tcp://host:port`."""
        return f"rtu+tcp://{self.host}:{self.port}"

    @property
    def is_up(self) -> bool:
        """Whether it can be reached."""
        return self._server is not None

    def connect(self, meter: SimulatedMeter) -> Self:
        """Wire a meter to the bus under its unit id."""
        if meter.unit in self.units:
            raise ValueError(f"two meters of {self.address} have the unit id {meter.unit}")
        self.units[meter.unit] = meter
        return self

    async def up(self) -> None:
        """Listen; a port of 0 is drawn once and kept from then on."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: Line(self), self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Vanish: nobody can connect, and open connections break."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for line in tuple(self.lines):
                line.abort()
            await server.wait_closed()

    def serve(self, request: frames.Request, line: "Line") -> None:
        """Let the bus do a request, when it is free, and answer on the line it came from."""
        self.heard += 1
        answer = self._answered(request)
        delay_s = self._wire_s(frames.READ_BYTES + len(answer or b""))
        meter = self.units.get(request.unit)
        if meter is not None and answer is not None and meter.shows("slow"):
            delay_s += self.slow_answer_s
        if answer is None:
            return
        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, line.say, answer)
        else:
            line.say(answer)

    def _answered(self, request: frames.Request) -> bytes | None:
        """What the meters do with a request; None where nobody answers."""
        if request.unit == BROADCAST:
            for each in self.units.values():
                _do(each, request)
            return None
        meter = self.units.get(request.unit)
        if meter is None or meter.shows("silent"):
            return None
        if meter.shows("busy"):
            return frames.exception_answer(request, DEVICE_BUSY)
        answer = _do(meter, request)
        if request.function != frames.READ and meter.shows("write_unanswered"):
            return None
        return _flipped(answer, self.heard) if meter.shows("bit_flip") else answer

    def _wire_s(self, bytes_on_line: int) -> float:
        """Seconds until a request is through, with those before it."""
        if self.baud is None:
            return 0.0
        now_s = asyncio.get_running_loop().time()
        busy_s = bytes_on_line * frames.BITS_PER_BYTE / self.baud
        self._free_at_s = max(now_s, self._free_at_s) + busy_s
        return self._free_at_s - now_s


class Line(asyncio.Protocol):
    """One connection to a gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._heard = bytearray()
        self._gap: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A master has dialled."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP gives no other
        self._transport = transport
        self._gateway.lines.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """The master is gone, or the gateway is."""
        self._transport = None
        self._gateway.lines.discard(self)
        if self._gap is not None:
            self._gap.cancel()

    def data_received(self, data: bytes) -> None:
        """Bytes came; serve the whole requests among them, one after the other."""
        if self._gap is not None:
            self._gap.cancel()
            self._gap = None
        self._heard += data
        while isinstance(request := frames.next_request(self._heard), frames.Request):
            self._gateway.serve(request, self)
        if self._heard:
            self._gap = asyncio.get_running_loop().call_later(FRAME_GAP_S, self._heard.clear)

    def say(self, answer: bytes) -> None:
        """Send an answer, if anybody is still there."""
        if self._transport is not None:
            self._transport.write(answer)

    def abort(self) -> None:
        """Break the connection."""
        if self._transport is not None:
            self._transport.abort()


def _do(meter: SimulatedMeter, request: frames.Request) -> bytes:
    if request.function not in frames.FUNCTIONS:
        return frames.exception_answer(request, frames.ILLEGAL_FUNCTION)
    if request.function == frames.READ:
        if not 1 <= request.words <= frames.READ_WORDS_MAX:
            return frames.exception_answer(request, ILLEGAL_VALUE)
        shown = read(meter, request.address, request.words)
        if isinstance(shown, int):
            return frames.exception_answer(request, shown)
        return frames.words_answer(request, shown)
    if request.words != len(request.data):
        return frames.exception_answer(request, ILLEGAL_VALUE)
    written = write if request.function == frames.WRITE else write_private
    code = written(meter, request.address, request.data)
    return frames.exception_answer(request, code) if code else frames.write_answer(request)


def _flipped(answer: bytes, chance: int) -> bytes:
    """The answer with one bit the other way round, its CRC unchanged."""
    bit = chance * 7919 % (8 * len(answer))
    flipped = bytearray(answer)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)
