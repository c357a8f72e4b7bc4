"""The device side: policies, dispatcher and poller over the lines to the meters, as one handle.

Of several processes one acts, by lease; the log tells it everything, so that another takes over
where it fell.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Final, Self

from sqlalchemy import Engine

from adapters.device_side.acting import Acting
from adapters.devices.hearing import STATUS
from adapters.settings import Settings
from adapters.store.leases import Lease
from adapters.wiring import now_us
from ledger.events import Recorded
from ledger.events.trips import TripsResumed
from ledger.policies.supply import REASONS
from ledger.service import Figure
from ledger.store import Ledger

RENEW_S: Final = 2.0
TOLD: Final = frozenset({*STATUS, *REASONS, TripsResumed})
"""Facts that are worth waking up for."""

log = logging.getLogger(__name__)


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
        try:
            self._end()
        except Exception:
            log.exception("The device side ended with an error; the log tells it all again.")
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
        acting, self.acting = self.acting, None  # Whatever breaks, it is not held to be at work.
        if acting is not None:
            acting.stop()

    def _committed(self, recorded: Sequence[Recorded]) -> None:
        acting = self.acting
        if acting is not None and not TOLD.isdisjoint([type(each.event) for each in recorded]):
            acting.wake.set()


def start_devices(settings: Settings, ledger: Ledger, engine: Engine) -> DeviceSide | None:
    """Begin to act on meters, where the settings want it; `stop()` ends it."""
    return DeviceSide(settings, ledger, engine).start() if settings.devices == "on" else None
