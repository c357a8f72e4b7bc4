"""Each fault of the simulated park, seen through the driver: what is said is never more than so."""

import time
from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from adapters.devices.fleet import Fleet
from adapters.devices.park import Gateway, Park, ParkClock, ParkThread, SimulatedMeter, running
from ledger.devices import (
    COMMAND,
    Garbled,
    MeterAddress,
    MeterState,
    NoAnswer,
    Offline,
    Ok,
    Order,
    OrderKind,
    Outcome,
    Refused,
    is_reached,
)
from tests.harness.umodbus_gateway import QUICK

MONDAY_NOON_US = 1_790_568_000_000_000
SLOW_S = 0.4
WAIT_S = 60
TRIP = Order("trip")
MODELS = ("DDSY1352", "DTSY1352", "ADF300L")


class Site(NamedTuple):
    """A gateway with one meter of each model, and the buses of a platform."""

    park: Park
    gateway: Gateway
    thread: ParkThread
    fleet: Fleet

    def meter(self, model: str = "DDSY1352") -> SimulatedMeter:
        return self.park[model]

    def address(self, model: str = "DDSY1352") -> MeterAddress:
        return MeterAddress(model, self.gateway.address, self.meter(model).unit, model)

    def read(self, model: str = "DDSY1352") -> Outcome:
        return self.fleet.read(self.address(model), COMMAND).result(WAIT_S)

    def send(self, kind: OrderKind, model: str = "DDSY1352") -> Outcome:
        return self.fleet.submit(self.address(model), Order(kind)).result(WAIT_S)

    def verify(self, kind: OrderKind, model: str = "DDSY1352") -> Outcome:
        return self.fleet.verify(self.address(model), Order(kind)).result(WAIT_S)


@pytest.fixture
def site() -> Iterator[Site]:
    park = Park(ParkClock(MONDAY_NOON_US, monotonic_ns=lambda: 0))
    gateway = park.gateway(slow_answer_s=SLOW_S)
    for model in MODELS:
        park.meter(gateway, model, model)
    zone = ZoneInfo("Asia/Shanghai")
    with running(park) as thread, Fleet(park.clock.now_us, zone, QUICK) as fleet:
        yield Site(park, gateway, thread, fleet)


def seen(outcome: Outcome) -> MeterState:
    assert isinstance(outcome, Ok), outcome
    assert outcome.state is not None
    return outcome.state


@pytest.mark.parametrize("model", MODELS)
def test_a_meter_says_what_its_registers_hold(site: Site, model: str) -> None:
    meter = site.meter(model)
    meter.start_at(MONDAY_NOON_US, sharp=1_000, peak=20_000, flat=300_000, valley=4_000_000)
    state = seen(site.read(model))
    assert state.registers == meter.registers_wh()
    assert state.registers["total"] == 4_321_000
    assert (state.relay, state.mode, state.clock_skew_s) == ("closed", "auto", 0)
    assert state.flags == ()


@pytest.mark.parametrize("model", MODELS)
def test_a_trip_and_a_close_are_done_and_verified(site: Site, model: str) -> None:
    assert isinstance(site.send("trip", model), Ok)
    assert is_reached("trip", seen(site.verify("trip", model)))
    assert not site.meter(model).is_closed
    assert isinstance(site.send("close", model), Ok)
    state = seen(site.verify("close", model))
    assert (state.relay, state.mode) == ("closed", "auto")
    others = [each for each in site.park if each.model != model]
    assert all(each.is_closed for each in others)


def test_a_permit_waits_for_the_button(site: Site) -> None:
    meter = site.meter()
    meter.needs_button = True
    site.send("trip")
    assert isinstance(site.send("close_permit"), Ok)
    assert seen(site.verify("close_permit")).relay == "open"
    assert meter.press_button()
    assert seen(site.verify("close_permit")).relay == "closed"


def test_a_guarantee_supplies_whatever_the_meters_own_balance_says(site: Site) -> None:
    meter = site.meter()
    assert isinstance(site.send("guarantee"), Ok)
    assert is_reached("guarantee", seen(site.verify("guarantee")))
    assert isinstance(site.send("end_guarantee"), Ok)
    assert seen(site.verify("end_guarantee")).mode == "auto"
    assert meter.is_closed


def test_a_silent_meter_did_nothing_that_is_known(site: Site) -> None:
    site.meter().inject("silent")
    assert site.send("trip") == NoAnswer()
    assert site.verify("trip") == NoAnswer()
    site.meter().heal()
    assert not is_reached("trip", seen(site.verify("trip")))


def test_a_write_that_was_not_answered_is_unknown_until_it_is_looked_at(site: Site) -> None:
    site.meter().inject("write_unanswered")
    heard = site.gateway.heard
    assert site.send("trip") == NoAnswer()
    assert site.gateway.heard == heard + 1
    assert is_reached("trip", seen(site.verify("trip")))


def test_a_slow_answer_to_an_earlier_look_never_verifies_a_trip(site: Site) -> None:
    meter = site.meter()
    meter.force(is_on=True, is_open=True)
    meter.inject("slow", times=1)
    assert site.verify("trip") == NoAnswer()
    meter.force(is_on=False, is_open=False)
    assert seen(site.verify("trip")).relay == "closed"


def test_a_slow_answer_to_a_sweep_is_not_the_answer_to_the_next(site: Site) -> None:
    meter = site.meter()
    meter.start_at(MONDAY_NOON_US, flat=1_000)
    meter.inject("slow", times=1)
    assert site.read() == NoAnswer()
    meter.start_at(MONDAY_NOON_US, flat=2_000)
    for _ in range(3):
        assert seen(site.read()).registers["total"] == 2_000
        time.sleep(SLOW_S / 3)


def test_meters_that_answer_late_for_ever_are_never_taken_for_each_other(site: Site) -> None:
    for model in MODELS:
        site.meter(model).inject("slow")
    outcomes = [site.read(model) for _ in range(3) for model in MODELS]
    assert not any(isinstance(outcome, Ok) for outcome in outcomes)


def test_a_stuck_relay_obeys_in_words_only(site: Site) -> None:
    site.meter().inject("stuck_relay")
    assert isinstance(site.send("trip"), Ok)
    state = seen(site.verify("trip"))
    assert (state.relay, state.mode) == ("closed", "forced_open")
    assert not is_reached("trip", state)


def test_a_flipped_bit_is_never_a_value(site: Site) -> None:
    meter = site.meter()
    meter.start_at(MONDAY_NOON_US, flat=5_000)
    meter.inject("bit_flip")
    outcomes = [site.read() for _ in range(8)]
    assert all(isinstance(outcome, Garbled | NoAnswer) for outcome in outcomes)
    meter.heal()
    assert seen(site.read()).registers["total"] == 5_000


def test_a_busy_meter_says_so(site: Site) -> None:
    site.meter().inject("busy", times=1)
    assert site.send("trip") == Refused("busy")
    assert site.meter().is_closed


def test_a_gateway_that_vanishes_is_offline_until_it_is_back(site: Site) -> None:
    assert isinstance(site.read(), Ok)
    site.thread.call(site.gateway.down())
    assert isinstance(site.send("trip"), Offline | NoAnswer)
    assert isinstance(site.send("trip"), Offline)
    assert site.meter().is_closed
    site.thread.call(site.gateway.up())
    deadline = time.monotonic() + WAIT_S
    while not isinstance(site.send("trip"), Ok):
        assert time.monotonic() < deadline
    assert is_reached("trip", seen(site.verify("trip")))


def test_a_register_that_wraps_is_read_as_it_stands(site: Site) -> None:
    meter = site.meter()
    meter.start_at(MONDAY_NOON_US, flat=meter.wrap_wh + 50)
    assert seen(site.read()).registers["total"] == 50
