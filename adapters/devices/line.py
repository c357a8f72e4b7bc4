"""The line to one gateway: one request at a time, each with its own answer or none."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusIOException
from pymodbus.framer import FramerType
from pymodbus.pdu import DecodePDU, ModbusPDU

from adapters.devices.exact_framer import ExactFramer
from ledger.devices import Garbled, NoAnswer, Offline, Ok, Refused

SCHEME: Final = "rtu+tcp"
REFUSALS: Final = {
    1: "function_unknown",
    2: "address_unknown",
    3: "value_refused",
    4: "device_failure",
    5: "acknowledged_later",
    6: "busy",
    8: "memory_parity",
    10: "gateway_path_unavailable",
    11: "gateway_target_silent",
}
"""Exception codes of Modbus in words."""
SILENT_MAX: Final = 3
"""So many unanswered requests in a row, and the connection is taken for dead and made anew."""
NEVER: Final = 1 << 30
"""Silences after which the library would close by itself: it is done here."""

# What goes wrong on a line is an outcome, told once by whoever asked.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

Failure = Refused | NoAnswer | Garbled | Offline
Words = list[int]


class Timing(NamedTuple):
    """How long is waited on a line, in seconds."""

    connect_s: float = 3.0
    answer_s: float = 1.0
    guard_s: float = 0.15
    """Quiet after a time-out before anything else is asked."""
    guard_rounds: int = 4
    """So often the quiet begins again when a late reply came into it."""
    reconnect_first_s: float = 0.25
    reconnect_max_s: float = 5.0


class BrokenError(Exception):
    """The connection was lost while an answer was awaited."""


def parse_gateway(gateway: str) -> tuple[str, int]:
    """Host and port of `rtu+tcp://host:port`; raises ValueError for anything else."""
    parts = urlsplit(gateway)
    if parts.scheme != SCHEME or not parts.hostname or not parts.port or parts.path:
        raise ValueError(f"a gateway such as {SCHEME}://10.0.0.5:4001 is needed, not {gateway!r}")
    return parts.hostname, parts.port


class Line:
    """Modbus RTU over TCP to one gateway; whoever uses it asks one thing at a time.

    An unanswered request is followed by a time of quiet, in which late replies are thrown away;
    after that the framer's exact shape is what keeps a still later one apart.
    """

    def __init__(self, gateway: str, timing: Timing | None = None) -> None:
        self.gateway = gateway
        self._address = parse_gateway(gateway)
        self._timing = timing or Timing()
        self._client: AsyncModbusTcpClient | None = None
        self._framer = ExactFramer(DecodePDU(is_server=False))
        self._silent = 0
        self._has_answered = False
        self._pause_s = 0.0
        self._retry_at_s = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether the gateway was reached and has not hung up since."""
        return self._client is not None and self._client.connected

    async def read(self, unit: int, address: int, count: int) -> Words | Failure:
        """Holding registers (function 03)."""
        try:
            answer = await self._ask(
                lambda client: client.read_holding_registers(address, count=count, device_id=unit)
            )
        except BrokenError as error:
            return Offline(str(error))
        return list(answer.registers) if isinstance(answer, ModbusPDU) else answer

    async def write(self, unit: int, address: int, words: Sequence[int]) -> Ok | Failure:
        """Set registers (function 10h), once; unanswered, the meter may have obeyed or not."""
        try:
            answer = await self._ask(
                lambda client: client.write_registers(address, words, device_id=unit)
            )
        except BrokenError:
            return NoAnswer()
        return Ok() if isinstance(answer, ModbusPDU) else answer

    def close(self) -> None:
        """Hang up; the next request connects again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _ask(
        self, request: Callable[[AsyncModbusTcpClient], Awaitable[ModbusPDU]]
    ) -> ModbusPDU | Failure:
        client = self._client
        if client is None or not client.connected:
            connected = await self._connect()
            if isinstance(connected, Offline):
                return connected
            client = connected
        heard = self._framer.pieces
        try:
            answer = await request(client)
        except ModbusIOException:
            return await self._unanswered(heard)
        except ConnectionException as error:
            return Offline(str(error))
        self._silent, self._pause_s, self._has_answered = 0, 0.0, True
        if answer.isError():
            code = answer.exception_code
            return Refused(REFUSALS.get(code, f"exception_{code}"))
        return answer

    async def _connect(self) -> AsyncModbusTcpClient | Offline:
        """Reach the gateway; after a failure not before a pause that doubles up to its bound."""
        self.close()
        timing = self._timing
        if asyncio.get_running_loop().time() < self._retry_at_s:
            return Offline("the gateway was not reached a moment ago")
        host, port = self._address
        client = AsyncModbusTcpClient(
            host,
            port=port,
            framer=FramerType.RTU,
            retries=0,  # A repeated write is a second order.
            reconnect_delay=0,
            timeout=timing.connect_s,
            trace_connect=self._on_connection,
        )
        self._framer = ExactFramer(DecodePDU(is_server=False))
        client.ctx.framer = self._framer
        client.set_max_no_responses(NEVER)
        if not await client.connect():
            self._pause()
            return Offline("the gateway cannot be reached")
        client.ctx.comm_params.timeout_connect = timing.answer_s
        self._client, self._silent, self._has_answered = client, 0, False
        return client

    def _pause(self) -> None:
        timing = self._timing
        self._pause_s = min(
            max(2 * self._pause_s, timing.reconnect_first_s), timing.reconnect_max_s
        )
        self._retry_at_s = asyncio.get_running_loop().time() + self._pause_s

    def _on_connection(self, is_up: bool) -> None:  # noqa: FBT001 - the library's own
        """A lost connection ends the wait for its answer, which would else last its whole time."""
        if is_up or self._client is None:
            return
        if not self._has_answered:  # Such as a gateway that has room for one master only.
            self._pause()
        awaited = self._client.ctx.response_future
        if not awaited.done():
            awaited.set_exception(BrokenError("the gateway hung up"))
            awaited.exception()  # Seen, whether or not somebody waits.

    async def _unanswered(self, heard: int) -> NoAnswer | Garbled:
        """Let the line fall quiet; give up a connection on which nobody answers any more."""
        is_garbled = self._framer.pieces > heard
        self._silent += 1
        if self._silent >= SILENT_MAX:
            self.close()
        for _ in range(self._timing.guard_rounds):
            heard = self._framer.pieces
            await asyncio.sleep(self._timing.guard_s)
            if self._framer.pieces == heard:
                break
        return Garbled("the bytes that came are no answer") if is_garbled else NoAnswer()
