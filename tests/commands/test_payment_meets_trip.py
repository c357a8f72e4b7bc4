"""A payment finds a trip anywhere on its way: supply is on in the end, and nobody is cut for it."""

from collections.abc import Callable, Iterator

import pytest

from ledger.aggregates.command import SENT, DeviceCommand
from ledger.commands import cancel_command
from ledger.commands.advance_command import begin_dispatch, record_sent
from ledger.devices import MeterState, NoAnswer, Offline, Ok, Relay
from ledger.devices import Refused as MeterRefused
from tests.harness.desk import ACTOR, Desk
from tests.harness.device_day import Line

STEPS_MAX = 40
Bring = Callable[[Line, str], object]


def _cancelled(line: Line, trip: str) -> None:
    command = cancel_command.CancelCommand(command_id=trip, reason="a mistake")
    cancel_command.handle(command, line.desk.ledger, ACTOR)


def _expired(line: Line, trip: str) -> None:
    line.desk.clock.pass_by(minutes=31)
    line.send(trip)


def _failed(line: Line, trip: str) -> None:
    for _ in range(3):
        line.obey(trip, "closed")
        line.desk.clock.pass_by(minutes=1)


def _never_heard_of(line: Line, trip: str) -> None:
    """A gateway that takes calls and never answers, until nobody waits any more."""
    attempt = line.send(trip, NoAnswer())
    while line.desk.fold(DeviceCommand, trip, 0).is_open:
        line.desk.clock.pass_by(minutes=3)
        line.look(trip, attempt, None)


STATES: dict[str, Bring] = {
    "queued": lambda _line, _trip: None,
    "offline": lambda line, trip: line.send(trip, Offline("connection refused")),
    "dispatched": lambda line, trip: line.send_and_fall_over(trip),
    "acknowledged": lambda line, trip: line.send(trip),
    "unknown": lambda line, trip: line.send(trip, NoAnswer()),
    "refused": lambda line, trip: line.send(trip, MeterRefused("busy")),
    "not reached": lambda line, trip: line.obey(trip, "closed"),
    "verified": lambda line, trip: line.obey(trip, "open"),
    "cancelled": _cancelled,
    "expired": _expired,
    "failed": _failed,
    "never heard of": _never_heard_of,
}
MAY_HAVE_OPENED = ("dispatched", "acknowledged", "unknown", "refused", "failed", "never heard of")
"""Where the meter may show either."""


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    """The doors of a new ledger; what is decided on the way is the same on every store."""
    desk = Desk.at(sqlite_url)
    yield desk
    desk.close()


@pytest.fixture
def line(desk: Desk) -> Line:
    """An account with money, whose meter is connected and was seen closed."""
    line = Line(desk, "A1", "M1")
    desk.adjust("A1", 50_00)
    line.sweep("closed")
    return line


class World:
    """The meter, and a dispatcher that carries on what is open; it counts trips."""

    def __init__(self, line: Line, relay: Relay) -> None:
        self.line = line
        self.relay: Relay = relay
        self.trips = 0

    def settle(self) -> DeviceCommand:
        """Go on until nothing is open; the newest command of the point."""
        for _ in range(STEPS_MAX):
            newest = self._newest()
            if not newest.is_open:
                break
            self.line.desk.clock.pass_by(seconds=121)
            if newest.status in SENT:
                self.line.look(newest.command_id, newest.attempts, self.relay)
            else:
                self._send(newest)
        self.line.sweep(self.relay)
        newest = self._newest()
        return self.settle() if newest.is_open else newest

    def _newest(self) -> DeviceCommand:
        desk = self.line.desk
        found: DeviceCommand = desk.fold(DeviceCommand, desk.account("A1").points[0].command_id, 0)
        return found

    def _send(self, command: DeviceCommand) -> None:
        leave = begin_dispatch(command.command_id, self.line.desk.ledger, may_trip=True)
        if hasattr(leave, "address"):
            self.relay = "open" if command.kind == "trip" else "closed"
            self.trips += command.kind == "trip"
            record_sent(command.command_id, leave.attempt, Ok(), self.line.desk.ledger)


@pytest.mark.parametrize(
    ("state", "relay"),
    [
        *((state, "open" if state == "verified" else "closed") for state in STATES),
        *((state, "open") for state in MAY_HAVE_OPENED),
    ],
)
def test_a_payment_meets_a_trip_and_supply_is_on_in_the_end(
    line: Line, desk: Desk, state: str, relay: Relay
) -> None:
    trip = line.fall_behind()["command_id"]
    STATES[state](line, trip)
    line.pay()
    world = World(line, relay)
    newest = world.settle()
    point = desk.account("A1").points[0]
    assert (point.supply_intended, point.supply_actual, point.mismatch) == ("on", "on", "")
    assert (world.relay, world.trips) == ("closed", 0)
    assert newest.status in {"verified", "cancelled", "expired", "failed"}
    assert newest.kind == "close" or not newest.was_sent


@pytest.mark.parametrize("state", [*STATES, "paid twice"])
def test_money_used_up_again_cuts_once_and_the_next_payment_restores(
    line: Line, desk: Desk, state: str
) -> None:
    trip = line.fall_behind()["command_id"]
    STATES.get(state, STATES["unknown"])(line, trip)
    line.pay()
    if state == "paid twice":
        line.pay()
    desk.adjust("A1", -1000_00)
    line.steer()
    world = World(line, "open" if state == "verified" else "closed")
    world.settle()
    assert (world.relay, desk.account("A1").points[0].supply_actual) == ("open", "off")
    assert world.trips == (state != "verified")
    desk.recharge("A1", 5_000_00)
    line.steer()
    world.settle()
    assert (world.relay, desk.account("A1").points[0].supply_actual) == ("closed", "on")


def test_a_state_that_is_older_than_the_order_settles_nothing(line: Line, desk: Desk) -> None:
    before = MeterState(desk.clock(), {"total": 0}, "open", "auto")
    desk.clock.pass_by(minutes=1)
    trip = line.fall_behind()["command_id"]
    line.send(trip, NoAnswer())
    line.sweep_with(before)
    assert desk.fold(DeviceCommand, trip, 0).status == "unknown"
