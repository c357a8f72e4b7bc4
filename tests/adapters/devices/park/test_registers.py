"""What the registers of a simulated meter show and take, beyond the daily poll."""

import socket
import struct
from collections.abc import Iterator

import pytest

from adapters.devices.park import Prepayment
from adapters.devices.park.frames import crc, sealed
from tests.adapters.devices.park.conftest import HandTime, Site

PREPAID_ON, COUNT, TOTAL, BALANCE = 0x0400, 0x0401, 0x0412, 0x0414


@pytest.fixture
def wire(site: Site) -> Iterator[socket.socket]:
    with socket.create_connection((site.gateway.host, site.gateway.port), 2) as line:
        yield line


def ask(wire: socket.socket, frame: bytes) -> bytes:
    """The answer without its CRC, which must be right."""
    wire.sendall(sealed(frame))
    answer = wire.recv(300)
    assert crc(answer[:-2]) == int.from_bytes(answer[-2:], "little")
    return answer[:-2]


def read(wire: socket.socket, address: int, words: int = 1, unit: int = 1) -> list[int]:
    answer = ask(wire, struct.pack(">BBHH", unit, 3, address, words))
    assert answer[1:3] == bytes((3, 2 * words)), answer.hex()
    return list(struct.unpack(f">{words}H", answer[3:]))


def write(wire: socket.socket, function: int, address: int, *words: int, unit: int = 1) -> bytes:
    head = struct.pack(">BBHHB", unit, function, address, len(words), 2 * len(words))
    return ask(wire, head + struct.pack(f">{len(words)}H", *words))


def test_a_purchase_overwrites_the_balance_and_counts_itself(
    site: Site, wire: socket.socket
) -> None:
    site.park["M1"].prepay(Prepayment(is_on=True, credited_minor=500, purchase_count=3))
    assert read(wire, COUNT) == [3]
    assert write(wire, 0x20, COUNT, 4)[1] == 0x20
    assert write(wire, 0x20, TOTAL, 0, 9_000, 0, 7_500)[1] == 0x20
    assert read(wire, COUNT) == [4]
    assert read(wire, BALANCE, 2) == [0, 7_500]
    assert read(wire, 0x021F, 3) == [0, 7_500, 4]
    assert site.park["M1"].own.total_purchased_minor == 9_000


def test_an_older_purchase_is_refused(site: Site, wire: socket.socket) -> None:
    site.park["M1"].prepay(Prepayment(is_on=True, credited_minor=500, purchase_count=3))
    assert write(wire, 0x20, COUNT, 2) == bytes((1, 0xA0, 3))
    assert read(wire, COUNT) == [3]


def test_its_own_prepayment_shows_in_the_status_words(
    site: Site, wire: socket.socket, time: HandTime
) -> None:
    own = Prepayment(is_on=True, credited_minor=40, prices=(9000, 9000, 9000, 9000))
    site.park["M1"].prepay(own)
    status1, status2 = read(wire, 0x0224, 2)
    assert status1 & 0x20C0 == 0x20C0, "closed, both alarms"
    assert status2 & 0x0900 == 0x0900, "its own prepayment is on and wants the relay closed"
    time.go(hours=72)
    status1, status2 = read(wire, 0x0224, 2)
    assert status1 & 0x2020 == 0x0020, "open, in arrears"
    assert status2 & 0x0900 == 0x0800


def test_a_broadcast_is_obeyed_by_all_and_answered_by_none(site: Site, wire: socket.socket) -> None:
    wire.sendall(sealed(struct.pack(">BBHHBHH", 0, 0x10, 0x0057, 2, 4, 1, 1)))
    assert read(wire, 0x0057, 2) == [1, 1]
    assert not any(meter.is_closed for meter in site.park)


def test_a_gap_inside_a_page_reads_zero(wire: socket.socket) -> None:
    assert read(wire, 0x000E) == [0]


def test_a_read_that_leaves_the_page_is_refused(wire: socket.socket) -> None:
    answer = ask(wire, struct.pack(">BBHH", 1, 3, 0x0220, 0x20))
    assert answer == bytes((1, 0x83, 2))


@pytest.mark.parametrize("words", [0, 126])
def test_no_answer_holds_more_than_a_frame(wire: socket.socket, words: int) -> None:
    assert ask(wire, struct.pack(">BBHH", 1, 3, 0x0200, words)) == bytes((1, 0x83, 3))


def test_a_time_table_is_kept_as_it_was_written(wire: socket.socket) -> None:
    assert write(wire, 0x10, 0x2006, 0x0100, 0x0702)[1] == 0x10
    assert read(wire, 0x2006, 3) == [0x0100, 0x0702, 0]


def test_a_wrong_clock_shows(site: Site, wire: socket.socket) -> None:
    site.park["M1"].clock_skew_us = -90_000_000
    assert read(wire, 0x022A, 2) == [11 << 8 | 58, 30 << 8]


def test_the_phases_of_a_three_phase_meter_share_the_load(site: Site, wire: socket.socket) -> None:
    block = read(wire, 0x0201, 10, unit=2)
    watts = site.park["M2"].glance().watts
    assert block[9] == watts
    assert block[6] == block[7] == block[8] == watts // 3
    assert all(2_200 < volts <= 2_300 for volts in block[:3])
    apparent = block[0] * block[3] // 1000
    assert abs(apparent * 95 // 100 - watts // 3) <= watts // 30 + 3


def test_each_model_says_what_it_is(wire: socket.socket) -> None:
    assert [read(wire, 0x0200, unit=unit) for unit in (1, 2, 3)] == [[7], [5], [10]]
