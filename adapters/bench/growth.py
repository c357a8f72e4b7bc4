"""Growth: the reading path with ever more accounts and events; the rate must stay."""

from typing import Any

from adapters.bench.baseline import copy_rate
from adapters.bench.readings import following, heads, percentile, rss_mib, sweep
from adapters.bench.scratch import Scratch
from adapters.bench.seeding import seed

STEP_READINGS = 200_000
"""Readings in each of the two measured runs at least."""


def measure_growth(scratch: Scratch, accounts: int, events: int, small: int) -> dict[str, Any]:
    """Measure with `small` accounts, then with `accounts` once the log holds `events`."""
    with following(scratch):
        seed(scratch, small)
        sweep(scratch, small, range(1, 2))
        days = max(2, STEP_READINGS // small)
        first = sweep(scratch, small, range(2, 2 + days))
        seed(scratch, accounts, start=small)
        day = 2 + days
        while heads(scratch)[0] < events - STEP_READINGS:
            sweep(scratch, accounts, range(day, day + 1))
            day += 1
        before = heads(scratch)
        last = sweep(scratch, accounts, range(day, day + max(1, STEP_READINGS // accounts)))
    rss = rss_mib()
    bare = copy_rate(scratch.engine, before)
    return {
        "bench": "growth",
        "store": scratch.store,
        "accounts": accounts,
        "events": heads(scratch)[0],
        "small_rate": round(first.rate),
        "rate": round(last.rate),
        "growth_ratio": round(last.rate / first.rate, 3),
        "copy_rate": round(bare),
        "ratio": round(last.rate / bare, 3),
        "p50_ms": percentile(last.latencies_ms, 50),
        "p99_ms": percentile(last.latencies_ms, 99),
        "rss_mib": rss,
    }
