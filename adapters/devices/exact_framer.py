"""Modbus RTU frames (address, function, data, CRC), taken only where they answer what was asked.

RTU knows no number of a request: a meter's late reply looks like the answer to whatever is asked
next. This framer knows the shape of the one answer that is awaited, and skips everything else.
"""

import struct
from array import array
from typing import Final

from pymodbus.exceptions import NotImplementedException
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
)

READ: Final = ReadHoldingRegistersRequest.function_code
WRITE: Final = WriteMultipleRegistersRequest.function_code
EXCEPTION: Final = 0x80
EXCEPTION_BYTES: Final = 5
WRITTEN_BYTES: Final = 8
HEADER_BYTES: Final = 3
CRC_BYTES: Final = 2
_POLYNOMIAL: Final = 0xA001
_START: Final = 0xFFFF


def _table_of_bytes() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return table


_BYTES: Final = _table_of_bytes()
_WORDS: Final = array(
    "H",
    (
        _BYTES[(_BYTES[low] ^ high) & 0xFF] ^ _BYTES[low] >> 8
        for high in range(256)
        for low in range(256)
    ),
)
"""What two bytes at once do to a CRC: half the steps, and the steps are most of a frame's cost."""


def crc16(frame: bytes) -> int:
    """The CRC of Modbus RTU; it is sent low byte first."""
    crc = _START
    for (word,) in struct.iter_unpack("<H", frame[: len(frame) & ~1]):
        crc = _WORDS[crc ^ word]
    if len(frame) & 1:
        crc = crc >> 8 ^ _BYTES[(crc ^ frame[-1]) & 0xFF]
    return crc


def sealed(frame: bytes) -> bytes:
    """A frame with its CRC."""
    return frame + crc16(frame).to_bytes(CRC_BYTES, "little")


class ExactFramer(FramerRTU):
    """Builds a request, remembers the beginning and length of its answer, takes that alone."""

    pieces = 0
    """Pieces that arrived since the connection was made, wanted or not."""
    _head = b""
    _bytes = 0

    def buildFrame(self, message: ModbusPDU) -> bytes:  # noqa: N802 - the library's name
        """A request as it goes on the line."""
        body = bytes((message.dev_id, message.function_code)) + message.encode()
        if message.function_code == READ:
            self._head = bytes((message.dev_id, READ, 2 * message.count))
            self._bytes = HEADER_BYTES + 2 * message.count + CRC_BYTES
        elif message.function_code == WRITE:
            self._head = body[: WRITTEN_BYTES - CRC_BYTES]
            self._bytes = WRITTEN_BYTES
        else:
            raise NotImplementedException(f"function {message.function_code}")
        return sealed(body)

    def handleFrame(  # noqa: N802 - the library's name
        self,
        data: bytes,
        exp_devid: int,  # noqa: ARG002 - the head of the awaited answer says more
        exp_tid: int,  # noqa: ARG002 - RTU has none
    ) -> tuple[int, ModbusPDU | None]:
        """Look for the awaited answer in all that came since the request."""
        self.pieces += 1
        if not self._head:  # Gateways that introduce themselves speak before they are asked.
            return len(data), None
        frame = _found(data, self._head, self._bytes)
        if frame:
            return len(data), _answer(frame)
        unit, function = self._head[:2]
        frame = _found(data, bytes((unit, function | EXCEPTION)), EXCEPTION_BYTES)
        if frame:
            return len(data), ExceptionResponse(function, frame[2], device_id=unit)
        return 0, None


def _found(data: bytes, head: bytes, size: int) -> bytes:
    """The first whole frame that begins so and whose CRC is right; none where there is none."""
    at = data.find(head)
    while at >= 0 and at + size <= len(data):
        if crc16(data[at : at + size - CRC_BYTES]) == int.from_bytes(
            data[at + size - CRC_BYTES : at + size], "little"
        ):
            return data[at : at + size]
        at = data.find(head, at + 1)
    return b""


def _answer(frame: bytes) -> ModbusPDU:
    unit, function, size = frame[:HEADER_BYTES]
    if function == READ:
        words = struct.unpack_from(f">{size // 2}H", frame, HEADER_BYTES)
        return ReadHoldingRegistersResponse(dev_id=unit, registers=words)
    address, count = struct.unpack_from(">HH", frame, HEADER_BYTES - 1)
    return WriteMultipleRegistersResponse(dev_id=unit, address=address, count=count)
