"""The full path of readings: decided, rated, controlled, durable, and seen in the front views."""

import gc
import os
import resource
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import select

from adapters.bench.baseline import copy_rate
from adapters.bench.scratch import BENCH, Scratch
from adapters.bench.seeding import DAY_US, START_US, meter_no, seed
from adapters.store.tables import log_heads
from ledger.commands import record_readings
from ledger.commands.late_readings import Reading
from ledger.projections.catalogue import FRONT
from ledger.store import Answer

BATCH = 5_000
IN_FLIGHT = 3
WH_A_DAY = 8_123


class Run(NamedTuple):
    """One measured run of readings."""

    readings: int
    seconds: float
    latencies_ms: list[float]

    @property
    def rate(self) -> float:
        """Readings a second, views caught up."""
        return self.readings / self.seconds


def measure_readings(scratch: Scratch, accounts: int, sweeps: int) -> dict[str, Any]:
    """Seed accounts, sweep their meters day by day, compare with the bare copy of the same rows."""
    with following(scratch):
        seed(scratch, accounts)
        sweep(scratch, accounts, range(1, 2))  # Not measured: caches and plans of mid-day.
        before = heads(scratch)
        run = sweep(scratch, accounts, range(2, 2 + sweeps))
    rss = rss_mib()
    bare = copy_rate(scratch.engine, before)
    return {
        "bench": "readings",
        "store": scratch.store,
        "accounts": accounts,
        "readings": run.readings,
        "rate": round(run.rate),
        "copy_rate": round(bare),
        "ratio": round(run.rate / bare, 3),
        "p50_ms": percentile(run.latencies_ms, 50),
        "p99_ms": percentile(run.latencies_ms, 99),
        "rss_mib": rss,
    }


def sweep(scratch: Scratch, accounts: int, days: range) -> Run:
    """Read every meter once a day over `days`; ends when the front views have seen it all.

    Begins with the views caught up; the front feed must be `following`.
    """
    wait_for_views(scratch)
    meters = [meter_no(index) for index in range(accounts)]
    gc.collect()
    gc.freeze()
    latencies: list[float] = []
    waiting: deque[tuple[float, Future[Answer]]] = deque()
    count = 0
    started = time.perf_counter()
    for day in days:
        at_us = START_US + day * DAY_US
        for start in range(0, accounts, BATCH):
            batch = [
                Reading(meters[index], at_us, {"total": day * WH_A_DAY + index % 997})
                for index in range(start, min(start + BATCH, accounts))
            ]
            count += len(batch)
            answer = record_readings.submit(batch, scratch.ledger, BENCH)
            waiting.append((time.perf_counter(), answer))
            while len(waiting) >= IN_FLIGHT:
                _settle(waiting, latencies)
    while waiting:
        _settle(waiting, latencies)
    wait_for_views(scratch)
    return Run(count, time.perf_counter() - started, latencies)


def wait_for_views(scratch: Scratch) -> None:
    """Until the front feed has seen everything."""
    while scratch.views.feed_lag(FRONT):
        time.sleep(0.005)


@contextmanager
def following(scratch: Scratch) -> Iterator[None]:
    """The front feed at work, in a process of its own (`wattledger worker`)."""
    command = "from adapters.cli import main; main()"
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", command, "worker", "--feed", FRONT, "--quiet"],
        env={**os.environ, "LEDGER_DATABASE_URL": scratch.url},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _settle(waiting: deque[tuple[float, Future[Answer]]], latencies: list[float]) -> None:
    since, answer = waiting.popleft()
    body = answer.result().body
    if body["quarantined"] or body["duplicate"]:
        raise AssertionError(f"The bench made readings that were not charged: {body}")
    latencies.append((time.perf_counter() - since) * 1_000)


def heads(scratch: Scratch) -> dict[int, int]:
    """Last position of each shard."""
    with scratch.engine.execution_options(read_only=True).begin() as connection:
        rows = connection.execute(select(log_heads.c.shard, log_heads.c.position))
        return {row.shard: row.position for row in rows}


def percentile(values: list[float], percent: int) -> float:
    """A percentile of what was measured, in the values' unit."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 2)


def rss_mib() -> int:
    """The most memory that this process and its worker have held, in MiB."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(who).ru_maxrss for who in whose) >> 10
