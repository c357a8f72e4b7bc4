"""A day of the meters' line on which everything happens that a device command can meet."""

from typing import Final, Literal

from ledger.aggregates.policy_windows import NoCutWindow
from ledger.commands import (
    cancel_command,
    command_batches,
    connect_meter,
    dispute,
    guarantee,
    reconcile_supply,
    register_gateway,
    request_command,
    settle_work_order,
    steer_supply,
    switch_trips,
)
from ledger.commands.advance_command import (
    Progress,
    begin_dispatch,
    recheck,
    record_seen,
    record_sent,
)
from ledger.commands.assign import AssignPolicy, assign_policy
from ledger.devices import MeterState, NoAnswer, Offline, Ok, Order, OrderKind, Outcome, Relay
from ledger.devices import Refused as MeterRefused
from ledger.store import Context
from tests.harness.desk import ACTOR, Desk, Json, moment, point
from tests.harness.documents import policy

COLLEAGUE: Final = Context("clerk-2")
GATEWAY: Final = "G1"
OBEYS: Final = Ok()
DARK_US: Final = 31 * 60 * 1_000_000
"""Longer than a trip lasts."""


class Line:
    """The line to one account's meter, where a test says what the meter answers."""

    def __init__(
        self, desk: Desk, account_no: str, meter_no: str, *, connected: bool = True, site: str = ""
    ) -> None:
        self.desk = desk
        self.account_no = account_no
        self.meter_no = meter_no
        self._causes = 0
        desk.open(account_no, point(meter_no), site=site)
        if connected:
            self.connect()

    def connect(self, unit: int = 1) -> None:
        """Reach the meter behind the gateway."""
        gateway = register_gateway.RegisterGateway(
            gateway_id=GATEWAY, url="rtu+tcp://127.0.0.1:4001", site="North"
        )
        register_gateway.handle(gateway, self.desk.ledger, ACTOR)
        line = connect_meter.ConnectMeter(
            meter_no=self.meter_no, gateway_id=GATEWAY, unit=unit, model="DDSY1352"
        )
        connect_meter.handle(line, self.desk.ledger, ACTOR)

    def fall_behind(self) -> Json:
        """The money is used up, and the policy that follows orders what is needed."""
        self.desk.adjust(self.account_no, -100_00)
        return self.steer()

    def pay(self) -> Json:
        """A payment that covers everything, and what follows from it."""
        self.desk.recharge(self.account_no, 500_00)
        return self.steer()

    def steer(self) -> Json:
        """The policy reacts to whatever happened last."""
        self._causes += 1
        return self.steer_by(f"0:{self.account_no}{self._causes}")

    def steer_by(self, cause: str) -> Json:
        """The same for one cause."""
        steering = steer_supply.Steering(self.account_no, "electricity", "a test", cause)
        return steer_supply.handle(steering, self.desk.ledger, ACTOR).body

    def free(self, command_id: str) -> Progress:
        """Look whether a command is still held."""
        return recheck(command_id, self.desk.ledger, may_trip=True)

    def request(self, kind: OrderKind) -> Json:
        """A person asks for a command."""
        command = request_command.RequestCommand(
            account_no=self.account_no, kind=kind, reason="asked for"
        )
        return request_command.handle(command, self.desk.ledger, ACTOR).body

    def switch_trips(
        self, trips: Literal["on", "off"], reason: str, site: str = "", until: str | None = None
    ) -> None:
        """An operator throws the kill switch."""
        ends = None if until is None else moment(until)
        command = switch_trips.SwitchTrips(trips=trips, site=site, until=ends, reason=reason)
        switch_trips.handle(command, self.desk.ledger, ACTOR)

    def send(self, command_id: str, answer: Outcome = OBEYS, *, may_trip: bool = True) -> int:
        """Send it once, whenever it is due; the attempt, or 0 where it was not sent."""
        leave = begin_dispatch(command_id, self.desk.ledger, may_trip=may_trip)
        if isinstance(leave, Progress):
            return 0
        record_sent(command_id, leave.attempt, answer, self.desk.ledger)
        return leave.attempt

    def send_and_fall_over(self, command_id: str) -> None:
        """It may have been sent; nobody lives to tell."""
        begin_dispatch(command_id, self.desk.ledger, may_trip=True)

    def look(self, command_id: str, attempt: int, relay: Relay | None) -> Progress:
        """Read the meter after an order; None where it does not answer."""
        seen: Outcome = NoAnswer() if relay is None else Ok(self.state(relay))
        return record_seen(command_id, attempt, seen, self.desk.ledger)

    def obey(self, command_id: str, relay: Relay) -> Progress:
        """The order arrives, and the meter shows it."""
        return self.look(command_id, self.send(command_id), relay)

    def sweep(self, relay: Relay) -> None:
        """The poller comes by."""
        self.desk.clock.pass_by(seconds=1)
        self.sweep_with(self.state(relay))

    def sweep_with(self, state: MeterState) -> None:
        """The poller brings a state, however old."""
        reconcile_supply.handle(self.meter_no, state, self.desk.ledger)

    def state(self, relay: Relay) -> MeterState:
        """What the meter shows now."""
        return MeterState(self.desk.clock(), {"total": 0}, relay, "auto")

    def order(self, kind: OrderKind) -> Order:
        """An order as the dispatcher sends it."""
        return Order(kind)


def device_day(desk: Desk) -> None:
    """Every fact of commands, work orders, gateways and supply at least once."""
    _cut_and_restored(Line(desk, "D1", "D1", connected=False))
    _protected(Line(desk, "D2", "D2"))
    _stuck(Line(desk, "D3", "D3"))
    _without_end(Line(desk, "D4", "D4"))
    _suspended(Line(desk, "D5", "D5"))
    _spared(Line(desk, "D6", "D6"))
    _in_batches(Line(desk, "D7", "D7"))


def _cut_and_restored(line: Line) -> None:
    trip = line.fall_behind()["command_id"]
    line.connect()
    recheck(trip, line.desk.ledger, may_trip=True)
    line.look(trip, line.send(trip, NoAnswer()), None)
    line.look(trip, 1, "closed")
    line.desk.clock.pass_by(minutes=1)
    line.send(trip, MeterRefused("illegal data value"))
    line.desk.clock.pass_by(minutes=1)
    line.obey(trip, "open")
    close = line.pay()["command_id"]
    line.send(close, Offline("connection refused"))
    line.desk.clock.pass_by(minutes=1)
    line.obey(close, "closed")
    line.sweep("open")
    line.steer()
    line.sweep("closed")


def _protected(line: Line) -> None:
    ledger = line.desk.ledger
    started = guarantee.StartGuarantee(account_no=line.account_no, reason="exams")
    guarantee.start(started, ledger, ACTOR)
    line.fall_behind()
    held = dispute.Dispute(account_no=line.account_no, reason="the meter ran too fast")
    dispute.hold(held, ledger, ACTOR)
    ended = guarantee.EndGuarantee(account_no=line.account_no, reason="exams are over")
    guarantee.end(ended, ledger, ACTOR)
    dispute.release(held, ledger, ACTOR)
    trip = line.steer()["command_id"]
    line.send(trip, NoAnswer())
    line.pay()
    awaited = line.request("close_permit")["command_id"]
    line.look(awaited, line.send(awaited), "open")
    line.sweep("closed")


def _stuck(line: Line) -> None:
    trip = line.fall_behind()["command_id"]
    for _ in range(3):
        line.obey(trip, "closed")
        line.desk.clock.pass_by(minutes=1)
    line.sweep("closed")
    number = line.steer()["work_order_no"]
    settled = settle_work_order.SettleWorkOrder(work_order_no=number, actual="off", note="by key")
    settle_work_order.handle(settled, line.desk.ledger, ACTOR)


def _without_end(line: Line) -> None:
    trip = line.fall_behind()["command_id"]
    line.desk.clock.pass_by(minutes=31)
    line.send(trip)
    line.pay()
    recall = line.request("recall")["command_id"]
    cancelled = cancel_command.CancelCommand(command_id=recall, reason="not needed")
    cancel_command.handle(cancelled, line.desk.ledger, ACTOR)


def _spared(line: Line) -> None:
    summer = NoCutWindow(name="summer", first_day="06-01", last_day="09-15")
    line.desk.publish(policy("spared", no_cut_windows=(summer,)))
    spared = AssignPolicy(account_no=line.account_no, policy_id="spared")
    assign_policy(spared, line.desk.ledger, ACTOR)
    line.fall_behind()


def _in_batches(line: Line) -> None:
    """One of many that a second person lets run, one that is rejected, one that runs out."""
    ledger, desk = line.desk.ledger, line.desk
    alone_max, ledger.trips_alone_max = ledger.trips_alone_max, 0
    accounts = tuple(map(batch_account, (line.account_no, "D404")))
    wanted = command_batches.RequestBatch(kind="trip", reason="a fire", accounts=accounts)
    first, second, third = (
        command_batches.handle(wanted, ledger, ACTOR).body["batch_id"] for _ in range(3)
    )
    approved = command_batches.ApproveBatch(batch_id=first)
    command_batches.approve(approved, ledger, COLLEAGUE)
    rejected = command_batches.RejectBatch(batch_id=second, reason="it is out")
    command_batches.reject(rejected, ledger, COLLEAGUE)
    desk.clock.pass_by(hours=24)
    command_batches.expire_due(third, ledger)
    ledger.trips_alone_max = alone_max


def batch_account(account_no: str, point: str | None = None) -> command_batches.BatchAccount:
    """An account of a batch."""
    return command_batches.BatchAccount(account_no=account_no, service_point=point)


def _suspended(line: Line) -> None:
    line.switch_trips("off", "a heat wave")
    line.fall_behind()
    line.switch_trips("on", "it rained")
