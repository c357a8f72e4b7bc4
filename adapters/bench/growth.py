"""Growth: the reading path with ever more accounts and events; the rate must stay."""

from typing import Any

from adapters.bench.baseline import copy_rate
from adapters.bench.readings import heads, percentile, rss_mib, sweep, warm_up
from adapters.bench.scratch import Scratch
from adapters.bench.seeding import seed
from ledger.projections.catalogue import FRONT

STEP_READINGS = 200_000
"""Readings in each of the two measured runs at least."""


def measure_growth(scratch: Scratch, accounts: int, events: int, small: int) -> dict[str, Any]:
    """Measure with `small` accounts, then with `accounts` once the log holds `events`."""
    feed = scratch.views.feeds[FRONT]
    seed(scratch, small)
    feed.catch_up(0)
    warm_up(scratch, small, 1)
    days = max(2, STEP_READINGS // small)
    first = sweep(scratch, small, range(2, 2 + days))
    seed(scratch, accounts, start=small)
    feed.catch_up(0)
    day = 2 + days
    while heads(scratch)[0] < events - STEP_READINGS:
        warm_up(scratch, accounts, day)
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
