"""The bus of a simulated gateway, asked by a Modbus master of another make."""

import socket
import time as real_time

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from adapters.devices.park import Park, ParkClock, running, spread
from adapters.devices.park.frames import sealed
from tests.adapters.devices.park.conftest import SLOW_S, TIMEOUT_S, HandTime, Site

SUMMARY, WORDS = 0x0200, 48
FORCE = 0x0057
TRIP, CLOSE, RELEASE = [1, 1], [1, 0], [0, 0]
WAIT_S = 60


def registers(
    master: ModbusTcpClient, unit: int, address: int = SUMMARY, count: int = WORDS
) -> list[int]:
    answer = master.read_holding_registers(address, count=count, device_id=unit)
    assert not answer.isError(), answer
    return list(answer.registers)


def energy(master: ModbusTcpClient, unit: int) -> int:
    high, low = registers(master, unit, 0x0215, 2)
    return high << 16 | low


def test_one_read_gives_everything_that_a_prepaid_poll_needs(
    site: Site, master: ModbusTcpClient
) -> None:
    site.park["M1"].start_at(site.park.clock.now_us(), sharp=1_230, flat=4_560_010)
    block = registers(master, 1)
    assert block[0] == 7
    assert block[0x15] << 16 | block[0x16] == 456_124
    assert block[0x17] << 16 | block[0x18] == 123
    assert block[0x1B] << 16 | block[0x1C] == 456_001
    assert block[0x24] == 0x2000
    assert [block[0x28], block[0x29], block[0x2A]] == [26 << 8 | 9, 28 << 8 | 1, 12 << 8]


def test_energy_grows_with_the_time_of_the_park(
    site: Site, master: ModbusTcpClient, time: HandTime
) -> None:
    before = energy(master, 2)
    time.go(hours=2)
    watts = site.park["M2"].glance().watts
    assert 0 < energy(master, 2) - before < watts * 10


def test_the_two_pages_of_energy_agree(site: Site, master: ModbusTcpClient, time: HandTime) -> None:
    time.go(hours=30)
    assert registers(master, 1, 0x0000, 10) == registers(master, 1, 0x0215, 10)


def test_a_trip_opens_the_relay_and_nothing_is_drawn_any_more(
    site: Site, master: ModbusTcpClient, time: HandTime
) -> None:
    assert not master.write_registers(FORCE, TRIP, device_id=1).isError()
    status = registers(master, 1, 0x0224, 2)[0]
    assert status & 0x2000 == 0
    assert status & 0x0008
    before = energy(master, 1)
    time.go(hours=5)
    assert energy(master, 1) == before
    assert registers(master, 1)[4:11] == [0] * 7
    assert not master.write_registers(FORCE, RELEASE, device_id=1).isError()
    time.go(hours=5)
    assert energy(master, 1) > before


def test_every_phase_of_a_three_phase_meter_opens(master: ModbusTcpClient) -> None:
    assert registers(master, 2, 0x0224, 1)[0] & 0xE000 == 0xE000
    master.write_registers(FORCE, TRIP, device_id=2)
    assert registers(master, 2, 0x0224, 1)[0] & 0xE000 == 0


def test_forced_states_are_read_back(master: ModbusTcpClient) -> None:
    for wanted in (TRIP, CLOSE, RELEASE):
        master.write_registers(FORCE, wanted, device_id=1)
        assert registers(master, 1, FORCE, 2) == wanted


def test_an_unknown_address_is_refused(master: ModbusTcpClient) -> None:
    answer = master.read_holding_registers(0x9000, count=2, device_id=1)
    assert answer.isError()
    assert answer.exception_code == 2
    answer = master.write_registers(0x0215, [1, 2], device_id=1)
    assert answer.exception_code == 2


def test_a_force_word_that_is_neither_0_nor_1_is_refused(
    site: Site, master: ModbusTcpClient
) -> None:
    assert master.write_registers(FORCE, [2, 0], device_id=1).exception_code == 3
    assert site.park["M1"].is_closed


def test_an_unknown_function_is_refused(master: ModbusTcpClient) -> None:
    assert master.read_coils(0, count=1, device_id=1).exception_code == 1


def test_a_missing_unit_stays_silent(master: ModbusTcpClient) -> None:
    with pytest.raises(ModbusIOException):
        master.read_holding_registers(SUMMARY, count=2, device_id=99)


def test_a_silent_meter_answers_again_when_healed(site: Site, master: ModbusTcpClient) -> None:
    site.park["M1"].inject("silent")
    with pytest.raises(ModbusIOException):
        master.read_holding_registers(SUMMARY, count=2, device_id=1)
    assert registers(master, 2)
    site.park["M1"].heal("silent")
    assert registers(master, 1)


def test_a_slow_meter_answers_after_the_time_out(site: Site) -> None:
    site.park["M1"].inject("slow", times=1)
    with socket.create_connection((site.gateway.host, site.gateway.port), TIMEOUT_S) as line:
        line.sendall(sealed(bytes.fromhex("010302000002")))
        asked_at = real_time.monotonic()
        with pytest.raises(TimeoutError):
            line.recv(64)
        line.settimeout(WAIT_S)
        line.sendall(sealed(bytes.fromhex("010300570002")))
        assert line.recv(9, socket.MSG_WAITALL) == sealed(bytes.fromhex("01030400000000"))
        late = line.recv(9, socket.MSG_WAITALL)
    assert real_time.monotonic() - asked_at >= SLOW_S
    assert late[:5] == bytes.fromhex("0103040007")


def test_a_write_may_be_done_and_not_answered(site: Site, master: ModbusTcpClient) -> None:
    site.park["M1"].inject("write_unanswered", times=1)
    with pytest.raises(ModbusIOException):
        master.write_registers(FORCE, TRIP, device_id=1)
    assert not site.park["M1"].is_closed
    assert registers(master, 1, FORCE, 2) == TRIP


def test_a_stuck_relay_shows_that_it_did_not_move(site: Site, master: ModbusTcpClient) -> None:
    site.park["M1"].inject("stuck_relay")
    assert not master.write_registers(FORCE, TRIP, device_id=1).isError()
    status = registers(master, 1, 0x0224, 1)[0]
    assert status & 0x2000
    assert status & 0x0100
    site.park["M1"].heal("stuck_relay")
    assert registers(master, 1, 0x0224, 1)[0] & 0x2000 == 0


def test_a_flipped_bit_does_not_pass_the_checksum(site: Site, master: ModbusTcpClient) -> None:
    site.park["M1"].inject("bit_flip", times=1)
    with pytest.raises(ModbusIOException):
        master.read_holding_registers(SUMMARY, count=WORDS, device_id=1)


def test_a_busy_meter_says_so(site: Site, master: ModbusTcpClient) -> None:
    site.park["M1"].inject("busy", times=1)
    answer = master.read_holding_registers(SUMMARY, count=2, device_id=1)
    assert answer.exception_code == 6
    assert registers(master, 1)


def test_a_gateway_that_is_down_breaks_its_lines_and_comes_back_on_its_port(site: Site) -> None:
    port = site.gateway.port
    line = socket.create_connection((site.gateway.host, port), 1)
    line.sendall(sealed(bytes.fromhex("010302000002")))
    assert line.recv(64)
    site.thread.call(site.gateway.down())
    assert line.recv(64) == b""
    line.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((site.gateway.host, port), 1)
    site.thread.call(site.gateway.up())
    assert site.gateway.port == port
    client = site.master()
    assert registers(client, 1)
    client.close()  # type: ignore[no-untyped-call]


def test_noise_is_passed_over_in_silence(site: Site) -> None:
    with socket.create_connection((site.gateway.host, site.gateway.port), 1) as line:
        line.sendall(b"\x01\x03\x02\x00\x00\x02\xff\xff")
        real_time.sleep(0.05)
        line.sendall(sealed(bytes.fromhex("010302000001")))
        assert line.recv(64) == sealed(bytes.fromhex("0103020007"))


def test_a_request_in_two_pieces_is_one_request(site: Site) -> None:
    frame = sealed(bytes.fromhex("05100057000204000100 01".replace(" ", "")))
    site.thread.call(_wire_fifth(site))
    with socket.create_connection((site.gateway.host, site.gateway.port), 1) as line:
        assert frame.hex(" ").endswith("32 45"), "the frame of the papers"
        line.sendall(frame[:5])
        real_time.sleep(0.05)
        line.sendall(frame[5:])
        assert line.recv(64) == sealed(bytes.fromhex("051000570002"))
    assert not site.park["M5"].is_closed


async def _wire_fifth(site: Site) -> None:
    site.park.meter(site.gateway, "M5", unit=5)


def test_a_bus_has_one_request_at_a_time_at_its_baud_rate(time: HandTime) -> None:
    park = Park(ParkClock(0, monotonic_ns=time))
    gateway = park.gateway(baud=9600)
    for number in range(4):
        park.meter(gateway, f"M{number}")
    with running(park), socket.create_connection((gateway.host, gateway.port), 5) as line:
        began_at = real_time.monotonic()
        for unit in range(1, 5):
            line.sendall(sealed(bytes((unit, 3, 2, 0, 0, WORDS))))
        heard = b""
        while len(heard) < 4 * 101:
            heard += line.recv(1024)
        took_s = real_time.monotonic() - began_at
    assert [heard[at] for at in range(0, len(heard), 101)] == [1, 2, 3, 4]
    assert took_s >= 4 * 109 * 11 / 9600


def test_faults_are_spread_by_the_seed_alike(time: HandTime) -> None:
    shares = {"silent": 100, "near_wrap": 50, "gateway_down": 200}
    drawn = []
    for _ in range(2):
        park = Park(ParkClock(0, monotonic_ns=time), seed=7).fill(10, 300)
        with running(park) as thread:
            found = thread.call(spread(park, shares))  # type: ignore[arg-type]
            drawn.append((found["silent"], found["near_wrap"], len(found["gateway_down"])))
            assert sum(not gateway.is_up for gateway in park.gateways) == drawn[-1][2]
    assert drawn[0] == drawn[1]
    assert 10 < len(drawn[0][0]) < 60
    assert drawn[0][1]
