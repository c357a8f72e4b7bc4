"""The meter park: gateways with their meters, built from a seed, in a loop of its own thread."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self, TypeVar

from adapters.devices.park.clock import ParkClock
from adapters.devices.park.draws import draw
from adapters.devices.park.gateway import SLOW_ANSWER_S, Gateway
from adapters.devices.park.load import HOUR_US, KINDS, load_shape
from adapters.devices.park.meter import SimulatedMeter
from ledger.devices import MeterAddress

Answer = TypeVar("Answer")
UTC_OFFSET_US: Final = 8 * HOUR_US
"""Local time of the meters where nothing else is said: China."""
SHAPES: Final = 8
"""Different weeks of each kind of customer."""
UNITS_MAX: Final = 247
THREE_PHASE_EVERY: Final = 10
CALL_TIMEOUT_S: Final = 30.0


class Park:
    """Gateways and their meters; `async with` serves in this loop, `running()` in a thread."""

    def __init__(self, clock: ParkClock, *, seed: int = 1, offset_us: int = UTC_OFFSET_US) -> None:
        self.clock = clock
        self.seed = seed
        self.offset_us = offset_us
        self.gateways: list[Gateway] = []
        self._by_number: dict[str, SimulatedMeter] = {}

    def gateway(
        self, port: int = 0, *, baud: int | None = None, slow_answer_s: float = SLOW_ANSWER_S
    ) -> Gateway:
        """Add a gateway on loopback; port 0 draws one when it comes up."""
        self.gateways.append(Gateway(port=port, baud=baud, slow_answer_s=slow_answer_s))
        return self.gateways[-1]

    def meter(
        self, gateway: Gateway, meter_no: str, model: str = "DDSY1352", unit: int | None = None
    ) -> SimulatedMeter:
        """Add a meter to a gateway; kind of customer and size are drawn by its number."""
        kind = KINDS[draw(len(KINDS), self.seed, meter_no, "kind")]
        shape = load_shape(kind, draw(SHAPES, self.seed, meter_no, "shape"), self.offset_us)
        unit = len(gateway.units) + 1 if unit is None else unit
        meter = SimulatedMeter(meter_no, model, unit, self.clock, shape)
        meter.draw_times(500 + draw(1000, self.seed, meter_no, "size"))
        gateway.connect(meter)
        self._by_number[meter_no] = meter
        return meter

    def fill(
        self,
        gateways: int,
        meters: int,
        port: int = 0,
        *,
        baud: int | None = None,
        model: str | None = None,
    ) -> Self:
        """So many meters evenly behind so many gateways, on ports from `port` on.

        Without a `model` most have one phase and some have three; each circuit of an ADF300L is a
        meter with a unit id of its own.
        """
        if meters > gateways * UNITS_MAX:
            raise ValueError(f"a gateway has at most {UNITS_MAX} meters")
        added = [
            self.gateway(port + number if port else 0, baud=baud) for number in range(gateways)
        ]
        for number in range(meters):
            usual = "DDSY1352" if (number + 1) % THREE_PHASE_EVERY else "DTSY1352"
            gateway = added[number * gateways // meters]
            self.meter(gateway, f"M{number + 1:06d}", model or usual)
        return self

    def __getitem__(self, meter_no: str) -> SimulatedMeter:
        """A meter by its number."""
        return self._by_number[meter_no]

    def __iter__(self) -> Iterator[SimulatedMeter]:
        """All meters, gateway by gateway."""
        return (meter for gateway in self.gateways for meter in gateway.units.values())

    def __len__(self) -> int:
        """How many meters there are."""
        return len(self._by_number)

    def addresses(self) -> list[MeterAddress]:
        """Where each meter is reached; ports are known once the gateways are up."""
        return [
            MeterAddress(meter.meter_no, gateway.address, unit, meter.model)
            for gateway in self.gateways
            for unit, meter in gateway.units.items()
        ]

    async def __aenter__(self) -> Self:
        """Bring every gateway up."""
        for gateway in self.gateways:
            await gateway.up()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Take every gateway down."""
        for gateway in self.gateways:
            await gateway.down()


class ParkThread:
    """A park at work in a thread; `call` runs what needs its loop, such as `gateway.down()`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="park", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a coroutine in the loop of the park and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_TIMEOUT_S)

    def stop(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def running(park: Park) -> Iterator[ParkThread]:
    """The park at work while the block lasts."""
    thread = ParkThread()
    try:
        thread.call(park.__aenter__())
        yield thread
    finally:
        thread.call(park.__aexit__())
        thread.stop()
