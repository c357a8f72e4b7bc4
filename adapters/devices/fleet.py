"""All buses of this process, on one event loop in one thread; other threads hand over jobs."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Final, Literal, Self
from zoneinfo import ZoneInfo

from adapters.devices.acrel_modbus import MODELS, AcrelModbus
from adapters.devices.bus import READ, Bus, BusStatus, Job
from adapters.devices.line import Line, Timing
from ledger.devices import (
    COMMAND,
    SWEEP,
    VERIFY,
    Driver,
    MeterAddress,
    Offline,
    Order,
    Outcome,
)

BATCH: Final = 500
SWEEP_S: Final = 60.0
AGAIN_S: Final = 0.5
"""A bus that did not hear of its end is told again."""
Swept = tuple[MeterAddress, Outcome]
Deliver = Callable[[MeterAddress, Outcome], None]


class Fleet:
    """Every meter that this process talks to. `clock` gives UTC microseconds.

    A command waits for at most one request of a sweep; one gateway never waits for another.
    `may_act` is asked before each order leaves: it may have waited while another process took over.
    """

    def __init__(
        self,
        clock: Callable[[], int],
        timezone: ZoneInfo,
        timing: Timing | None = None,
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        self._clock = clock
        self._timezone = timezone
        self._timing = timing
        self._may_act = may_act
        self._buses: dict[str, Bus] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="buses", daemon=True)
        self._is_stopped = False
        self._lock = threading.Lock()

    def start(self) -> Self:
        """Begin; gateways are connected when somebody first asks for a meter behind them."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End after the requests in flight were given up; all that waits is told `Offline`."""
        with self._lock:
            if self._is_stopped:
                return
            self._is_stopped = True
            if self._thread.ident is None:  # It was never started.
                self._loop.close()
                return
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def submit(self, address: MeterAddress, order: Order) -> "Future[Outcome]":
        """Send an order once, before everything else that waits for this bus."""
        return self._asked(address, "execute", COMMAND, order)

    def verify(self, address: MeterAddress, order: Order) -> "Future[Outcome]":
        """A fresh state of a meter that was given an order."""
        return self._asked(address, "verify", VERIFY, order)

    def read(self, address: MeterAddress, priority: int = VERIFY) -> "Future[Outcome]":
        """A state of a meter."""
        return self._asked(address, "read", priority, READ)

    def sweep(
        self, addresses: Sequence[MeterAddress], within_s: float = SWEEP_S
    ) -> Iterator[list[Swept]]:
        """Read many meters; batches as they come, until each was read or its time was over."""
        arrived: SimpleQueue[Swept] = SimpleQueue()
        self.begin_sweep(addresses, lambda address, got: arrived.put((address, got)), within_s)
        left = len(addresses)
        while left:
            batch = [arrived.get()]
            while len(batch) < BATCH and not arrived.empty():
                batch.append(arrived.get())
            left -= len(batch)
            yield batch

    def begin_sweep(
        self, addresses: Sequence[MeterAddress], deliver: Deliver, within_s: float = SWEEP_S
    ) -> None:
        """The same without waiting: `deliver` runs on the buses' thread and returns at once."""
        self._hand_over(
            [
                Job(address, "read", SWEEP, partial(deliver, address), within_s=within_s)
                for address in addresses
            ]
        )

    def status(self) -> list[BusStatus]:
        """Figures of every bus, by gateway."""
        return [bus.status() for _, bus in sorted(self._buses.copy().items())]

    def _asked(
        self,
        address: MeterAddress,
        what: Literal["read", "execute", "verify"],
        priority: int,
        order: Order,
    ) -> "Future[Outcome]":
        answer: Future[Outcome] = Future()
        answer.set_running_or_notify_cancel()  # What is queued is done; nobody takes it back.
        self._hand_over([Job(address, what, priority, answer.set_result, order)])
        return answer

    def _hand_over(self, jobs: Sequence[Job]) -> None:
        with self._lock:
            if not self._is_stopped:
                self._loop.call_soon_threadsafe(self._put, jobs)
                return
        for job in jobs:
            job.done(Offline("the buses are stopped"))

    def _put(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            try:
                bus = self._bus(job.address.gateway)
            except ValueError as error:
                job.done(Offline(str(error)))
            else:
                bus.put(job)

    def _bus(self, gateway: str) -> Bus:
        bus = self._buses.get(gateway)
        if bus is None:
            bus = self._buses[gateway] = Bus(
                Line(gateway, self._timing), self._open_driver, self._may_act
            )
            self._tasks.add(self._loop.create_task(bus.run(), name=gateway))
        return bus

    def _open_driver(self, line: Line, model: str) -> Driver:
        if model not in MODELS:
            raise KeyError(model)
        return AcrelModbus(line, model, self._clock, self._timezone)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        await self._stopping.wait()
        for bus in self._buses.values():
            bus.end()
        left = self._tasks
        while left:
            for task in left:
                task.cancel()
            # Where an answer comes at this very moment, `asyncio.wait_for` of Python 3.11 takes it
            # and passes the end over.
            _, left = await asyncio.wait(left, timeout=AGAIN_S)
        for bus in self._buses.values():
            bus.close()
