"""One point, its meter and the line to it, where anything may go wrong; told step by step."""

from typing import Final, Literal

from ledger.aggregates import Refused
from ledger.aggregates.account.supply import wanted_supply, what_forbids_a_trip
from ledger.aggregates.command import SENT, DeviceCommand
from ledger.commands import dispute, guarantee, steer_supply
from ledger.commands.advance_command import Dispatch, begin_dispatch, record_seen, record_sent
from ledger.devices import Garbled, MeterState, NoAnswer, Offline, Ok, Outcome, Relay
from ledger.devices import Refused as MeterRefused
from ledger.policies.supply import steering_of
from tests.harness.desk import ACTOR, Desk
from tests.harness.device_day import Line

SHOWN: Final[dict[str, Relay]] = {"trip": "open", "close": "closed"}
Way = Literal["obeys", "stuck", "lost", "done in silence", "offline", "refuses", "garbles"]
"""What happens to one order on its way."""
Verb = Literal[
    "drain", "pay", "react", "react again", "send", "send and crash", "sweep", "wait", "restart",
    "guarantee", "end guarantee", "dispute", "release", "trip by hand", "close by hand",
    "somebody opens it",
]  # fmt: skip
NO: Final = "A1"


class Point:
    """Plays steps; a trip is only ever granted where it is lawful at that very moment."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.line = Line(desk, NO, "M1")
        desk.adjust(NO, 100_00)
        self.relay: Relay = "closed"
        self.is_stuck = False
        self.trips_sent = 0
        self._reacted = 0

    def play(self, verb: Verb, way: Way, much: int) -> None:
        """One step; what is refused changes nothing."""
        try:
            self._play(verb, way, much)
        except Refused:
            return

    def _play(self, verb: Verb, way: Way, much: int) -> None:  # noqa: C901, PLR0912 - one line a verb
        ledger = self.desk.ledger
        match verb:
            case "drain":
                self.desk.adjust(NO, -much)
            case "pay":
                self.desk.recharge(NO, much)
            case "react":
                self.react()
            case "react again":
                self._reacted = 0
                self.react()
            case "send":
                self.carry(way)
            case "send and crash":
                self.carry(way, crash=True)
                self.desk.restart()
            case "sweep":
                self.line.sweep(self.relay)
            case "wait":
                self.desk.clock.pass_by(minutes=much % 45)
            case "restart":
                self.desk.restart()
            case "guarantee":
                guarantee.start(
                    guarantee.StartGuarantee(account_no=NO, reason="exams"), ledger, ACTOR
                )
            case "end guarantee":
                guarantee.end(guarantee.EndGuarantee(account_no=NO, reason="over"), ledger, ACTOR)
            case "dispute":
                dispute.hold(dispute.Dispute(account_no=NO, reason="too fast"), ledger, ACTOR)
            case "release":
                dispute.release(dispute.Dispute(account_no=NO, reason="agreed"), ledger, ACTOR)
            case "trip by hand":
                self.line.request("trip")
            case "close by hand":
                self.line.request("close")
            case "somebody opens it":
                self.relay = "open"

    def react(self) -> None:
        """The policy reads on from where it was."""
        facts = self.desk.recorded()
        for recorded in facts[self._reacted :]:
            steering = steering_of(recorded)
            if steering is not None:
                steer_supply.handle(steering, self.desk.ledger, ACTOR)
        self._reacted = len(facts)

    def newest(self) -> DeviceCommand | None:
        """The newest command of the point."""
        command_id = self.desk.account(NO).points[0].command_id
        if not command_id:
            return None
        found: DeviceCommand = self.desk.fold(DeviceCommand, command_id, 0)
        return found

    def carry(self, way: Way, *, crash: bool = False) -> None:
        """The dispatcher takes the next step of the newest command."""
        command = self.newest()
        if command is None or not command.is_open:
            return
        ledger = self.desk.ledger
        if command.status in SENT:
            if not crash:
                record_seen(command.command_id, command.attempts, self._seen(way), ledger)
            return
        if command.again_at_us > self.desk.clock():
            return
        leave = begin_dispatch(command.command_id, ledger, may_trip=True)
        if not isinstance(leave, Dispatch):
            return
        if leave.kind == "trip":
            self._was_lawful()
        outcome = self._sent(leave.kind, way)
        if crash:
            return
        record_sent(leave.command_id, leave.attempt, outcome, ledger)
        if isinstance(outcome, Ok):
            record_seen(leave.command_id, leave.attempt, self._seen(way), ledger)

    def _was_lawful(self) -> None:
        account = self.desk.account(NO)
        (point,) = account.points
        assert wanted_supply(point, self.desk.clock()) == "off"
        assert what_forbids_a_trip(account, point, self.desk.clock()) is None
        assert account.available_minor <= 0 or point.off_by_hand
        self.trips_sent += 1

    def _sent(self, kind: str, way: Way) -> Outcome:
        if way in {"obeys", "done in silence"} and not self.is_stuck:
            self.relay = SHOWN[kind]
        answers: dict[Way, Outcome] = {
            "obeys": Ok(),
            "stuck": Ok(),
            "lost": NoAnswer(),
            "done in silence": NoAnswer(),
            "offline": Offline("connection refused"),
            "refuses": MeterRefused("busy"),
            "garbles": Garbled("noise"),
        }
        return answers[way]

    def _seen(self, way: Way) -> Outcome:
        if way in {"lost", "offline", "garbles"}:
            return NoAnswer() if way == "lost" else Offline("connection refused")
        return Ok(self.line.state(self.relay))

    def settle(self) -> None:
        """Everything works from now on: the policy, the dispatcher and the poller go their way."""
        for _ in range(60):
            self.react()
            self.carry("obeys")
            self.desk.clock.pass_by(seconds=130)
            self.line.sweep(self.relay)
        self.react()

    def shown(self) -> MeterState:
        """What the meter shows."""
        return self.line.state(self.relay)
