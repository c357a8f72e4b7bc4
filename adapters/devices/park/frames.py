"""Modbus RTU as a meter hears and speaks it: whole requests out of a stream, answers with a CRC."""

import struct
from typing import Final, NamedTuple

READ: Final = 0x03
WRITE: Final = 0x10
PRIVATE_WRITE: Final = 0x20
FUNCTIONS: Final = frozenset({READ, WRITE, PRIVATE_WRITE})
ILLEGAL_FUNCTION: Final = 1
EXCEPTION: Final = 0x80
READ_BYTES: Final = 8
WRITE_HEAD_BYTES: Final = 7
READ_WORDS_MAX: Final = 125
BITS_PER_BYTE: Final = 11
"""On the line: start bit, eight bits, parity, stop bit."""


class Request(NamedTuple):
    """A request whose CRC is right."""

    unit: int
    function: int
    address: int
    words: int
    data: tuple[int, ...]
    """The words of a write."""


class Incomplete(NamedTuple):
    """More bytes must come."""


class Noise(NamedTuple):
    """Bytes that are no request: a meter hears them and says nothing."""


def next_request(heard: bytearray) -> Request | Incomplete | Noise:
    """Take the first request out of what was heard; noise takes everything with it."""
    length = _length(heard)
    if length is None or len(heard) < length:
        return Incomplete()
    frame = bytes(heard[:length])
    if crc(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
        heard.clear()
        return Noise()
    del heard[:length]
    unit, function = frame[0], frame[1]
    address, words = struct.unpack_from(">HH", frame, 2)
    data: tuple[int, ...] = ()
    if function in {WRITE, PRIVATE_WRITE}:
        data = struct.unpack_from(f">{frame[6] // 2}H", frame, WRITE_HEAD_BYTES)
    return Request(unit, function, address, words, data)


def _length(heard: bytearray) -> int | None:
    """Bytes of the request that begins here; None while its head is not there yet."""
    if len(heard) < WRITE_HEAD_BYTES:
        return None
    if heard[1] in {WRITE, PRIVATE_WRITE}:
        return WRITE_HEAD_BYTES + heard[6] + 2
    return READ_BYTES


def words_answer(request: Request, words: list[int]) -> bytes:
    """The answer to a read."""
    head = bytes((request.unit, request.function, 2 * len(words)))
    return sealed(head + struct.pack(f">{len(words)}H", *words))


def write_answer(request: Request) -> bytes:
    """The answer to a write that was done."""
    return sealed(
        struct.pack(">BBHH", request.unit, request.function, request.address, request.words)
    )


def exception_answer(request: Request, code: int) -> bytes:
    """The answer to what cannot be done."""
    return sealed(bytes((request.unit, request.function | EXCEPTION, code)))


def sealed(frame: bytes) -> bytes:
    """A frame with its CRC, low byte first."""
    return frame + crc(frame).to_bytes(2, "little")


def crc(frame: bytes) -> int:
    """CRC-16 of Modbus: polynomial 0xA001, reflected, from 0xFFFF."""
    value = 0xFFFF
    for byte in frame:
        value = value >> 8 ^ CRC_TABLE[(value ^ byte) & 0xFF]
    return value


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ 0xA001 * (byte & 1)
    return byte


CRC_TABLE: Final = tuple(_crc_of(byte) for byte in range(256))
