"""The dispatcher: sends what waits, one order at a time for a meter, and looks what came of it.

Nothing lives only here: the list is rebuilt from the log, every step is decided in the ledger, and
whoever falls over in the middle leaves a command of which the next one reads the meter first.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final, Protocol

from adapters.devices.hearing import HELD_US
from adapters.devices.trip_rate import TripRate
from adapters.devices.waiting import NEVER_US, Waiting, WaitingList
from ledger.aggregates import Refused
from ledger.aggregates.account.supply import TRIP
from ledger.aggregates.command import LONGEST_PAUSE_US, SENT
from ledger.commands.advance_command import (
    CUSTOMER_US,
    Dispatch,
    Progress,
    begin_dispatch,
    recheck,
    record_seen,
    record_sent,
)
from ledger.commands.request_command import ON_THE_LINE_US
from ledger.commands.show_supply import shows
from ledger.devices import MeterAddress, Offline, Ok, Order, OrderKind, Outcome
from ledger.devices import Refused as MeterRefused
from ledger.ports import LogUnavailableError
from ledger.store import Ledger

HANDS: Final = 32
TRIPS_A_MINUTE: Final = 60
LOOKS_S: Final = (0.0, 0.1, 0.4, 1.0)
"""Pauses before each look at a meter that obeys: a relay takes a moment to move."""
ANSWER_S: Final = 60.0
"""A line that keeps an order longer than this has lost it."""
AFTER_FAULT_US: Final = 2_000_000
"""Pause after a fault of our own, or after a step that changed nothing."""
STILL_US: Final = {"held": HELD_US, "awaiting_customer": CUSTOMER_US}
IDLE_S: Final = 1.0

log = logging.getLogger(__name__)


class Fleet(Protocol):
    """The lines to the meters."""

    def submit(self, address: MeterAddress, order: Order) -> "Future[Outcome]":
        """Send an order once."""

    def verify(self, address: MeterAddress, order: Order) -> "Future[Outcome]":
        """Look at the meter afresh."""


class Dispatcher:
    """Carries commands on; `address_of` tells where a meter is reached, None while nowhere.

    `may_trip` False is the kill switch: nothing is cut, everything else goes on. `rate` bounds how
    fast one gateway's customers are cut. `may_act` is asked right before anything is sent: a
    process that slept may have been replaced meanwhile.
    """

    def __init__(
        self,
        ledger: Ledger,
        fleet: Fleet,
        address_of: Callable[[str], MeterAddress | None],
        *,
        may_trip: bool = True,
        rate: TripRate | None = None,
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        self._ledger = ledger
        self._fleet = fleet
        self._address_of = address_of
        self._may_trip = may_trip
        self._rate = rate or TripRate(TRIPS_A_MINUTE)
        self._may_act = may_act
        self._list = WaitingList()
        self._looked_at_us = 0
        self._broken: set[str] = set()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="dispatch")
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def __len__(self) -> int:
        """Open commands."""
        with self._changed:
            return len(self._list)

    def start(self) -> "Dispatcher":
        """Begin to carry on what waits."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish the steps under way and stop; what is left is in the log."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self._thread.join()
        self._hands.shutdown(wait=True)

    def take(self, commands: Iterable[Waiting]) -> None:
        """Commands as the log tells of them."""
        with self._changed:
            now_us = self._ledger.clock()
            for command in commands:
                self._list.put(_soon_enough(command, now_us))
            self._changed.notify()

    def know(self, command_id: str) -> Waiting | None:
        """An open command."""
        with self._changed:
            return self._list.get(command_id)

    def last(self, command_id: str) -> Waiting | None:
        """What was told last of a command, whether it is open or has ended."""
        with self._changed:
            return self._list.last(command_id)

    def hasten(self, meter_no: str) -> None:
        """The meter has just answered: what waits for it goes on at once."""
        with self._changed:
            if self._list.hasten(meter_no, self._ledger.clock()):
                self._changed.notify()

    def free(self) -> None:
        """What kept commands back may be over: all that are held are looked at."""
        with self._changed:
            self._list.free(self._ledger.clock())
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._is_stopping:
                    return
                now_us = self._now_us()
                due = list(self._list.take_due(now_us))
                if not due:
                    wait_us = self._list.wait_us(now_us)
                    self._changed.wait(min(wait_us / 1_000_000, IDLE_S))
            for command in due:
                self._hands.submit(self._carry, command)

    def _now_us(self) -> int:
        """The time; where it went back, nothing waits longer for that."""
        now_us = self._ledger.clock()
        if now_us < self._looked_at_us:
            self._list.set_back(self._looked_at_us - now_us)
        self._looked_at_us = now_us
        return now_us

    def _carry(self, command: Waiting) -> None:
        now_us = self._ledger.clock
        try:
            progress = self._step(command)
            gone_on = _gone_on(command, progress, now_us())
            self._broken.discard(command.command_id)
        except (LogUnavailableError, Refused) as error:
            log.warning("The command %s waits: %s", command.command_id, error)
            gone_on = replace(command, again_at_us=now_us() + AFTER_FAULT_US)
        except Exception:
            if command.command_id not in self._broken:  # It is tried again, and told once.
                self._broken.add(command.command_id)
                log.exception("The command %s could not be carried on.", command.command_id)
            gone_on = replace(command, again_at_us=now_us() + AFTER_FAULT_US)
        with self._changed:
            self._list.done(command)
            self._list.put(gone_on)
            self._changed.notify()

    def _step(self, command: Waiting) -> Progress:
        """The next step of a command: check, send, look; everything recorded as it happens."""
        if command.status == "held":
            return recheck(command.command_id, self._ledger, may_trip=self._may_trip)
        if command.status in SENT:
            return self._look(command, command.attempt, self._address_of(command.meter_no))
        if command.kind != TRIP:
            return self._dispatch(command)
        later_us = self._rate.take_turn(command.gateway, self._ledger.clock())
        if later_us:
            return Progress(command.status, command.attempt, later_us, command.position)
        return self._dispatch(command)

    def _dispatch(self, command: Waiting) -> Progress:
        leave = begin_dispatch(command.command_id, self._ledger, may_trip=self._may_trip)
        if isinstance(leave, Progress):
            if command.kind == TRIP:
                self._rate.give_back(command.gateway)
            return leave
        outcome = self._send(leave, _kind(command))
        progress = record_sent(leave.command_id, leave.attempt, outcome, self._ledger)
        if progress.status in {"acknowledged", "unknown"}:
            return self._look(command, leave.attempt, leave.address)
        return progress

    def _send(self, leave: Dispatch, kind: OrderKind) -> Outcome:
        """Hand an order to the line; a trip that lies there for too long is not sent any more."""
        if not self._may_act():
            return Offline("another process acts on the meters")
        expires_at_us = leave.expires_at_us
        if kind == TRIP:
            expires_at_us = min(expires_at_us, self._ledger.clock() + ON_THE_LINE_US)
        order = Order(kind, expires_at_us or None)
        outcome = _answer(self._fleet.submit(leave.address, order))
        is_expired = isinstance(outcome, MeterRefused) and outcome.code == "expired"
        return Offline("the line did not come to it in time") if is_expired else outcome

    def _look(self, command: Waiting, attempt: int, address: MeterAddress | None) -> Progress:
        """Read the meter until it shows what was ordered, or for long enough."""
        outcome: Outcome = Offline("the meter is not connected")
        order = Order(_kind(command))
        for pause_s in LOOKS_S if address is not None else ():
            time.sleep(pause_s)
            assert address is not None  # noqa: S101 - see the loop
            outcome = _answer(self._fleet.verify(address, order))
            is_clear = not isinstance(outcome, Ok) or shows(command.kind, outcome.state)
            if is_clear or self.know(command.command_id) is None:
                break  # Or a newer order took its place, and waits for this meter.
        return record_seen(command.command_id, attempt, outcome, self._ledger)


def _soon_enough(command: Waiting, now_us: int) -> Waiting:
    """Not later than anything waits: another time was told by a clock that has gone back since."""
    longest_us = HELD_US if command.status == "held" else LONGEST_PAUSE_US
    if now_us + longest_us < command.again_at_us < NEVER_US:
        return replace(command, again_at_us=now_us + longest_us)
    return command


def _kind(command: Waiting) -> OrderKind:
    kind: OrderKind = command.kind  # type: ignore[assignment] # as the ledger took it
    return kind


def _answer(asked: "Future[Outcome]") -> Outcome:
    try:
        return asked.result(ANSWER_S)
    except TimeoutError:
        return Offline("the line did not come to it in time")


def _gone_on(command: Waiting, progress: Progress, now_us: int) -> Waiting:
    again_at_us = progress.again_at_us
    if progress.status == "held":  # What holds it may end sooner than by the clock.
        again_at_us = min(again_at_us, now_us + HELD_US)
    if progress.status in STILL_US and again_at_us <= now_us:
        again_at_us = now_us + STILL_US[progress.status]
    elif progress.status == command.status and again_at_us <= now_us:
        again_at_us = now_us + AFTER_FAULT_US
    return replace(
        command,
        status=progress.status,
        attempt=progress.attempt,
        again_at_us=again_at_us,
        position=progress.position,
    )
