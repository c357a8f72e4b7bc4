"""The dispatcher between a real ledger and a line that says what the test wants it to say."""

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from adapters.devices.dispatcher import Dispatcher
from adapters.devices.waiting import Waiting
from ledger.aggregates.command import DeviceCommand
from ledger.devices import MeterAddress, MeterState, Ok, Order, Outcome, Relay
from ledger.devices import Refused as MeterRefused
from tests.harness.desk import Desk
from tests.harness.device_day import GATEWAY, Line
from tests.harness.ledgers import until

ADDRESS = MeterAddress("M1", "rtu+tcp://127.0.0.1:4001", 1, "DDSY1352")


class Wire:
    """A line that obeys, unless it is told to answer otherwise; it notes what it was given."""

    def __init__(self, desk: Desk) -> None:
        self.relay: Relay = "closed"
        self.orders: list[Order] = []
        self.looks = 0
        self.answers: list[Outcome] = []
        self._desk = desk

    def submit(self, _address: MeterAddress, order: Order) -> "Future[Outcome]":
        self.orders.append(order)
        answer = self.answers.pop(0) if self.answers else Ok()
        if isinstance(answer, Ok):
            self.relay = "open" if order.kind == "trip" else "closed"
        return told(answer)

    def verify(self, _address: MeterAddress, _order: Order) -> "Future[Outcome]":
        self.looks += 1
        return told(Ok(MeterState(self._desk.clock(), {}, self.relay, "auto")))


def told(outcome: Outcome) -> "Future[Outcome]":
    answer: Future[Outcome] = Future()
    answer.set_result(outcome)
    return answer


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    desk = Desk.at(sqlite_url)
    yield desk
    desk.close()


@pytest.fixture
def line(desk: Desk) -> Line:
    line = Line(desk, "A1", "M1")
    desk.adjust("A1", 50_00)
    return line


def command(desk: Desk, command_id: str) -> DeviceCommand:
    found: DeviceCommand = desk.fold(DeviceCommand, command_id, 0)
    return found


def waiting(desk: Desk, command_id: str) -> Waiting:
    """A command as the log tells of it."""
    found = command(desk, command_id)
    return Waiting(
        command_id,
        found.kind,
        "M1",
        GATEWAY,
        found.status,
        found.attempts,
        found.again_at_us,
        desk.heads()[0],
    )


def carried(
    desk: Desk, wire: Wire, command_id: str, *, may_trip: bool = True, may_act: bool = True
) -> DeviceCommand:
    """The command after the dispatcher had it until nothing more is due."""
    dispatcher = Dispatcher(
        desk.ledger, wire, lambda _meter: ADDRESS, may_trip=may_trip, may_act=lambda: may_act
    ).start()
    dispatcher.take([waiting(desk, command_id)])
    until(lambda: settled(dispatcher, desk, command_id))
    dispatcher.stop()
    return command(desk, command_id)


def settled(dispatcher: Dispatcher, desk: Desk, command_id: str) -> bool:
    known = dispatcher.know(command_id)
    return known is None or known.again_at_us > desk.clock()


def test_a_trip_is_sent_once_with_an_end_and_looked_at(desk: Desk, line: Line) -> None:
    wire = Wire(desk)
    found = carried(desk, wire, line.fall_behind()["command_id"])
    assert (found.status, wire.looks) == ("verified", 1)
    (order,) = wire.orders
    assert order.kind == "trip"
    assert order.expires_at_us == desk.clock() + 60_000_000


def test_who_was_replaced_meanwhile_sends_nothing(desk: Desk, line: Line) -> None:
    wire = Wire(desk)
    found = carried(desk, wire, line.fall_behind()["command_id"], may_act=False)
    assert (found.status, found.code, wire.orders) == ("queued", "offline", [])


def test_an_order_that_lay_too_long_was_not_refused_by_the_meter(desk: Desk, line: Line) -> None:
    wire = Wire(desk)
    wire.answers = [MeterRefused("expired")]
    found = carried(desk, wire, line.fall_behind()["command_id"])
    assert (found.status, found.code, found.refusals) == ("queued", "offline", 0)


def test_an_order_whose_sender_fell_over_is_looked_at_first(desk: Desk, line: Line) -> None:
    trip = line.fall_behind()["command_id"]
    line.send_and_fall_over(trip)
    wire = Wire(desk)
    wire.relay = "open"
    found = carried(desk, wire, trip)
    assert (found.status, found.attempts, wire.orders) == ("verified", 1, [])


def test_the_kill_switch_holds_trips_and_lets_restores_through(desk: Desk, line: Line) -> None:
    wire = Wire(desk)
    trip = line.fall_behind()["command_id"]
    found = carried(desk, wire, trip, may_trip=False)
    assert (found.status, found.code, wire.orders) == ("held", "trips_off", [])
    line.sweep("open")
    close = line.pay()["command_id"]
    assert carried(desk, wire, close, may_trip=False).status == "verified"


def test_a_clock_that_goes_back_makes_nobody_wait_longer(desk: Desk, line: Line) -> None:
    wire = Wire(desk)
    trip = line.fall_behind()["command_id"]
    wire.answers = [MeterRefused("busy")]
    dispatcher = Dispatcher(desk.ledger, wire, lambda _meter: ADDRESS).start()
    dispatcher.take([waiting(desk, trip)])
    until(lambda: len(wire.orders) == 1 and settled(dispatcher, desk, trip))
    desk.clock.pass_by(hours=-1)
    until(lambda: (known := dispatcher.know(trip)) is not None and is_near(desk, known))
    desk.clock.pass_by(seconds=3)
    until(lambda: settled(dispatcher, desk, trip))
    dispatcher.stop()
    assert (command(desk, trip).status, len(wire.orders)) == ("verified", 2)


def is_near(desk: Desk, known: Waiting) -> bool:
    return known.again_at_us - desk.clock() <= 3_000_000


def test_who_begins_after_a_clock_went_back_waits_no_longer_than_anybody(
    desk: Desk, line: Line
) -> None:
    trip = line.fall_behind()["command_id"]
    line.send(trip, MeterRefused("busy"))
    desk.clock.pass_by(days=-300)
    dispatcher = Dispatcher(desk.ledger, Wire(desk), lambda _meter: ADDRESS)
    dispatcher.take([waiting(desk, trip)])
    known = dispatcher.know(trip)
    assert known is not None
    assert 0 < known.again_at_us - desk.clock() <= 120_000_000


def test_a_permit_waits_for_the_customer_without_asking_all_the_time(
    desk: Desk, line: Line
) -> None:
    wire = Wire(desk)
    line.sweep("open")
    permit = line.request("close_permit")["command_id"]
    wire.relay = "open"
    line.look(permit, line.send(permit), "open")
    desk.clock.pass_by(minutes=2)
    found = carried(desk, wire, permit)
    assert (found.status, wire.looks) == ("awaiting_customer", 4)
