"""Whatever goes wrong on the line, a state that is told is the meter's state of that moment."""

from collections.abc import Iterator
from random import Random
from zoneinfo import ZoneInfo

import pytest

from adapters.devices.fleet import Fleet
from adapters.devices.line import Timing
from adapters.devices.park import Fault, Gateway, Park, ParkClock, SimulatedMeter, running
from ledger.devices import MeterAddress, Ok, Order, OrderKind, Outcome, is_reached

MONDAY_NOON_US = 1_790_568_000_000_000
TIMING = Timing(connect_s=1.0, answer_s=0.04, guard_s=0.01, guard_rounds=2)
STEPS = 160
FAULTS: tuple[Fault, ...] = ("silent", "slow", "slow", "slow", "write_unanswered", "bit_flip")
ORDERS: tuple[OrderKind, ...] = ("trip", "close", "guarantee", "end_guarantee")
FORCED = {(False, False): "auto", (True, False): "forced_closed", (True, True): "forced_open"}
WAIT_S = 60


class Line:
    """One meter on a line where answers are lost, flipped, or come after up to five time-outs."""

    def __init__(self, seed: int, meter: SimulatedMeter, gateway: Gateway, fleet: Fleet) -> None:
        self.random = Random(seed)
        self.meter = meter
        self.gateway = gateway
        self.fleet = fleet
        self.address = MeterAddress("M", gateway.address, meter.unit, meter.model)
        self.told = 0

    def go(self) -> None:
        """Change the meter by hand, let the line be as bad as it likes, ask something."""
        draw = self.random
        if draw.random() < 0.4:
            self.meter.start_at(MONDAY_NOON_US, flat=draw.randrange(10**6) * 10)
            forced = draw.choice(list(FORCED))
            self.meter.force(is_on=forced[0], is_open=forced[1])
        if draw.random() < 0.5:
            self.gateway.slow_answer_s = draw.uniform(0.03, 0.2)
            self.meter.inject(draw.choice(FAULTS), times=1)
        kind = draw.choice(ORDERS)
        match draw.randrange(3):
            case 0:
                self.check(self.fleet.read(self.address).result(WAIT_S))
            case 1:
                self.check(self.fleet.verify(self.address, Order(kind)).result(WAIT_S))
            case _:
                self.order(kind)

    def check(self, outcome: Outcome) -> None:
        if not isinstance(outcome, Ok):
            return
        assert outcome.state is not None
        now = self.meter.glance()
        assert outcome.state.registers == self.meter.registers_wh()
        assert outcome.state.mode == FORCED[now.is_forced, now.is_forced_open]
        assert (outcome.state.relay == "closed") == now.is_closed
        self.told += 1

    def order(self, kind: OrderKind) -> None:
        heard = self.gateway.heard
        self.fleet.submit(self.address, Order(kind)).result(WAIT_S)
        assert self.gateway.heard <= heard + 2  # a close looks first
        seen = self.fleet.verify(self.address, Order(kind)).result(WAIT_S)
        self.check(seen)
        if isinstance(seen, Ok) and seen.state is not None and is_reached(kind, seen.state):
            assert self.meter.is_closed == (kind != "trip")


@pytest.fixture(params=[1, 2, 3])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    park = Park(ParkClock(MONDAY_NOON_US, monotonic_ns=lambda: 0))
    gateway = park.gateway()
    meter = park.meter(gateway, "M")
    zone = ZoneInfo("Asia/Shanghai")
    with running(park), Fleet(park.clock.now_us, zone, TIMING) as fleet:
        yield Line(request.param, meter, gateway, fleet)


def test_a_state_is_true_or_is_not_told(line: Line) -> None:
    for _ in range(STEPS):
        line.go()
    assert line.told > STEPS // 10
