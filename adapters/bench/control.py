"""From a payment to the relay that a fresh look shows closed, over loopback sockets."""

import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from adapters.bench.polling import park_process
from adapters.bench.readings import percentile
from adapters.bench.scratch import BENCH, Scratch
from adapters.bench.seeding import OPENING_MINOR, account_no, seed
from adapters.device_side import DeviceSide
from adapters.settings import Settings
from adapters.worker import Worker
from ledger.commands import adjust, connect_meter, recharge, register_gateway
from ledger.commands.adjust import Adjust
from ledger.commands.recharge import Recharge
from ledger.devices import MeterAddress
from ledger.events import Recorded
from ledger.events.supply import SupplyConfirmed
from ledger.projections.catalogue import FRONT

DEBT_MINOR: Final = 50_00
PATIENCE_S: Final = 120.0
SWEEP_S: Final = 10
"""The poller sweeps all the while, six times as often as it has to."""


class Arrivals:
    """When each account's supply was confirmed last, as the log took it."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}
        self._changed = threading.Condition()

    def watch(self, recorded: Sequence[Recorded]) -> None:
        """Take the facts of a commit."""
        now_s = time.perf_counter()
        with self._changed:
            for each in recorded:
                if isinstance(each.event, SupplyConfirmed):
                    self._seen[each.event.account_no, each.event.actual] = now_s
            self._changed.notify_all()

    def wait(self, accounts: Sequence[str], actual: str) -> list[float]:
        """When every one of these accounts showed this supply."""
        keys = [(number, actual) for number in accounts]
        with self._changed:
            if not self._changed.wait_for(lambda: all(k in self._seen for k in keys), PATIENCE_S):
                missing = [number for number, _ in keys if (number, actual) not in self._seen]
                raise TimeoutError(f"never {actual}: {', '.join(missing[:5])}")
            return [self._seen[key] for key in keys]

    def forget(self) -> None:
        """Begin anew."""
        with self._changed:
            self._seen.clear()


def measure_control(scratch: Scratch, gateways: int, meters: int, every_s: float) -> dict[str, Any]:
    """Cut every account, pay one after the other, and time each until its relay is closed."""
    seed(scratch, meters)
    arrivals = Arrivals()
    scratch.ledger.watch(arrivals.watch)
    settings = Settings(database_url=scratch.url, trips_per_minute=100_000, poll_interval_s=SWEEP_S)
    feeds = [scratch.views.feeds[FRONT]]
    scratch.ledger.watch(scratch.tail.add)
    worker = Worker(feeds, scratch.ledger.terms.shards, scratch.tail).start()
    numbers = [account_no(number) for number in range(meters)]
    try:
        with park_process(gateways, meters, None) as addresses:
            _connect(scratch, addresses)
            side = DeviceSide(settings, scratch.ledger, scratch.engine).start()
            try:
                cut_s = _cut(scratch, numbers, arrivals)
                waits_ms = _pay(scratch, numbers, arrivals, every_s)
            finally:
                side.stop()
    finally:
        worker.stop()
    return {
        "bench": "control",
        "store": scratch.store,
        "gateways": gateways,
        "meters": meters,
        "cut_s": round(cut_s, 2),
        "p50_ms": percentile(waits_ms, 50),
        "p99_ms": percentile(waits_ms, 99),
        "max_ms": round(max(waits_ms), 2),
    }


def _connect(scratch: Scratch, addresses: Sequence[MeterAddress]) -> None:
    """Tell the ledger where each meter is reached."""
    names = {url: f"G{n}" for n, url in enumerate(sorted({each.gateway for each in addresses}))}
    for url, name in names.items():
        command = register_gateway.RegisterGateway(gateway_id=name, url=url)
        register_gateway.handle(command, scratch.ledger, BENCH)
    answers = [
        connect_meter.submit(
            connect_meter.ConnectMeter(
                meter_no=each.meter_no,
                gateway_id=names[each.gateway],
                unit=each.unit,
                model=each.model,
            ),
            scratch.ledger,
            BENCH,
        )
        for each in addresses
    ]
    for answer in answers:
        answer.result()


def _cut(scratch: Scratch, numbers: Sequence[str], arrivals: Arrivals) -> float:
    """Use up the money of every account and wait until its relay is open."""
    arrivals.wait(numbers, "on")  # The first sweep.
    began_s = time.perf_counter()
    for number in numbers:
        used = Adjust(
            account_no=number,
            amount_minor=-OPENING_MINOR - DEBT_MINOR,
            currency="CNY",
            reason="bench",
        )
        adjust.handle(used, scratch.ledger, BENCH)
    cut_s = max(arrivals.wait(numbers, "off")) - began_s
    arrivals.forget()
    return cut_s


def _pay(
    scratch: Scratch, numbers: Sequence[str], arrivals: Arrivals, every_s: float
) -> list[float]:
    """Payments at a steady pace; how long each took until supply was confirmed, in ms."""
    paid_s: list[float] = []
    next_s = time.perf_counter()
    for number in numbers:
        time.sleep(max(0.0, next_s - time.perf_counter()))
        next_s += every_s
        paid_s.append(time.perf_counter())
        payment = Recharge(
            account_no=number,
            amount_minor=2 * DEBT_MINOR,
            currency="CNY",
            channel="bench",
            channel_txn_id=f"pay-{number}",
        )
        recharge.handle(payment, scratch.ledger, BENCH)
    closed_s = arrivals.wait(numbers, "on")
    return [(closed - paid) * 1_000 for closed, paid in zip(closed_s, paid_s, strict=True)]
