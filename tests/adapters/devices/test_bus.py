"""One bus: what is urgent goes first, the silent do not stall the others, lines heal."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from zoneinfo import ZoneInfo

import pytest

from adapters.devices.breaker import TRIES
from adapters.devices.fleet import Fleet
from ledger.devices import (
    SWEEP,
    MeterAddress,
    NoAnswer,
    Offline,
    Ok,
    Order,
    Outcome,
)
from tests.harness.chaos_proxy import ChaosProxy
from tests.harness.ledgers import until
from tests.harness.umodbus_gateway import QUICK, WRITE_FUNCTION, Twin, UmodbusGateway

METERS = 20
TRIP = Order("trip")
WAIT_S = 60
ANSWER_S = 20.0


@pytest.fixture
def patient(clock: Callable[[], int]) -> Iterator[Fleet]:
    """Buses that wait so long for an answer that nothing in a test takes as long by itself."""
    with Fleet(clock, ZoneInfo("Asia/Shanghai"), QUICK._replace(answer_s=ANSWER_S)) as started:
        yield started


@pytest.fixture
def gateway() -> Iterator[UmodbusGateway]:
    twins = {f"unit_{unit}": Twin() for unit in range(1, METERS + 1)}
    with UmodbusGateway(**twins) as listening:
        yield listening


@pytest.fixture
def proxy(gateway: UmodbusGateway) -> Iterator[ChaosProxy]:
    with ChaosProxy(gateway.port) as relaying:
        yield relaying


def at(gateway: str, unit: int) -> MeterAddress:
    return MeterAddress(f"M-{unit}", gateway, unit, "DDSY1352")


def everyone(gateway: str) -> list[MeterAddress]:
    return [at(gateway, unit) for unit in range(1, METERS + 1)]


def swept(fleet: Fleet, meters: list[MeterAddress]) -> dict[int, Outcome]:
    return {meter.unit: got for batch in fleet.sweep(meters) for meter, got in batch}


def test_a_sweep_reads_every_meter_of_the_bus(fleet: Fleet, gateway: UmodbusGateway) -> None:
    outcomes = swept(fleet, everyone(gateway.address))
    assert len(outcomes) == METERS
    assert all(isinstance(outcome, Ok) for outcome in outcomes.values())


def test_a_command_waits_for_at_most_one_request_of_the_sweep(
    fleet: Fleet, gateway: UmodbusGateway
) -> None:
    under_way = gateway.units[4]
    under_way.gate = threading.Event()
    fleet.begin_sweep(everyone(gateway.address), lambda *_: None)
    until(lambda: len(gateway.served) == 4)
    order = fleet.submit(at(gateway.address, METERS), TRIP)
    under_way.gate.set()
    assert isinstance(order.result(WAIT_S), Ok)
    assert gateway.served[4] == (METERS, WRITE_FUNCTION)


def test_commands_race_a_sweep_and_each_other_and_none_gets_the_answer_of_another(
    fleet: Fleet, gateway: UmodbusGateway
) -> None:
    for unit, twin in gateway.units.items():
        twin.show(total_wh=unit * 1_000)
    arrived: dict[int, Outcome] = {}
    fleet.begin_sweep(
        everyone(gateway.address) * 3, lambda meter, got: arrived.update({meter.unit: got})
    )
    trips = [fleet.submit(at(gateway.address, unit), TRIP) for unit in (3, 7, 3, 11)]
    assert all(isinstance(trip.result(WAIT_S), Ok) for trip in trips)
    swept(fleet, [at(gateway.address, 1)])  # behind everything that was queued
    for unit, outcome in arrived.items():
        assert isinstance(outcome, Ok)
        assert outcome.state is not None
        assert outcome.state.registers["total"] == unit * 1_000
    tripped = {unit for unit, twin in gateway.units.items() if not twin.is_closed}
    assert tripped == {3, 7, 11}


def test_an_order_that_waited_while_another_process_took_over_is_not_sent(
    clock: Callable[[], int], gateway: UmodbusGateway
) -> None:
    lease = threading.Event()
    lease.set()
    zone, under_way = ZoneInfo("Asia/Shanghai"), gateway.units[1]
    under_way.gate = threading.Event()
    patience = QUICK._replace(answer_s=ANSWER_S)
    with Fleet(clock, zone, patience, may_act=lease.is_set) as fleet:
        read = fleet.read(at(gateway.address, 1))
        until(lambda: len(gateway.served) == 1)
        trip = fleet.submit(at(gateway.address, 2), TRIP)
        lease.clear()
        under_way.gate.set()
        assert isinstance(read.result(WAIT_S), Ok)
        assert trip.result(WAIT_S) == Offline("another process acts on the meters")
        assert isinstance(fleet.verify(at(gateway.address, 2), TRIP).result(WAIT_S), Ok)
    assert gateway.units[2].is_closed
    assert WRITE_FUNCTION not in {function for _, function in gateway.served}


def test_a_silent_meter_is_soon_left_alone_and_the_others_are_read(
    fleet: Fleet, gateway: UmodbusGateway
) -> None:
    gateway.units[4].is_silent = True
    outcomes: dict[int, Outcome] = {}
    for _ in range(TRIES + 2):
        outcomes = swept(fleet, everyone(gateway.address))
        assert {unit for unit, got in outcomes.items() if not isinstance(got, Ok)} == {4}
    assert [unit for unit, _ in gateway.served].count(4) == TRIES
    assert isinstance(outcomes[4], Offline)
    assert fleet.status()[0].silent_units == (4,)


def test_a_command_is_sent_to_a_meter_that_sweeps_leave_alone_and_its_answer_ends_that(
    fleet: Fleet, gateway: UmodbusGateway
) -> None:
    gateway.units[4].is_silent = True
    meter = at(gateway.address, 4)
    for _ in range(TRIES):
        assert fleet.read(meter, SWEEP).result(WAIT_S) == NoAnswer()
    assert isinstance(fleet.read(meter, SWEEP).result(WAIT_S), Offline)
    gateway.units[4].is_silent = False
    assert isinstance(fleet.submit(meter, TRIP).result(WAIT_S), Ok)
    assert isinstance(fleet.read(meter, SWEEP).result(WAIT_S), Ok)


def test_a_sweep_that_comes_too_late_is_dropped(fleet: Fleet, gateway: UmodbusGateway) -> None:
    for twin in gateway.units.values():
        twin.delays_s = [0.1]
    meters = everyone(gateway.address)
    outcomes = {
        meter.unit: got for batch in fleet.sweep(meters, within_s=1.0) for meter, got in batch
    }
    assert not isinstance(outcomes[1], Offline)  # It was asked, and answered if its time sufficed.
    assert isinstance(outcomes[METERS], Offline)
    asked = [unit for unit, got in sorted(outcomes.items()) if not isinstance(got, Offline)]
    assert asked == [unit for unit, _ in gateway.served] == list(range(1, len(asked) + 1))


def test_a_gateway_that_is_down_is_offline_and_heals_by_itself(
    fleet: Fleet, gateway: UmodbusGateway, proxy: ChaosProxy
) -> None:
    meter = at(f"rtu+tcp://127.0.0.1:{proxy.port}", 1)
    assert isinstance(fleet.read(meter).result(WAIT_S), Ok)
    proxy.faults.refuse = True
    proxy.cut()
    until(lambda: not fleet.status()[0].is_connected)
    assert isinstance(fleet.read(meter).result(WAIT_S), Offline)
    assert isinstance(fleet.read(meter).result(WAIT_S), Offline)
    assert fleet.status()[0].silent_units == ()
    proxy.heal()
    deadline = time.monotonic() + WAIT_S
    while not isinstance(fleet.read(meter).result(WAIT_S), Ok):
        assert time.monotonic() < deadline


def test_an_order_on_whose_way_the_line_breaks_is_unknown_at_once(
    patient: Fleet, gateway: UmodbusGateway, proxy: ChaosProxy
) -> None:
    meter = at(f"rtu+tcp://127.0.0.1:{proxy.port}", 1)
    assert isinstance(patient.read(meter).result(WAIT_S), Ok)
    proxy.faults.lose_answer_to = bytes.fromhex("0110 0057 0002")
    began_s = time.monotonic()
    assert patient.submit(meter, TRIP).result(WAIT_S) == NoAnswer()
    assert time.monotonic() - began_s < ANSWER_S / 2
    assert not gateway.units[1].is_closed
    state = patient.verify(meter, TRIP).result(WAIT_S)
    assert isinstance(state, Ok)


def test_a_line_on_which_nobody_answers_any_more_is_dialled_anew(
    fleet: Fleet, gateway: UmodbusGateway, proxy: ChaosProxy
) -> None:
    gateway_url = f"rtu+tcp://127.0.0.1:{proxy.port}"
    assert isinstance(fleet.read(at(gateway_url, 1)).result(WAIT_S), Ok)
    proxy.faults.drop_down = True
    for unit in (1, 2, 3):
        assert fleet.read(at(gateway_url, unit)).result(WAIT_S) == NoAnswer()
    accepted = proxy.traffic.accepted
    proxy.heal()
    assert isinstance(fleet.read(at(gateway_url, 1)).result(WAIT_S), Ok)
    assert proxy.traffic.accepted == accepted + 1


def test_a_gateway_that_is_none_is_offline_with_the_reason(fleet: Fleet) -> None:
    outcome = fleet.read(at("tcp://127.0.0.1:502", 1)).result(WAIT_S)
    assert isinstance(outcome, Offline)
    assert "rtu+tcp://" in outcome.reason


def test_whoever_waits_when_the_buses_stop_is_answered(
    patient: Fleet, gateway: UmodbusGateway
) -> None:
    gateway.units[1].gate = threading.Event()
    order = patient.submit(at(gateway.address, 1), TRIP)
    waiting = [patient.read(meter) for meter in everyone(gateway.address)]
    until(lambda: len(gateway.served) == 1)
    patient.stop()
    gateway.units[1].gate.set()
    assert order.result(0) == NoAnswer()
    assert all(isinstance(read.result(0), Offline) for read in waiting)
    assert isinstance(patient.read(at(gateway.address, 1)).result(0), Offline)


class Deaf:
    """A driver whose answer comes at the moment of the end, which its library then passes over."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.asked = 0

    async def read(self, _unit: int) -> Outcome:
        self.asked += 1
        self.is_asked.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return Ok()


def test_buses_end_though_one_of_them_did_not_hear_of_it(
    fleet: Fleet, gateway: UmodbusGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = Deaf()
    monkeypatch.setattr(fleet, "_open_driver", lambda *_: driver)
    reads = [fleet.read(meter) for meter in everyone(gateway.address)]
    assert driver.is_asked.wait(WAIT_S)
    stopping = threading.Thread(target=fleet.stop, daemon=True)
    stopping.start()
    stopping.join(WAIT_S)
    assert not stopping.is_alive()
    assert driver.asked == 1
    outcomes = [type(read.result(0)) for read in reads]
    assert outcomes == [Ok, *[Offline] * (METERS - 1)]


def test_an_observer_that_fails_does_not_stop_the_bus(
    fleet: Fleet, gateway: UmodbusGateway, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_meter: MeterAddress, _outcome: Outcome) -> None:
        raise RuntimeError("no")

    fleet.begin_sweep(everyone(gateway.address), fail)
    assert isinstance(fleet.read(at(gateway.address, 1), SWEEP).result(WAIT_S), Ok)
    assert "could be told" in caplog.text


def test_buses_that_never_began_can_be_stopped(clock: Callable[[], int]) -> None:
    Fleet(clock, ZoneInfo("Asia/Shanghai")).stop()


def test_a_gateway_that_introduces_itself_and_sends_heartbeats_is_understood(
    fleet: Fleet, gateway: UmodbusGateway
) -> None:
    gateway.greeting = b"GW-0001\r\n"
    for _ in range(3):
        assert isinstance(fleet.read(at(gateway.address, 1)).result(WAIT_S), Ok)
        gateway.heartbeat(b"PING")
        time.sleep(0.02)
