"""The device side: policies, dispatcher and poller over the lines to the meters, as one handle.

Of several processes one acts, by lease; the log tells it everything, so that another takes over
where it fell.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from adapters.devices.dispatcher import Dispatcher
from adapters.devices.figures import device_figures
from adapters.devices.fleet import Fleet
from adapters.devices.hearing import STATUS, heard
from adapters.devices.hearing import TOPICS as COMMAND_TOPICS
from adapters.devices.poller import Poller
from adapters.devices.reconciling import Reconciler
from adapters.devices.waiting import Waiting
from adapters.settings import Settings
from adapters.store.leases import Lease
from adapters.views.device_queue import (
    QueuedCommand,
    due_guarantees,
    find_command,
    line_of,
    open_commands,
)
from adapters.views.following import Following, RememberedFollowing, heads
from adapters.views.meter_lines import meter_addresses
from adapters.wiring import now_us
from ledger.aggregates import Refused
from ledger.commands import guarantee, steer_supply
from ledger.devices import MeterAddress
from ledger.events import Recorded
from ledger.policies.supply import REASONS, steering_of
from ledger.policies.supply import TOPICS as STEERING_TOPICS
from ledger.service import Figure
from ledger.store import Answer, Context, Ledger

FEED: Final = "supply_policy"
POLICY: Final = Context("policy:supply")
POLL_S: Final = 0.1
"""A commit of this process wakes it at once; those of others are found by polling."""
RENEW_S: Final = 2.0
GUARANTEES_S: Final = 5.0
PAUSE_AFTER_ERROR_S: Final = 1.0
TOLD: Final = frozenset({*STATUS, *REASONS})
"""Facts that are worth waking up for."""

log = logging.getLogger(__name__)


class Acting:
    """The threads that run while this process holds the lease."""

    def __init__(
        self, settings: Settings, ledger: Ledger, engine: Engine, may_act: Callable[[], bool]
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        shards = range(ledger.terms.shards)
        self._policy = [RememberedFollowing(engine, n, STEERING_TOPICS, FEED) for n in shards]
        with self._reader.begin() as connection:
            positions, queued = open_commands(connection)
        self._commands = [Following(engine, n, COMMAND_TOPICS, positions.get(n, 0)) for n in shards]
        self._fleet = Fleet(ledger.clock, ZoneInfo(ledger.terms.timezone))
        self.dispatcher = Dispatcher(
            ledger,
            self._fleet,
            self._address_of,
            may_trip=settings.trips == "on",
            trips_a_minute=settings.trips_per_minute,
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
        self.dispatcher.take([self._waiting(command) for command in queued])
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
            due = due_guarantees(connection, self._ledger.clock())
        for each in due:
            guarantee.end_due(each.account_no, each.point, self._ledger)
        return False

    def _steer(self, following: RememberedFollowing, head: int) -> bool:
        items, reached = following.next(head)
        asked: list[Future[Answer]] = []
        for recorded in items:
            steering = steering_of(recorded)
            if steering is not None:
                asked.append(steer_supply.submit(steering, self._ledger, POLICY))
        for answer in asked:
            try:
                answer.result()
            except Refused as refusal:
                log.warning("A point could not be steered: %s", refusal)
        following.went_to(reached)
        return reached < head

    def _hear(self, following: Following, head: int) -> bool:
        items, reached = following.next(head)
        for recorded in items:
            self._hear_one(recorded)
        following.went_to(reached)
        return reached < head

    def _hear_one(self, recorded: Recorded) -> None:
        command_id: str = recorded.event.command_id  # type: ignore[attr-defined] # of a command
        known = self.dispatcher.know(command_id)
        if known is None and STATUS[type(recorded.event)] != "requested":
            with self._reader.begin() as connection:
                queued = find_command(connection, command_id)
            known = None if queued is None else self._waiting(queued)
        word = heard(recorded, known, self._gateway_of)
        self.dispatcher.take([word])
        self._reconciler.forget(word.meter_no)

    def _waiting(self, queued: QueuedCommand) -> Waiting:
        return Waiting(
            command_id=queued.command_id,
            kind=queued.kind,
            meter_no=queued.meter_no,
            gateway=self._gateway_of(queued.meter_no),
            status=queued.status,
            attempt=queued.attempts,
            again_at_us=queued.again_us,
            position=queued.position,
        )

    def _address_of(self, meter_no: str) -> MeterAddress | None:
        with self._reader.begin() as connection:
            found = line_of(connection, meter_no)
        return None if found is None else MeterAddress(meter_no, *found)

    def _gateway_of(self, meter_no: str) -> str:
        address = self._address_of(meter_no)
        return "" if address is None else address.gateway

    def _addresses(self) -> Sequence[MeterAddress]:
        with self._reader.begin() as connection:
            return meter_addresses(connection)

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


class DeviceSide:
    """Acts on the meters while this process holds the lease, and tries to get it while not."""

    def __init__(self, settings: Settings, ledger: Ledger, engine: Engine) -> None:
        self._settings = settings
        self._ledger = ledger
        self._engine = engine
        self._lease = Lease(engine, "devices", ledger.new_id(), now_us)  # Real time for all.
        self._stopping = threading.Event()
        self.acting: Acting | None = None
        self._thread = threading.Thread(target=self._run, name="devices", daemon=True)
        ledger.watch(self._committed)

    def start(self) -> Self:
        """Begin to try."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish what is under way and let another process act."""
        self._stopping.set()
        self._thread.join()

    def figures(self) -> list[Figure]:
        """What a monitor reads; nothing while another process acts."""
        acting = self.acting
        return [] if acting is None else acting.figures()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._try()
            except Exception:
                log.exception("The device side could not begin and tries again.")
            self._stopping.wait(RENEW_S)
        self._end()
        try:
            self._lease.give_back()
        except Exception:
            log.exception("The lease on the devices runs out by itself.")

    def _try(self) -> None:
        if not self._lease.renew():
            self._end()
        elif self.acting is None:
            acting = Acting(self._settings, self._ledger, self._engine, lambda: self._lease.is_held)
            self.acting = acting.start()

    def _end(self) -> None:
        if self.acting is not None:
            self.acting.stop()
            self.acting = None

    def _committed(self, recorded: Sequence[Recorded]) -> None:
        acting = self.acting
        if acting is not None and not TOLD.isdisjoint([type(each.event) for each in recorded]):
            acting.wake.set()


def start_devices(settings: Settings, ledger: Ledger, engine: Engine) -> DeviceSide | None:
    """Begin to act on meters, where the settings want it; `stop()` ends it."""
    return DeviceSide(settings, ledger, engine).start() if settings.devices == "on" else None
