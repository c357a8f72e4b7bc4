"""Rebuild: every view made anew from the first event, compared with the live one, and swapped."""

import time
from typing import Any

from adapters.bench.readings import following, heads, rss_mib, sweep
from adapters.bench.scratch import Scratch
from adapters.bench.seeding import seed


def measure_rebuild(scratch: Scratch, accounts: int, events: int) -> dict[str, Any]:
    """Read the meters of some accounts until the log holds `events`; rebuild all views."""
    with following(scratch):
        seed(scratch, accounts)
        day = 1
        while heads(scratch)[0] < events:
            sweep(scratch, accounts, range(day, day + 1))
            day += 1
    scratch.views.catch_up()
    started = time.perf_counter()
    rebuilt = scratch.views.rebuild_all()
    seconds = time.perf_counter() - started
    wrong = [each.view for each in rebuilt if each.differences or not each.swapped]
    if wrong:
        raise AssertionError(f"Views that were not rebuilt as they stood: {', '.join(wrong)}.")
    position = heads(scratch)[0]
    return {
        "bench": "rebuild",
        "store": scratch.store,
        "accounts": accounts,
        "events": position,
        "views": len(rebuilt),
        "rows": sum(each.rows for each in rebuilt),
        "seconds": round(seconds, 1),
        "rate": round(position / seconds),
        "rss_mib": rss_mib(),
    }
