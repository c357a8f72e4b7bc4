"""What falls due by time alone: the fixed charges of meters that are silent."""

import logging
import threading
from typing import Final, Self

from sqlalchemy import Engine

from adapters.views.silent import silent_accounts
from ledger.aggregates.account.fixed_fees import SILENT_US
from ledger.commands import Json, accrue_fixed
from ledger.store import Context, Ledger

FIRST_S: Final = 60.0
EVERY_S: Final = 900.0
CONTEXT: Final = Context("scheduler", "fixed charges due")

log = logging.getLogger(__name__)


def accrue_due(ledger: Ledger, engine: Engine, now_us: int, context: Context = CONTEXT) -> Json:
    """Charge every silent meter's days that are due at a time; again at once changes nothing."""
    total: Json = {"looked_at": 0, "accounts": 0, "days": 0}
    for numbers in silent_accounts(engine, ledger.terms.shards, now_us - SILENT_US):
        body = accrue_fixed.handle(numbers, ledger, context)
        total = {name: found + body[name] for name, found in total.items()}
    return total


class Clockwork:
    """Looks for what is due, again and again; several processes may, and nothing is done twice."""

    def __init__(self, ledger: Ledger, engine: Engine, every_s: float = EVERY_S) -> None:
        self._ledger = ledger
        self._engine = engine
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clockwork", daemon=True)

    def start(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish what is under way and stop."""
        self._stopping.set()
        self._thread.join()

    def due(self, now_us: int) -> Json:
        """Do what is due at a time."""
        return accrue_due(self._ledger, self._engine, now_us)

    def _run(self) -> None:
        wait_s = min(FIRST_S, self._every_s)
        while not self._stopping.wait(wait_s):
            wait_s = self._every_s
            try:
                self.due(self._ledger.clock())
            except Exception:
                log.exception("Fixed charges could not be accrued; they are tried again.")
