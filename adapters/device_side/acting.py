"""What acts on the meters: policy, dispatcher, poller and reconciliation, each on its thread."""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from adapters.device_side.aside import HEARING, POLICY, STEERING, SetAside, readable
from adapters.devices.dispatcher import Dispatcher
from adapters.devices.figures import device_figures
from adapters.devices.fleet import Fleet
from adapters.devices.hearing import HELD_US, STATUS, heard
from adapters.devices.hearing import TOPICS as COMMAND_TOPICS
from adapters.devices.poller import Poller
from adapters.devices.reconciling import Reconciler
from adapters.devices.trip_rate import MINUTE_US, SentTrip, TripRate
from adapters.devices.waiting import NEVER_US, Waiting
from adapters.settings import Settings
from adapters.views.device_queue import (
    DueHold,
    QueuedCommand,
    due_holds,
    find_command,
    line_of,
    open_commands,
)
from adapters.views.following import Following, RememberedFollowing, heads
from adapters.views.meter_lines import meter_addresses
from adapters.views.recent_trips import recent_trips
from ledger.commands import guarantee, steer_supply
from ledger.devices import MeterAddress
from ledger.events import Recorded
from ledger.events.trips import TripsResumed
from ledger.policies.supply import TOPICS as STEERING_TOPICS
from ledger.policies.supply import steering_of
from ledger.ports import LogUnavailableError
from ledger.projections.batch import Unreadable
from ledger.projections.commands import ENDED
from ledger.service import Figure
from ledger.store import Answer, Ledger

POLL_S: Final = 0.1
"""A commit of this process wakes it at once; those of others are found by polling."""
GUARANTEES_S: Final = 5.0
PAUSE_AFTER_ERROR_S: Final = 1.0

log = logging.getLogger(__name__)


class Acting:
    """The threads that run while this process holds the lease."""

    def __init__(
        self, settings: Settings, ledger: Ledger, engine: Engine, may_act: Callable[[], bool]
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        self._gateways: dict[str, str] = {}
        self._aside = SetAside(engine)
        self._unended: set[DueHold] = set()
        shards = range(ledger.terms.shards)
        self._policy = [RememberedFollowing(engine, n, STEERING_TOPICS, STEERING) for n in shards]
        with self._reader.begin() as connection:
            positions, queued = open_commands(connection)
        self._addresses()  # At once: a lease is not held for long by who asks for each of many.
        topics = COMMAND_TOPICS | {TripsResumed.TOPIC}
        self._commands = [Following(engine, n, topics, positions.get(n, 0)) for n in shards]
        self._fleet = Fleet(ledger.clock, ZoneInfo(ledger.terms.timezone), may_act=may_act)
        self.dispatcher = Dispatcher(
            ledger,
            self._fleet,
            self._address_of,
            may_trip=settings.trips == "on",
            rate=self._rate(settings.trips_per_minute),
            may_act=may_act,
        )
        self._reconciler = Reconciler(ledger, self.dispatcher)
        self.poller = Poller(
            self._fleet,
            ledger,
            self._addresses,
            interval_s=float(settings.poll_interval_s),
            on_state=self._reconciler.on_state,
        )
        self.dispatcher.take([_waiting(command, self._gateway_lately) for command in queued])
        self.wake = threading.Event()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(step, pause_s), name=name, daemon=True)
            for name, step, pause_s in (
                ("follow", self.follow, POLL_S),
                ("guarantees", self.end_guarantees, GUARANTEES_S),
            )
        ]

    def start(self) -> Self:
        """Begin."""
        self._fleet.start()
        self.dispatcher.start()
        self.poller.start()
        for thread in self._threads:
            thread.start()
        return self

    def figures(self) -> list[Figure]:
        """What a monitor reads of the buses and the poller."""
        return device_figures(self._fleet.status(), self.poller.status())

    def stop(self) -> None:
        """Finish the steps under way and stop."""
        self._stopping.set()
        self.wake.set()
        for thread in self._threads:
            thread.join()
        self.poller.stop()
        self.dispatcher.stop()
        self._fleet.stop()
        for following in self._policy:
            following.save()

    def follow(self) -> bool:
        """Steer what has to be steered and hear what became of commands; whether more is there."""
        is_behind = False
        for shard, head in heads(self._engine).items():
            is_behind = self._steer(self._policy[shard], head) or is_behind
            is_behind = self._hear(self._commands[shard], head) or is_behind
        return is_behind

    def end_guarantees(self) -> bool:
        """Let guarantees end whose time has passed."""
        with self._reader.begin() as connection:
            due = due_holds(connection, "guarantee", self._ledger.clock())
        for each in due:
            self._end_one(each)
        return False

    def _end_one(self, due: DueHold) -> None:
        try:
            guarantee.end_due(due.account_no, due.point, self._ledger)
        except LogUnavailableError:
            raise
        except Exception:
            if due not in self._unended:  # It is tried again each time, and told once.
                self._unended.add(due)
                log.exception("The guarantee of %s could not be ended.", due.account_no)

    def _steer(self, following: RememberedFollowing, head: int) -> bool:
        items, reached = following.next(head)
        asked: list[tuple[Recorded | Unreadable, Future[Answer]]] = []
        for item in items:
            with self._aside.what_breaks(STEERING, item):
                steering = steering_of(readable(item))
                if steering is not None:
                    asked.append((item, steer_supply.submit(steering, self._ledger, POLICY)))
        for recorded, answer in asked:
            with self._aside.what_breaks(STEERING, recorded):
                self._steered(answer.result())
        following.went_to(reached)
        return reached < head

    def _steered(self, answer: Answer) -> None:
        """What was ordered waits at once; the log tells of it as well, to whoever acts then."""
        body = answer.body
        if answer.replayed or not body.get("positions") or "command_id" not in body:
            return
        (position,) = body["positions"].values()
        command = Waiting(
            command_id=body["command_id"],
            kind=body["kind"],
            meter_no=body["meter_no"],
            gateway=self._gateway_of(body["meter_no"]),
            status=body["status"],
            attempt=body["attempts"],
            again_at_us=self._free_at(body["again_at_us"]) if body["status"] == "held" else 0,
            position=position,
        )
        self.dispatcher.take([command])
        self._reconciler.forget(command.meter_no)

    def _free_at(self, until_us: int) -> int:
        """When to look at a held command: as the clock says, else when something is told."""
        return min(until_us, self._ledger.clock() + HELD_US) if until_us else NEVER_US

    def _hear(self, following: Following, head: int) -> bool:
        items, reached = following.next(head)
        for item in items:
            with self._aside.what_breaks(HEARING, item):
                self._hear_one(readable(item))
        following.went_to(reached)
        return reached < head

    def _hear_one(self, recorded: Recorded) -> None:
        if isinstance(recorded.event, TripsResumed):
            self.dispatcher.free()
            return
        command_id: str = recorded.event.command_id  # type: ignore[attr-defined] # of a command
        known = self.dispatcher.last(command_id)
        if known is not None:
            self._reconciler.forget(known.meter_no)
            if known.position >= recorded.position:
                return
        status = STATUS[type(recorded.event)]
        if known is None and status in ENDED:
            return  # Nobody here waited for it.
        if known is None and status != "requested":
            known = self._found(command_id)
        self.dispatcher.take([heard(recorded, known, self._gateway_of)])

    def _found(self, command_id: str) -> Waiting | None:
        with self._reader.begin() as connection:
            queued = find_command(connection, command_id)
        return None if queued is None else _waiting(queued, self._gateway_of)

    def _rate(self, trips_a_minute: int) -> TripRate:
        """Whoever acted before may have cut customers within this minute: they count."""
        recent = recent_trips(self._engine, self._ledger.clock() - MINUTE_US)
        sent = [SentTrip(self._gateway_lately(trip.meter_no), trip.at_us) for trip in recent]
        return TripRate(trips_a_minute, sent)

    def _address_of(self, meter_no: str) -> MeterAddress | None:
        with self._reader.begin() as connection:
            found = line_of(connection, meter_no)
        return None if found is None else MeterAddress(meter_no, *found)

    def _gateway_lately(self, meter_no: str) -> str:
        """Behind which gateway a meter was when all were looked up; empty where none was."""
        return self._gateways.get(meter_no, "")

    def _gateway_of(self, meter_no: str) -> str:
        """Behind which gateway a meter is, as it was lately: it only says who waits for whom."""
        gateway = self._gateways.get(meter_no)
        if gateway is None:
            address = self._address_of(meter_no)
            gateway = "" if address is None else address.gateway
            if gateway:
                self._gateways[meter_no] = gateway
        return gateway

    def _addresses(self) -> Sequence[MeterAddress]:
        with self._reader.begin() as connection:
            addresses = meter_addresses(connection)
        self._gateways = {each.meter_no: each.gateway for each in addresses}
        return addresses

    def _run(self, step: Callable[[], bool], pause_s: float) -> None:
        wake = self.wake if step == self.follow else self._stopping
        while not self._stopping.is_set():
            try:
                if step():
                    continue
            except Exception:
                log.exception("The device side stopped at an error and goes on.")
                self._stopping.wait(PAUSE_AFTER_ERROR_S)
            wake.wait(pause_s)
            if wake is self.wake:
                wake.clear()


def _waiting(queued: QueuedCommand, gateway_of: Callable[[str], str]) -> Waiting:
    return Waiting(
        command_id=queued.command_id,
        kind=queued.kind,
        meter_no=queued.meter_no,
        gateway=gateway_of(queued.meter_no),
        status=queued.status,
        attempt=queued.attempts,
        again_at_us=0 if queued.status == "held" else queued.again_us,
        position=queued.position,
    )
