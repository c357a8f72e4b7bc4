"""The poller: every meter is read when it is due, and what it shows is charged and looked at."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple, Self

from adapters.devices.fleet import Fleet, Swept
from adapters.devices.recording import BATCH, Recording, State, Tally
from ledger.commands.watch_clock import is_wrong
from ledger.devices import MeterAddress, MeterState, Ok, Outcome
from ledger.store import Context, Ledger

ACTOR: Final = Context("poller")
LINGER_S: Final = 1.0
"""A reading waits no longer for others to be recorded with."""
REFRESH_S: Final = 15.0
"""So often it is asked which meters there are and what they are charged by."""

Addresses = Callable[[], Sequence[MeterAddress]]
OnState = Callable[[MeterAddress, MeterState], None]
log = logging.getLogger(__name__)


class PollerStatus(NamedTuple):
    """The poller as a monitor sees it."""

    meters: int
    in_flight: int
    held: int
    silent: int
    """Meters whose last read brought no state."""
    clocks_wrong: int
    """Meters whose clock was too far off when they were read last."""
    tally: Tally


class Poller:
    """Reads each meter every `interval_s`; `on_state` is told of every state, after its charge."""

    def __init__(
        self,
        fleet: Fleet,
        ledger: Ledger,
        addresses: Addresses,
        *,
        interval_s: float = 60.0,
        on_state: OnState | None = None,
    ) -> None:
        self._fleet = fleet
        self._addresses = addresses
        self._interval_s = interval_s
        self._on_state = on_state
        self._recording = Recording(ledger, ACTOR)
        self._meters: dict[str, MeterAddress] = {}
        self._due_s: dict[str, float] = {}
        self._in_flight: set[str] = set()
        self._silent: set[str] = set()
        self._clocks_wrong: set[str] = set()
        self._arrived: SimpleQueue[Swept] = SimpleQueue()
        self._refresh_at_s = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)
        self.last_seen_us: dict[str, int] = {}
        """When each meter last answered, by meter number."""

    def start(self) -> Self:
        """Begin with every meter."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Record what arrived and end; before the fleet is stopped."""
        self._stopping.set()
        self._thread.join()

    def status(self) -> PollerStatus:
        """Figures for a monitor."""
        return PollerStatus(
            len(self._meters),
            len(self._in_flight),
            self._recording.held,
            len(self._silent),
            len(self._clocks_wrong),
            self._recording.tally,
        )

    def sweep_once(self) -> tuple[Tally, list[Swept]]:
        """Read every meter once, in the caller's thread; what was recorded, and who was silent."""
        self._refresh()
        silent: list[Swept] = []
        tally = Tally()
        for batch in self._fleet.sweep(tuple(self._meters.values()), self._interval_s):
            tally = tally.plus(self._take(batch))
            silent += [swept for swept in batch if not isinstance(swept[1], Ok)]
        return tally, silent

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._begin_due()
                self._take(self._gathered())
            except Exception:
                log.exception("The poller stopped at an error and goes on.")
                self._stopping.wait(LINGER_S)
        self._take([self._arrived.get_nowait() for _ in range(self._arrived.qsize())])

    def _begin_due(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._refresh_at_s:
            self._refresh()
            self._refresh_at_s = now_s + min(REFRESH_S, self._interval_s)
        due = [
            address
            for meter_no, address in self._meters.items()
            if self._due_s.get(meter_no, now_s) <= now_s and meter_no not in self._in_flight
        ]
        for place, address in enumerate(due, 1):
            known_s = self._due_s.get(address.meter_no)
            # All begin at once; from then on their beats are spread over the interval, and a late
            # read does not move the later ones.
            beat_s = now_s + self._interval_s * place / len(due)
            if known_s is not None:
                beat_s = max(known_s + self._interval_s, now_s)
            self._due_s[address.meter_no] = beat_s
        self._in_flight.update(address.meter_no for address in due)
        if due:
            self._fleet.begin_sweep(due, self._deliver, self._interval_s)

    def _refresh(self) -> None:
        self._meters = {address.meter_no: address for address in self._addresses()}
        self._recording.forget()
        for gone in self._due_s.keys() - self._meters.keys():
            del self._due_s[gone]
            self._silent.discard(gone)
            self._clocks_wrong.discard(gone)

    def _deliver(self, address: MeterAddress, outcome: Outcome) -> None:
        self._arrived.put((address, outcome))

    def _gathered(self) -> list[Swept]:
        """What arrives within the time that a reading may wait."""
        gathered: list[Swept] = []
        until_s = time.monotonic() + LINGER_S
        while len(gathered) < BATCH and not self._stopping.is_set():
            try:
                gathered.append(self._arrived.get(timeout=max(0.0, until_s - time.monotonic())))
            except Empty:
                break
        return gathered

    def _take(self, swept: Sequence[Swept]) -> Tally:
        states: list[State] = []
        for address, outcome in swept:
            self._in_flight.discard(address.meter_no)
            if isinstance(outcome, Ok) and outcome.state is not None:
                self._silent.discard(address.meter_no)
                self.last_seen_us[address.meter_no] = outcome.state.at_us
                if is_wrong(outcome.state.clock_skew_s):
                    self._clocks_wrong.add(address.meter_no)
                else:
                    self._clocks_wrong.discard(address.meter_no)
                states.append((address, outcome.state))
            else:
                self._silent.add(address.meter_no)
        tally = self._recording.take(states)
        for address, state in states:
            self._show(address, state)
        return tally

    def _show(self, address: MeterAddress, state: MeterState) -> None:
        if self._on_state is None:
            return
        try:
            self._on_state(address, state)
        except Exception:
            log.exception("The state of %s could not be looked at.", address.meter_no)
