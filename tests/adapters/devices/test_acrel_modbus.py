"""The driver against meters of another Modbus stack, over real sockets."""

from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

import pytest

from adapters.devices.acrel_modbus import CASE, MODELS, AcrelModbus
from adapters.devices.fleet import Fleet
from adapters.devices.line import Line
from ledger.devices import (
    OBEYED,
    Garbled,
    MeterAddress,
    MeterState,
    NoAnswer,
    Ok,
    Order,
    OrderKind,
    Outcome,
    Refused,
    is_reached,
)
from tests.harness.umodbus_gateway import Twin, UmodbusGateway

TRIP = Order("trip")
CLOSE = Order("close")
LATE_S = 0.4
WAIT_S = 60
"""Behind the time-out and the quiet after it."""


@pytest.fixture
def twin() -> Twin:
    return Twin()


@pytest.fixture
def gateway(twin: Twin) -> Iterator[UmodbusGateway]:
    with UmodbusGateway(unit_5=twin) as listening:
        yield listening


@pytest.fixture
def meter(gateway: UmodbusGateway) -> MeterAddress:
    return MeterAddress("M-5", gateway.address, 5, "DDSY1352")


def done(fleet: Fleet, meter: MeterAddress, kind: OrderKind, **argument: str) -> Outcome:
    return fleet.submit(meter, Order(kind, argument=dict(argument))).result(WAIT_S)


def seen(outcome: Outcome) -> MeterState:
    assert isinstance(outcome, Ok), outcome
    assert outcome.state is not None
    return outcome.state


def test_a_read_tells_energy_in_wh_relay_mode_and_clock(
    fleet: Fleet, meter: MeterAddress, twin: Twin, clock: Callable[[], int]
) -> None:
    twin.show(total_wh=1_234_560)
    twin.registers[0x201] = 2301
    twin.registers[0x221] = 3
    state = seen(fleet.read(meter).result(WAIT_S))
    assert state.registers == {
        "total": 1_234_560,
        "sharp": 0,
        "peak": 0,
        "flat": 0,
        "valley": 0,
    }
    assert (state.relay, state.mode, state.own_prepayment) == ("closed", "auto", False)
    assert (state.purchase_count, state.clock_skew_s, state.flags) == (3, 0, ())
    assert state.values["voltage_a"] == 230_100
    assert (state.at_us, state.raw[0x201]) == (clock(), 2301)


def test_a_meter_of_another_model_than_was_told_is_flagged(
    fleet: Fleet, meter: MeterAddress, twin: Twin
) -> None:
    twin.registers[0x200] = 5
    assert seen(fleet.read(meter).result(WAIT_S)).flags == ("other_model",)


def test_a_clock_without_a_date_has_no_skew(fleet: Fleet, meter: MeterAddress, twin: Twin) -> None:
    twin.registers[0x228] = 0
    assert seen(fleet.read(meter).result(WAIT_S)).clock_skew_s is None


@pytest.mark.parametrize(
    ("kind", "words", "relay", "mode"),
    [
        ("trip", (1, 1), "open", "forced_open"),
        ("guarantee", (1, 0), "closed", "forced_closed"),
        ("end_guarantee", (0, 0), "closed", "auto"),
        ("close", (0, 0), "closed", "auto"),
        ("close_permit", (0, 0), "closed", "auto"),
    ],
)
def test_an_order_is_one_write_and_is_seen_when_it_is_verified(
    fleet: Fleet,
    meter: MeterAddress,
    twin: Twin,
    kind: OrderKind,
    words: tuple[int, int],
    relay: str,
    mode: str,
) -> None:
    assert isinstance(done(fleet, meter, kind), Ok)
    assert twin.written == [(0x57, words[0]), (0x58, words[1])]
    state = seen(fleet.verify(meter, Order(kind)).result(WAIT_S))
    assert (state.relay, state.mode) == (relay, mode)
    assert is_reached(kind, state)


def test_a_close_forces_a_meter_that_deducts_beside_the_platform_and_asks_for_a_case(
    fleet: Fleet, meter: MeterAddress, twin: Twin
) -> None:
    twin.is_prepaid, twin.has_balance = True, False
    assert CASE in seen(done(fleet, meter, "close")).flags
    assert twin.force == (1, 0)
    assert twin.is_closed
    assert CASE in seen(fleet.verify(meter, CLOSE).result(WAIT_S)).flags


def test_a_close_releases_a_meter_that_holds_the_balance(
    fleet: Fleet, meter: MeterAddress, twin: Twin
) -> None:
    twin.is_prepaid, twin.force = True, (1, 1)
    assert CASE not in seen(done(fleet, meter, "close", held_by="meter")).flags
    assert twin.force == (0, 0)
    assert twin.is_closed


def test_an_order_whose_time_has_passed_is_not_sent(
    fleet: Fleet, meter: MeterAddress, twin: Twin, clock: Callable[[], int]
) -> None:
    late = Order("trip", expires_at_us=clock())
    assert fleet.submit(meter, late).result(WAIT_S) == Refused("expired")
    assert twin.asked == 0


@pytest.mark.parametrize("kind", ["set_price", "set_clock"])
def test_an_order_without_known_registers_is_refused(
    fleet: Fleet, meter: MeterAddress, twin: Twin, kind: OrderKind
) -> None:
    assert done(fleet, meter, kind) == Refused("not_supported")
    assert twin.asked == 0


@pytest.mark.parametrize("model", MODELS)
def test_a_driver_can_do_what_the_ledger_lets_people_order(model: str) -> None:
    line = Line("rtu+tcp://127.0.0.1:1")
    driver = AcrelModbus(line, model, lambda: 0, ZoneInfo("Asia/Shanghai"))
    assert driver.capabilities() - {"per_circuit"} == OBEYED[model]


def test_an_unknown_model_is_refused(fleet: Fleet, meter: MeterAddress) -> None:
    assert fleet.read(meter._replace(model="DDS1")).result(WAIT_S) == Refused("model_unknown")


def test_a_meter_that_refuses_says_why(fleet: Fleet, meter: MeterAddress, twin: Twin) -> None:
    del twin.registers[0x201]  # umodbus answers a fault of its device
    assert fleet.read(meter).result(WAIT_S) == Refused("device_failure")


def test_a_silent_meter_gives_no_answer(fleet: Fleet, meter: MeterAddress, twin: Twin) -> None:
    twin.is_silent = True
    assert fleet.read(meter).result(WAIT_S) == NoAnswer()


def test_a_write_done_but_not_answered_is_unknown_and_sent_once(
    fleet: Fleet, meter: MeterAddress, twin: Twin
) -> None:
    twin.lost_answers = 1
    assert done(fleet, meter, "trip") == NoAnswer()
    assert twin.written == [(0x57, 1), (0x58, 1)]
    assert is_reached("trip", seen(fleet.verify(meter, TRIP).result(WAIT_S)))


def test_a_flipped_bit_is_garbled_and_the_next_answer_is_whole(
    fleet: Fleet, meter: MeterAddress, twin: Twin
) -> None:
    twin.flipped_answers = 1
    assert isinstance(fleet.read(meter).result(WAIT_S), Garbled)
    assert seen(fleet.read(meter).result(WAIT_S)).relay == "closed"


def test_a_late_poll_is_never_the_answer_to_the_next_poll(
    fleet: Fleet, meter: MeterAddress, twin: Twin
) -> None:
    twin.show(total_wh=100)
    twin.delays_s = [LATE_S]
    assert fleet.read(meter).result(WAIT_S) == NoAnswer()
    twin.show(total_wh=200)
    assert seen(fleet.read(meter).result(WAIT_S)).registers["total"] == 200


def test_a_late_read_of_the_closed_relay_never_denies_a_trip(
    fleet: Fleet, meter: MeterAddress, twin: Twin
) -> None:
    twin.delays_s = [LATE_S]
    assert fleet.verify(meter, TRIP).result(WAIT_S) == NoAnswer()
    assert isinstance(done(fleet, meter, "trip"), Ok)
    assert seen(fleet.verify(meter, TRIP).result(WAIT_S)).relay == "open"


def test_a_late_read_of_the_open_relay_never_verifies_a_trip(
    fleet: Fleet, meter: MeterAddress, twin: Twin
) -> None:
    twin.force = (1, 1)
    twin.delays_s = [LATE_S]
    assert fleet.verify(meter, TRIP).result(WAIT_S) == NoAnswer()
    twin.force = (0, 0)  # by hand, at the meter
    state = seen(fleet.verify(meter, TRIP).result(WAIT_S))
    assert (state.relay, state.mode) == ("closed", "auto")
    assert not is_reached("trip", state)


def test_after_a_time_out_a_verification_reads_twice(
    fleet: Fleet, meter: MeterAddress, twin: Twin
) -> None:
    twin.lost_answers = 1
    assert done(fleet, meter, "trip") == NoAnswer()
    before = twin.asked
    seen(fleet.verify(meter, TRIP).result(WAIT_S))
    assert twin.asked == before + 2
    seen(fleet.verify(meter, TRIP).result(WAIT_S))
    assert twin.asked == before + 3
