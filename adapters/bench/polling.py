"""Sweeps over a park of simulated meters in a process of its own, while commands are sent."""

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from adapters.bench.readings import percentile, rss_mib
from adapters.bench.scratch import Scratch
from adapters.bench.seeding import meter_no, seed
from adapters.devices.fleet import Fleet
from adapters.devices.poller import Poller
from adapters.wiring import now_us
from ledger.devices import MeterAddress, Ok, Order, OrderKind

PARK: Final = (sys.executable, "-c", "from adapters.cli import main; main()", "meter", "simulate")
TIMEZONE: Final = ZoneInfo("Asia/Shanghai")
COMMAND_EVERY_S: Final = 0.02
STRIDE: Final = 997
"""Commands go from gateway to gateway; a prime, so that they come to every meter in turn."""
SWEEP_WITHIN_S: Final = 600.0
KINDS: Final[tuple[OrderKind, ...]] = ("trip", "close")


class _Swept(NamedTuple):
    seconds: float
    cpu_seconds: float
    unread: int


def measure_poll(
    scratch: Scratch, gateways: int, meters: int, sweeps: int, baud: int | None
) -> dict[str, Any]:
    """Rate, duration and CPU of sweeps, how long commands waited meanwhile, and with charging."""
    seed(scratch, meters)
    with park_process(gateways, meters, baud) as addresses, Fleet(now_us, TIMEZONE) as fleet:
        _sweep(fleet, addresses)  # Every gateway is dialled.
        quiet = _sweep(fleet, addresses)
        with _commands(fleet, addresses) as waits_ms:
            busy = [_sweep(fleet, addresses) for _ in range(sweeps)]
        passed_by = max(bus.passed_by_max for bus in fleet.status())
        charged = _charged(scratch, fleet, addresses)
    seconds = max(swept.seconds for swept in busy)
    return {
        "bench": "poll",
        "store": scratch.store,
        "gateways": gateways,
        "meters": meters,
        "baud": baud,
        "rate": round(meters * sweeps / sum(swept.seconds for swept in busy)),
        "sweep_s": round(seconds, 2),
        "unread": quiet.unread + sum(swept.unread for swept in busy),
        "cpu_ms": round(1_000 * quiet.cpu_seconds / meters, 3),
        "cpu_with_commands_ms": round(
            1_000 * sum(swept.cpu_seconds for swept in busy) / meters / sweeps, 3
        ),
        "cpu_with_charges_ms": round(1_000 * charged.cpu_seconds / meters, 3),
        "uncharged": charged.unread,
        "commands": len(waits_ms),
        "p50_ms": percentile(waits_ms, 50),
        "p99_ms": percentile(waits_ms, 99),
        "passed_by": passed_by,
        "rss_mib": rss_mib(),
    }


def _sweep(fleet: Fleet, addresses: Sequence[MeterAddress]) -> _Swept:
    began_s, cpu_s = time.perf_counter(), time.process_time()
    unread = sum(
        not isinstance(outcome, Ok)
        for batch in fleet.sweep(addresses, SWEEP_WITHIN_S)
        for _, outcome in batch
    )
    return _Swept(time.perf_counter() - began_s, time.process_time() - cpu_s, unread)


def _charged(scratch: Scratch, fleet: Fleet, addresses: Sequence[MeterAddress]) -> _Swept:
    """The second of two sweeps whose readings are charged; the first makes all accounts known."""
    poller = Poller(fleet, scratch.ledger, lambda: addresses, interval_s=SWEEP_WITHIN_S)
    poller.sweep_once()
    began_s, cpu_s = time.perf_counter(), time.process_time()
    tally, _ = poller.sweep_once()
    return _Swept(
        time.perf_counter() - began_s,
        time.process_time() - cpu_s,
        len(addresses) - tally.accepted,
    )


@contextmanager
def _commands(fleet: Fleet, addresses: Sequence[MeterAddress]) -> Iterator[list[float]]:
    """Trips and closes all over the park while the block lasts; each one's wait in ms."""
    waits_ms: list[float] = []
    stopping = threading.Event()

    def command() -> None:
        for number in itertools.count():
            address = addresses[number * STRIDE % len(addresses)]
            began_s = time.perf_counter()
            order = Order(KINDS[number // len(addresses) % len(KINDS)])
            if isinstance(fleet.submit(address, order).result(), Ok):
                waits_ms.append((time.perf_counter() - began_s) * 1_000)
            if stopping.wait(COMMAND_EVERY_S):
                return

    thread = threading.Thread(target=command, name="commands")
    thread.start()
    try:
        yield waits_ms
    finally:
        stopping.set()
        thread.join()


@contextmanager
def park_process(gateways: int, meters: int, baud: int | None) -> Iterator[list[MeterAddress]]:
    """A park of its own process, on ports that it draws."""
    words = ["--gateways", str(gateways), "--meters", str(meters), "--port", "0", "--json"]
    words += ["--baud", str(baud)] if baud else []
    with subprocess.Popen([*PARK, *words, "--quiet"], stdout=subprocess.PIPE) as park:  # noqa: S603 - our own program
        assert park.stdout is not None  # noqa: S101 - it was asked for
        try:
            told = [msgspec.json.decode(park.stdout.readline()) for _ in range(meters)]
            yield [
                MeterAddress(meter_no(number), line["gateway"], line["unit"], line["model"])
                for number, line in enumerate(told)
            ]
        finally:
            park.terminate()
