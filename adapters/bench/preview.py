"""Preview: accounts with daily readings of a year, rated again under a draft on one core."""

import time
from collections import deque
from concurrent.futures import Future
from copy import deepcopy
from typing import Any, Final

from adapters.bench.readings import rss_mib
from adapters.bench.scratch import BENCH, TARIFF, TARIFF_ID, Scratch
from adapters.bench.seeding import DAY_US, account_no, meter_no, seed
from adapters.views.previews import preview_accounts, published_terms
from ledger.commands import record_readings
from ledger.commands.late_readings import Reading
from ledger.previewing import Preview
from ledger.pricing import compile_tariff
from ledger.store import Answer

BATCH: Final = 5_000
IN_FLIGHT: Final = 3
WH_A_DAY: Final = 8_123
YEAR_AGO_US: Final = 1_735_660_800_000_000
"""2025-01-01 00:00 in Shanghai: twelve months of readings lie in the past."""


def measure_preview(scratch: Scratch, accounts: int, days: int) -> dict[str, Any]:
    """Seed accounts, read them daily, then rate all intervals again under other prices."""
    scratch.views.catch_up()  # Policies are found there.
    seed(scratch, accounts, at_us=YEAR_AGO_US)
    _read_daily(scratch, accounts, days)
    draft: dict[str, Any] = deepcopy(TARIFF)
    draft["versions"][0]["charges"][0]["rates"] = ["0.45", "0.56", "0.82"]
    terms = published_terms(scratch.engine)
    plan = Preview(compile_tariff(draft), TARIFF_ID, terms)
    numbers = [account_no(index) for index in range(accounts)]
    started, used = time.perf_counter(), time.process_time()
    summary = preview_accounts(scratch.engine, scratch.ledger.terms.shards, plan, numbers)
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    if summary.intervals != accounts * days:
        raise AssertionError(f"{summary.intervals} of {accounts * days} intervals were rated.")
    return {
        "bench": "preview",
        "store": scratch.store,
        "accounts": accounts,
        "days": days,
        "intervals": summary.intervals,
        "rate": round(summary.intervals / seconds),
        "rate_per_cpu_second": round(summary.intervals / cpu),
        "seconds": round(seconds, 2),
        "rss_mib": rss_mib(),
    }


def _read_daily(scratch: Scratch, accounts: int, days: int) -> None:
    waiting: deque[Future[Answer]] = deque()
    for day in range(1, days + 1):
        for first in range(0, accounts, BATCH):
            batch = [
                Reading(meter_no(index), YEAR_AGO_US + day * DAY_US, {"total": day * WH_A_DAY})
                for index in range(first, min(first + BATCH, accounts))
            ]
            waiting.append(record_readings.submit(batch, scratch.ledger, BENCH))
            if len(waiting) > IN_FLIGHT:
                waiting.popleft().result()
    for answer in waiting:
        answer.result()
