"""Only the frame that answers what was asked is taken from a line."""

from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
)

from adapters.devices.exact_framer import ExactFramer, crc16, sealed


def framer() -> ExactFramer:
    return ExactFramer(DecodePDU(is_server=False))


def asked(count: int, unit: int = 5) -> ExactFramer:
    made = framer()
    made.buildFrame(ReadHoldingRegistersRequest(address=0x200, count=count, dev_id=unit))
    return made


def reply(*words: int, unit: int = 5) -> bytes:
    body = b"".join(word.to_bytes(2, "big") for word in words)
    return sealed(bytes((unit, 3, len(body))) + body)


def taken(made: ExactFramer, data: bytes) -> ModbusPDU | None:
    return made.handleFrame(data, 5, 0)[1]


@given(st.binary(min_size=1, max_size=260))
def test_the_checksum_is_that_of_modbus(frame: bytes) -> None:
    assert crc16(frame).to_bytes(2, "little") == FramerRTU.compute_CRC(frame).to_bytes(2, "big")


def test_a_trip_of_unit_5_looks_on_the_line_as_the_papers_have_it() -> None:
    trip = WriteMultipleRegistersRequest(address=0x57, registers=[1, 1], dev_id=5)
    assert framer().buildFrame(trip).hex(" ") == "05 10 00 57 00 02 04 00 01 00 01 32 45"


def test_the_awaited_answer_is_taken() -> None:
    answer = taken(asked(2), reply(7, 0xFFFE))
    assert answer is not None
    assert list(answer.registers) == [7, 0xFFFE]


@given(st.integers(0, 8))
def test_an_answer_in_two_pieces_is_taken_when_it_is_whole(cut: int) -> None:
    made, whole = asked(2), reply(7, 8)
    assert taken(made, whole[:cut]) is None
    answer = taken(made, whole)
    assert answer is not None
    assert list(answer.registers) == [7, 8]


def test_a_late_reply_of_another_length_is_skipped_for_the_answer_behind_it() -> None:
    answer = taken(asked(2), reply(1, 2, 3) + reply(7, 8))
    assert answer is not None
    assert list(answer.registers) == [7, 8]


def test_the_reply_of_another_unit_is_none() -> None:
    assert taken(asked(2), reply(7, 8, unit=6)) is None


def test_a_read_is_not_answered_by_the_echo_of_a_write() -> None:
    assert taken(asked(2), sealed(bytes.fromhex("051000570002"))) is None


def test_a_write_is_answered_by_the_echo_of_its_own_place_only() -> None:
    made = framer()
    made.buildFrame(WriteMultipleRegistersRequest(address=0x57, registers=[1, 1], dev_id=5))
    assert taken(made, sealed(bytes.fromhex("051000580002"))) is None
    answer = taken(made, sealed(bytes.fromhex("051000570002")))
    assert answer is not None
    assert (answer.address, answer.count) == (0x57, 2)


def test_an_exception_is_the_answer_to_its_own_function() -> None:
    assert taken(asked(2), sealed(bytes.fromhex("059002"))) is None
    answer = taken(asked(2), sealed(bytes.fromhex("058302")))
    assert isinstance(answer, ExceptionResponse)
    assert answer.exception_code == 2


@given(
    st.lists(st.integers(0, 0xFFFF), min_size=2, max_size=2),
    st.integers(0, 8 * 9 - 1),
)
def test_an_answer_with_one_flipped_bit_is_no_answer(words: list[int], bit: int) -> None:
    flipped = bytearray(reply(*words))
    flipped[bit // 8] ^= 1 << bit % 8
    assert taken(asked(2), bytes(flipped)) is None


@given(st.binary(max_size=40))
def test_what_comes_before_anything_was_asked_is_thrown_away(noise: bytes) -> None:
    assert framer().handleFrame(noise, 0, 0) == (len(noise), None)


@given(st.binary(max_size=40))
def test_noise_before_the_answer_does_not_hide_it(noise: bytes) -> None:
    answer = taken(asked(2), noise + reply(7, 8))
    assert answer is not None
    assert list(answer.registers) == [7, 8]
