"""One bus, one worker, one request in flight; what is urgent goes before what is next."""

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Final, Literal, NamedTuple

from adapters.devices.breaker import Breakers
from adapters.devices.line import Line
from ledger.devices import (
    COMMAND,
    SWEEP,
    VERIFY,
    Driver,
    Garbled,
    MeterAddress,
    NoAnswer,
    Offline,
    Ok,
    Order,
    Outcome,
    Refused,
)

READ: Final = Order("recall")
OpenDriver = Callable[[Line, str], Driver]
"""A driver of a model on a line; raises KeyError where there is none."""

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Job:
    """One thing to do at one meter, and who waits for it."""

    address: MeterAddress
    what: Literal["read", "execute", "verify"]
    priority: int
    done: Callable[[Outcome], None]
    """Called once, on the bus's own thread: it must return at once."""
    order: Order = READ
    within_s: float = math.inf
    """Nobody wants the answer later than this after the job was queued."""
    swept_before: int = 0
    """How many reads of sweeps the bus had served when the job was queued."""


class BusStatus(NamedTuple):
    """A bus as a monitor sees it; counts are since it began."""

    gateway: str
    is_connected: bool
    queued: int
    answered: int
    refused: int
    unanswered: int
    garbled: int
    offline: int
    silent_units: tuple[int, ...]
    passed_by_max: int
    """Reads of sweeps that went before a waiting command, at worst: what was under way."""


class Bus:
    """All meters behind one gateway; used on its event loop only, but for `status`."""

    def __init__(
        self, line: Line, open_driver: OpenDriver, may_act: Callable[[], bool] = lambda: True
    ) -> None:
        self._line = line
        self._open_driver = open_driver
        self._may_act = may_act
        self._drivers: dict[str, Driver] = {}
        self._breakers = Breakers()
        self._queue: list[tuple[int, int, float, Job]] = []
        self._is_ending = False
        self._swept = 0
        self._passed_by_max = 0
        self._order = count()
        self._arrived = asyncio.Event()
        self._now_s = asyncio.get_running_loop().time
        self._counts: dict[type[Outcome], int] = dict.fromkeys(
            (Ok, Refused, NoAnswer, Garbled, Offline), 0
        )

    def put(self, job: Job) -> None:
        """Queue a job behind those that are as urgent, before those that are less so."""
        stale_at_s = self._now_s() + job.within_s
        job.swept_before = self._swept
        heappush(self._queue, (job.priority, next(self._order), stale_at_s, job))
        self._arrived.set()

    async def run(self) -> None:
        """Serve until cancelled; what was then on its way is as good as unanswered."""
        while not self._is_ending:
            while not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
            _, _, stale_at_s, job = heappop(self._queue)
            try:
                outcome = await self._serve(job, stale_at_s)
            except asyncio.CancelledError:
                self._tell(job, NoAnswer())
                raise
            self._tell(job, outcome)

    def end(self) -> None:
        """Begin nothing more; `run` is cancelled next."""
        self._is_ending = True

    def close(self) -> None:
        """Hang up, once `run` has ended; whoever still waits is told that nothing was sent."""
        self._line.close()
        for _, _, _, job in self._queue:
            self._tell(job, Offline("the bus was stopped"))
        self._queue.clear()

    def status(self) -> BusStatus:
        """Figures for a monitor."""
        counts = self._counts
        return BusStatus(
            self._line.gateway,
            self._line.is_connected,
            len(self._queue),
            counts[Ok],
            counts[Refused],
            counts[NoAnswer],
            counts[Garbled],
            counts[Offline],
            self._breakers.open_units,
            self._passed_by_max,
        )

    def _tell(self, job: Job, outcome: Outcome) -> None:
        self._counts[type(outcome)] += 1
        self._swept += job.priority == SWEEP
        try:
            job.done(outcome)
        except Exception:
            log.exception("Nobody could be told what %s answered.", job.address.meter_no)

    async def _serve(self, job: Job, stale_at_s: float) -> Outcome:
        address, now_s = job.address, self._now_s()
        if job.priority == COMMAND:
            self._passed_by_max = max(self._passed_by_max, self._swept - job.swept_before)
        if now_s >= stale_at_s:
            return Offline("its time was over before its turn came")
        if job.what == "execute" and not self._may_act():
            return Offline("another process acts on the meters")
        # A command and its verification are worth a time-out; a sweep comes again by itself.
        if job.priority > VERIFY and self._breakers.is_open(address.unit, now_s):
            return Offline("the meter did not answer lately and is left alone for a while")
        driver = self._drivers.get(address.model)
        if driver is None:
            try:
                driver = self._drivers[address.model] = self._open_driver(self._line, address.model)
            except KeyError:
                return Refused("model_unknown")
        try:
            outcome = await _asked(driver, job)
        except Exception as error:
            log.exception("The driver of %s failed at %s.", address.model, address.meter_no)
            outcome = Garbled(f"{type(error).__name__}: {error}")
        self._breakers.note(address.unit, outcome, self._now_s())
        return outcome


async def _asked(driver: Driver, job: Job) -> Outcome:
    unit = job.address.unit
    if job.what == "read":
        return await driver.read(unit)
    if job.what == "verify":
        return await driver.verify(unit, job.order)
    return await driver.execute(unit, job.order)
