"""Life in the town goes on: who is well off pays in time; the others wait for the visitor."""

import logging
import threading
from typing import Final, Self

from adapters.demo.purses import Purses
from adapters.demo.town import Town
from ledger.aggregates import Refused
from ledger.ports import LogUnavailableError
from ledger.store import Ledger

LOOK_EVERY_S: Final = 2.0
PAYMENTS_MAX: Final = 50
"""At one look, so that the counter is never crowded."""

log = logging.getLogger(__name__)


class Life:
    """`with` it, customers look at their balances and pay; what a visitor does is left alone."""

    def __init__(self, town: Town, ledger: Ledger, before: Purses) -> None:
        self._clock = town.clock
        self._well = [each for each in town.people if each.customer.fate == "well"]
        self.purses = Purses(ledger, "L", before)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="life", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def pay(self) -> int:
        """Let everybody look at their balance once; how many paid."""
        wanted = [(each, amount) for each in self._well if (amount := self.purses.wanted(each))]
        self.purses.credit(wanted[:PAYMENTS_MAX], self._clock.now_us())
        return len(wanted[:PAYMENTS_MAX])

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.pay()
            except (LogUnavailableError, Refused) as error:
                log.warning("Nobody could pay just now: %s", error)
