"""Replay: decode and fold without the fetch, and the state of a long account at any moment."""

import time
from typing import Any

from sqlalchemy import delete, select

from adapters.bench.baseline import copy_rate
from adapters.bench.readings import heads, percentile, rss_mib
from adapters.bench.scratch import BENCH, Scratch
from adapters.bench.seeding import START_US, account_no, meter_no, seed
from adapters.store.eras import events_of
from adapters.store.ledger_recorder import LedgerRecorder
from adapters.store.tables import snapshots
from ledger.aggregates.account import Account
from ledger.commands import record_readings
from ledger.commands.late_readings import Reading
from ledger.events.registry import decode
from ledger.store.history import History, Moment
from ledger.values import stream_id

HOUR_US = 3_600_000_000
ROUNDS = 3


def measure_replay(scratch: Scratch, length: int) -> dict[str, Any]:
    """One account with `length` events: fold rate, and reads at moments of its past."""
    seed(scratch, 1)
    before = heads(scratch)
    for start in range(1, length, 5_000):
        batch = [
            Reading(meter_no(0), START_US + hour * HOUR_US, {"total": hour * 300})
            for hour in range(start, min(start + 5_000, length))
        ]
        record_readings.handle(batch, scratch.ledger, BENCH)
    rate = max(_fold_rate(scratch) for _ in range(ROUNDS))
    history = History({0: LedgerRecorder(scratch.engine, 0)})
    with scratch.engine.begin() as connection:
        connection.execute(delete(snapshots))
    first_ms = _read_ms(history, Moment())
    span = length * HOUR_US
    moments = [Moment(valid_at_us=START_US + span * part // 100) for part in range(1, 100)]
    reads = [_read_ms(history, moment) for moment in moments]
    bare = copy_rate(scratch.engine, before)
    return {
        "bench": "replay",
        "store": scratch.store,
        "events": length,
        "rate": round(rate),
        "copy_rate": round(bare),
        "ratio": round(rate / bare, 3),
        "first_read_ms": first_ms,
        "p50_ms": percentile(reads, 50),
        "p99_ms": percentile(reads, 99),
        "rss_mib": rss_mib(),
    }


def _fold_rate(scratch: Scratch) -> float:
    stream = stream_id(Account.KIND, account_no(0))
    with scratch.engine.execution_options(read_only=True).begin() as connection:
        here = events_of(connection, [0], [stream])
        rows = connection.execute(
            select(here.c.topic, here.c.payload, here.c.valid_at).order_by(here.c.version)
        ).all()
    fetched = [(topic, payload.encode(), valid_at) for topic, payload, valid_at in rows]
    account = Account(0, stream)
    started = time.perf_counter()
    for topic, payload, valid_at in fetched:
        account.evolve(decode(topic, payload), valid_at)
    return len(fetched) / (time.perf_counter() - started)


def _read_ms(history: History, moment: Moment) -> float:
    started = time.perf_counter()
    account = history.account(account_no(0), moment)
    if account.version == 0:
        raise AssertionError("The account was not found at a moment after its opening.")
    return round((time.perf_counter() - started) * 1_000, 2)
