"""What falls due by time alone: fixed charges of silent meters, trips behind a no-cut window."""

import logging
import threading
from collections.abc import Callable
from typing import Final, Self

from sqlalchemy import Engine

from adapters.views.batch_lists import due_batches
from adapters.views.device_queue import due_holds, due_switches
from adapters.views.silent import silent_accounts
from ledger.aggregates.account.fixed_fees import SILENT_US
from ledger.commands import (
    Json,
    accrue_fixed,
    command_batches,
    decide_due,
    switch_trips,
)
from ledger.ports import LogUnavailableError
from ledger.projections.holds import NO_CUT
from ledger.store import Context, Ledger

FIRST_S: Final = 60.0
EVERY_S: Final = 900.0
TRIPS_EVERY_S: Final = 5.0
AT_ONCE: Final = 500
"""Decisions handed over together; payments go between them."""
STILL_US: Final = 30_000_000
"""A batch that has not moved for so long was left half-way."""
CONTEXT: Final = Context("scheduler", "fixed charges due")

log = logging.getLogger(__name__)


def accrue_due(ledger: Ledger, engine: Engine, now_us: int, context: Context = CONTEXT) -> Json:
    """Charge every silent meter's days that are due at a time; again at once changes nothing."""
    total: Json = {"looked_at": 0, "accounts": 0, "days": 0}
    for numbers in silent_accounts(engine, ledger.terms.shards, now_us - SILENT_US):
        body = accrue_fixed.handle(numbers, ledger, context)
        total = {name: found + body[name] for name, found in total.items()}
    return total


def decide_due_trips(
    ledger: Ledger, engine: Engine, now_us: int, stuck: set[str] | None = None
) -> Json:
    """Decide again about everybody whose trip was put off until now; again changes nothing.

    Whoever cannot be decided about keeps nobody else waiting; `stuck` are those told of before.
    """
    known = set[str]() if stuck is None else stuck
    with engine.execution_options(read_only=True).begin() as connection:
        due = due_holds(connection, NO_CUT, now_us)
    numbers = sorted({each.account_no for each in due})
    changed = 0
    for some in (numbers[at : at + AT_ONCE] for at in range(0, len(numbers), AT_ONCE)):
        asked = [(number, decide_due.submit(number, ledger)) for number in some]
        for number, answer in asked:
            try:
                changed += bool(answer.result().body["changed"])
            except LogUnavailableError:
                raise
            except Exception:
                if number not in known:  # It is tried again each time, and told once.
                    known.add(number)
                    log.exception("The trip of %s could not be decided and stays put off.", number)
    return {"looked_at": len(numbers), "changed": changed}


class Clockwork:
    """Looks for what is due, again and again; several processes may, and nothing is done twice."""

    def __init__(
        self,
        ledger: Ledger,
        engine: Engine,
        every_s: float = EVERY_S,
        trips_every_s: float = TRIPS_EVERY_S,
    ) -> None:
        self._ledger = ledger
        self._engine = engine
        self._stuck: set[str] = set()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=duty, name=f"clockwork-{name}", daemon=True)
            for name, *duty in (
                ("charges", self.due, every_s, "Fixed charges could not be accrued"),
                ("trips", self.due_trips, trips_every_s, "Due trips could not be decided"),
                ("batches", self.due_batches, trips_every_s, "A batch could not go on"),
            )
        ]

    def start(self) -> Self:
        """Begin to look."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Finish what is under way and stop."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def due(self, now_us: int) -> Json:
        """Charge what is due at a time."""
        return accrue_due(self._ledger, self._engine, now_us)

    def due_trips(self, now_us: int) -> Json:
        """Decide the trips that are due at a time, and let those go on that were suspended."""
        with self._engine.execution_options(read_only=True).begin() as connection:
            sites = due_switches(connection, now_us)
        for site in sites:
            switch_trips.end_due(site, self._ledger)
        return decide_due_trips(self._ledger, self._engine, now_us, self._stuck)

    def due_batches(self, now_us: int) -> Json:
        """End what nobody approved in time, and carry on what was left half-way."""
        with self._engine.execution_options(read_only=True).begin() as connection:
            due = due_batches(connection, now_us, now_us - STILL_US)
        for batch_id, status, actor in due:
            if status == "running":
                command_batches.carry_on(batch_id, self._ledger, Context(actor))
            else:
                command_batches.expire_due(batch_id, self._ledger)
        return {"looked_at": len(due)}

    def _run(self, duty: Callable[[int], Json], every_s: float, failed: str) -> None:
        wait_s = min(FIRST_S, every_s)
        while not self._stopping.wait(wait_s):
            wait_s = every_s
            try:
                duty(self._ledger.clock())
            except Exception:
                log.exception("%s; they are tried again.", failed)
