"""A small park on loopback and a foreign Modbus master to ask it."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

from adapters.devices.park import Gateway, Park, ParkClock, ParkThread, running

MONDAY_NOON_US = 1_790_568_000_000_000
"""2026-09-28 12:00 in Shanghai."""
TIMEOUT_S = 0.3
SLOW_S = 0.45


class HandTime:
    """Real time, moved by hand."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns

    def go(self, *, hours: float = 0, seconds: float = 0) -> None:
        self.now_ns += int((hours * 3600 + seconds) * 1_000_000_000)


class Site(NamedTuple):
    park: Park
    gateway: Gateway
    thread: ParkThread
    time: HandTime

    def master(self, timeout_s: float = TIMEOUT_S) -> ModbusTcpClient:
        """A master of another make, without retries."""
        client = ModbusTcpClient(
            self.gateway.host,
            port=self.gateway.port,
            framer=FramerType.RTU,
            timeout=timeout_s,
            retries=0,
        )
        assert client.connect()  # type: ignore[no-untyped-call]
        return client


@pytest.fixture
def time() -> HandTime:
    return HandTime()


@pytest.fixture
def site(time: HandTime) -> Iterator[Site]:
    """One gateway with a meter of each model, units 1 to 3."""
    park = Park(ParkClock(MONDAY_NOON_US, monotonic_ns=time))
    gateway = park.gateway(slow_answer_s=SLOW_S)
    for number, model in enumerate(("DDSY1352", "DTSY1352", "ADF300L"), 1):
        park.meter(gateway, f"M{number}", model)
    with running(park) as thread:
        yield Site(park, gateway, thread, time)


@pytest.fixture
def master(site: Site) -> Iterator[ModbusTcpClient]:
    client = site.master()
    yield client
    client.close()  # type: ignore[no-untyped-call]
