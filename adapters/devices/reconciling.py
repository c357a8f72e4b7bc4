"""What the poller sees, against what is wanted: each change of relay or clock is told on."""

import logging
import threading
from concurrent.futures import Future
from functools import partial
from typing import Final

from adapters.devices.dispatcher import Dispatcher
from ledger.commands import reconcile_supply
from ledger.commands.watch_clock import is_wrong
from ledger.devices import MeterAddress, MeterState
from ledger.store import Answer, Ledger

AGAIN_US: Final = 300_000_000
"""So often a relay that did not move is told again: what is wanted may have changed."""

Shown = tuple[str, bool]
"""The relay, and whether the clock is wrong."""

log = logging.getLogger(__name__)


class Reconciler:
    """Hands states over without waiting; most of them say nothing new and go no further."""

    def __init__(self, ledger: Ledger, dispatcher: Dispatcher) -> None:
        self._ledger = ledger
        self._dispatcher = dispatcher
        self._agreed: dict[str, tuple[Shown, int]] = {}
        """Meter -> what was as wanted, and until when that is taken for granted."""
        self._lock = threading.Lock()

    def on_state(self, address: MeterAddress, state: MeterState) -> None:
        """A meter showed itself: commands that wait for it go on, its relay is compared."""
        meter_no = address.meter_no
        self._dispatcher.hasten(meter_no)
        shown = state.relay, is_wrong(state.clock_skew_s)
        with self._lock:
            agreed, until_us = self._agreed.get(meter_no, (None, 0))
        now_us = self._ledger.clock()
        if agreed == shown and until_us - AGAIN_US <= now_us < until_us:
            return
        asked = reconcile_supply.submit(meter_no, state, self._ledger)
        if asked is not None:
            asked.add_done_callback(partial(self._told, meter_no, shown))

    def forget(self, meter_no: str) -> None:
        """Something was ordered of this meter: look at it afresh."""
        with self._lock:
            self._agreed.pop(meter_no, None)

    def _told(self, meter_no: str, shown: Shown, answer: "Future[Answer]") -> None:
        error = answer.exception()
        if error is not None:
            log.warning("The relay of %s is compared later: %s", meter_no, error)
        elif not answer.result().body.get("mismatch"):
            with self._lock:
                self._agreed[meter_no] = (shown, self._ledger.clock() + AGAIN_US)
