"""A gateway and its meters on another Modbus stack than ours: frames and CRCs are umodbus's own.

What the wire must be is then not only what our own simulator and our own driver agree on.
"""

import socket
import socketserver
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from umodbus.server.serial import get_server  # type: ignore[import-untyped]
from umodbus.server.serial.rtu import RTUServer  # type: ignore[import-untyped]

from adapters.devices.line import Timing

FORCE_ENABLE, FORCE_OPEN = 0x57, 0x58
MODEL, TOTAL, BALANCE, STATUS1, STATUS2, CLOCK = 0x200, 0x215, 0x21F, 0x224, 0x225, 0x228
RELAY_L1, FORCED_MODE, FORCED_L1 = 1 << 13, 1 << 3, 1 << 0
PREPAID_MODE, PREPAID_L1 = 1 << 11, 1 << 8
READ_REQUEST_BYTES = 8
GATE_S_MAX = 60.0
QUICK = Timing(
    connect_s=1.0, answer_s=0.25, guard_s=0.05, reconnect_first_s=0.05, reconnect_max_s=0.2
)
"""On loopback silence need not last long to be one."""
READ_FUNCTION, WRITE_FUNCTION = 3, 16


@dataclass(slots=True)
class Twin:
    """A DDSY1352 as far as one needs it: energy, relay, force control, a prepayment of its own."""

    registers: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(0x200, 0x230), 0))
    is_prepaid: bool = False
    has_balance: bool = True
    force: tuple[int, int] = (0, 0)
    written: list[tuple[int, int]] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    """Taken from the front: how late each next answer is."""
    gate: threading.Event | None = None
    """Nothing is answered before it is set."""
    lost_answers: int = 0
    """So many answers are lost, after what was asked was done."""
    flipped_answers: int = 0
    is_silent: bool = False
    asked: int = 0

    def __post_init__(self) -> None:
        self.registers[MODEL] = 7
        clock = (26 << 8 | 7, 1 << 8 | 3, 12 << 8, 0)  # 2026-07-01T12:00
        self.registers.update(zip(range(CLOCK, CLOCK + 4), clock, strict=True))
        self.registers[0x22F] = 1

    @property
    def is_closed(self) -> bool:
        """Forced, or as its own prepayment wants it."""
        if self.force[0]:
            return not self.force[1]
        return self.has_balance or not self.is_prepaid

    def show(self, total_wh: int) -> None:
        """Energy on the meter, in its own steps of 10 Wh."""
        self.registers[TOTAL], self.registers[TOTAL + 1] = divmod(total_wh // 10, 1 << 16)

    def read(self, address: int) -> int:
        """One register."""
        is_forced, is_open = self.force
        if address == STATUS1:
            return (
                RELAY_L1 * self.is_closed
                | FORCED_MODE * is_forced
                | FORCED_L1 * (is_forced and not is_open)
            )
        if address == STATUS2:
            return PREPAID_MODE * self.is_prepaid | PREPAID_L1 * self.has_balance
        return self.registers[address]

    def write(self, address: int, value: int) -> None:
        """One of the two words of force control; both come in one request."""
        self.written.append((address, value))
        self.force = (value, self.force[1]) if address == FORCE_ENABLE else (self.force[0], value)


class UmodbusGateway:
    """Listens on a free port of 127.0.0.1; one request after the other, as on a bus."""

    def __init__(self, **twins: Twin) -> None:
        self.units = {int(name.removeprefix("unit_")): twin for name, twin in twins.items()}
        self.served: list[tuple[int, int]] = []
        """Unit and function of each request, in the order of the bus."""
        self.greeting = b""
        """Sent to a master that dials, before anything was asked."""
        self.masters: set[socket.socket] = set()
        self._bus = threading.Lock()
        gateway = self

        class Handler(socketserver.BaseRequestHandler):
            request: socket.socket

            def handle(self) -> None:
                gateway.masters.add(self.request)
                with suppress(OSError):
                    self.request.sendall(gateway.greeting)
                    while request := _frame(self.request):
                        answer = gateway._answer(request)
                        if answer:
                            self.request.sendall(answer)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True

        self._stack = _stack(self.units)
        self._server = Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self.address = f"rtu+tcp://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def heartbeat(self, data: bytes) -> None:
        """Send something to every master that nobody asked for."""
        for master in self.masters:
            master.sendall(data)

    def _answer(self, request: bytes) -> bytes:
        """What goes back on the line; nothing where nobody answers."""
        with self._bus:
            unit, function = request[0], request[1]
            self.served.append((unit, function))
            twin = self.units.get(unit)
            if twin is None or twin.is_silent:
                return b""
            twin.asked += 1
            answer = bytes(self._stack.process(request))
            if twin.gate is not None:
                twin.gate.wait(GATE_S_MAX)
            if twin.delays_s:
                time.sleep(twin.delays_s.pop(0))
            if twin.lost_answers:
                twin.lost_answers -= 1
                return b""
            if twin.flipped_answers:
                twin.flipped_answers -= 1
                answer = answer[:4] + bytes([answer[4] ^ 0x10]) + answer[5:]
            return answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _SerialPort:
    """What umodbus asks of a serial port before it is used; frames come by TCP here."""

    baudrate = 9600


def _stack(units: dict[int, Twin]) -> Any:  # noqa: ANN401 - the library has no types
    stack = get_server(RTUServer, _SerialPort())

    def read(slave_id: int, function_code: int, address: int) -> int:
        return units[slave_id].read(address)

    def write(slave_id: int, function_code: int, address: int, value: int) -> None:
        units[slave_id].write(address, value)

    stack.route(units, [READ_FUNCTION], range(0x200, 0x230))(read)
    stack.route(units, [WRITE_FUNCTION], (FORCE_ENABLE, FORCE_OPEN))(write)
    return stack


def _frame(connection: socket.socket) -> bytes:
    """The next request; nothing when the master has hung up."""
    frame = connection.recv(READ_REQUEST_BYTES, socket.MSG_WAITALL)
    if len(frame) == READ_REQUEST_BYTES and frame[1] == WRITE_FUNCTION:
        frame += connection.recv(frame[6] + 1, socket.MSG_WAITALL)
    return frame
