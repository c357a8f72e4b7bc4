"""Small commands under contention: many threads, one recharge at a time each."""

import threading
import time
from collections.abc import Callable
from random import Random  # noqa: TID251 - seeded: the same accounts in every run
from typing import Any

from adapters.bench.baseline import copy_rate
from adapters.bench.readings import heads, percentile, rss_mib
from adapters.bench.scratch import BENCH, Scratch
from adapters.bench.seeding import account_no, seed
from ledger.commands import recharge
from ledger.commands.recharge import Recharge


def measure_commits(
    scratch: Scratch, accounts: int, threads: int, seconds: float
) -> dict[str, Any]:
    """Recharges on random accounts, then all on one hot account."""
    seed(scratch, accounts)
    before = heads(scratch)
    _run(scratch, threads, seconds / 4, "warm", lambda random: random.randrange(accounts))
    spread = _run(scratch, threads, seconds, "spread", lambda random: random.randrange(accounts))
    hot = _run(scratch, threads, seconds, "hot", lambda _random: 0)
    rss = rss_mib()
    bare = copy_rate(scratch.engine, before)
    rate, latencies = spread
    return {
        "bench": "commits",
        "store": scratch.store,
        "threads": threads,
        "rate": round(rate),
        "hot_rate": round(hot[0]),
        "hot_ratio": round(hot[0] / rate, 3),
        "copy_rate": round(bare),
        "ratio": round(2 * rate / bare, 3),
        "p50_ms": percentile(latencies, 50),
        "p99_ms": percentile(latencies, 99),
        "hot_p99_ms": percentile(hot[1], 99),
        "rss_mib": rss,
    }


def _run(
    scratch: Scratch, threads: int, seconds: float, name: str, choose: Callable[[Random], int]
) -> tuple[float, list[float]]:
    """Commits a second over all threads, and each one's wait in milliseconds."""
    until = time.perf_counter() + seconds
    waits: list[list[float]] = [[] for _ in range(threads)]
    faults: list[BaseException] = []

    def customer(index: int) -> None:
        random = Random(index)  # noqa: S311 - which account is no secret
        try:
            while (since := time.perf_counter()) < until:
                command = Recharge(
                    account_no=account_no(choose(random)),
                    amount_minor=1_00,
                    currency="CNY",
                    channel="bench",
                    channel_txn_id=f"{name}-{index}-{len(waits[index])}",
                )
                recharge.handle(command, scratch.ledger, BENCH)
                waits[index].append((time.perf_counter() - since) * 1_000)
        except BaseException as fault:  # noqa: BLE001 - reported by the measuring thread
            faults.append(fault)

    started = time.perf_counter()
    customers = [threading.Thread(target=customer, args=(index,)) for index in range(threads)]
    for thread in customers:
        thread.start()
    for thread in customers:
        thread.join()
    elapsed = time.perf_counter() - started
    if faults:
        raise faults[0]
    everyone = [wait for own in waits for wait in own]
    return len(everyone) / elapsed, everyone
