"""The contract of the log: one lock a shard, positions without gaps, all or nothing."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from adapters.store import log_writer
from adapters.store.engine import create_engine
from adapters.store.log import SqlLog
from ledger.aggregates import Refused
from ledger.events.account import GroupAssigned
from ledger.ports import Claim, ConflictError, LogUnavailableError, Row
from ledger.store import Session
from tests.harness.ledgers import CLERK, WAIT_S, Opened, open_ledger, reading
from tests.harness.meanwhile import IsOver, going_on
from tests.harness.rows import a_row
from tests.harness.soundness import assert_sound
from tests.store.conftest import OpenLedger

THREADS = 8


@pytest.mark.parametrize("shards", [1, 3])
def test_positions_have_no_gap_and_appear_in_order_under_many_writers(
    opening: OpenLedger, shards: int
) -> None:
    """Two processes' worth of writers, and a reader that remembers how far it has come."""
    one, other = opening(shards=shards), opening(shards=shards)
    one.publish()
    numbers = [f"A{n}" for n in range(6)]
    for number in numbers:
        one.open(number, f"M{number}")
    with (
        going_on(partial(_follow, one.engine, shards)) as (followed,),
        ThreadPoolExecutor(2 * THREADS) as pool,
    ):
        writers = [
            pool.submit(_write, opened, f"{side}-{thread}", numbers)
            for side, opened in enumerate((one, other))
            for thread in range(THREADS)
        ]
        acknowledged = sum(writer.result(WAIT_S) for writer in writers)
    seen = followed.result()
    assert len(one.claims("payment")) == acknowledged
    rows = assert_sound(one)
    assert {(row.shard, row.position) for row in rows} == seen


def _write(opened: Opened, name: str, numbers: list[str]) -> int:
    """Recharges, readings and refusals, as they come; how many recharges were acknowledged."""
    for n in range(6):
        number = numbers[n % len(numbers)]
        opened.recharge(number, f"{name}-{n}", 100 + n)
        with pytest.raises(Refused):
            opened.recharge("nobody", f"{name}-{n}-lost")
        opened.read(reading(f"M{number}", 1 + n, n), reading("no such meter", n, n))
    return 6


def _follow(engine: Engine, shards: int, is_over: IsOver) -> set[tuple[int, int]]:
    """Every position, each read behind the last one seen: a gap would be passed over for ever."""
    last = dict.fromkeys(range(shards), 0)
    seen: set[tuple[int, int]] = set()
    query = text("SELECT position FROM events WHERE shard = :s AND position > :p ORDER BY position")
    while True:
        is_last = is_over()
        for shard, after in last.items():
            with engine.execution_options(read_only=True).begin() as connection:
                found = list(connection.scalars(query, {"s": shard, "p": after}))
            assert found == list(range(after + 1, after + 1 + len(found)))
            seen.update((shard, position) for position in found)
            last[shard] = found[-1] if found else after
        if is_last:
            return seen


@pytest.mark.parametrize(
    "taken", [a_row(1, 2), a_row(2, 1)], ids=["position taken", "version taken"]
)
def test_what_another_writer_took_is_a_conflict_that_leaves_nothing(
    opening: OpenLedger, taken: Row
) -> None:
    opened = opening()
    log = SqlLog(opened.engine, 1)
    with log.write([0]) as writer:
        writer.append([a_row(1, 1)])
    with pytest.raises(ConflictError):
        claim_and_append(log, taken)
    assert opened.rows() == [a_row(1, 1)]
    assert opened.heads() == {0: (1, a_row(1, 1).recorded_at)}
    assert opened.claims("payment") == {}


def claim_and_append(log: SqlLog, row: Row) -> None:
    with log.write([0]) as writer:
        assert writer.take_claims([(Claim("payment", "counter/t1", "f", "A1"), b"{}")])
        writer.append([row])


def append_and_break(log: SqlLog) -> None:
    with log.write([0]) as writer:
        writer.append([a_row(1, 1), a_row(2, 2)])
        raise ZeroDivisionError


def test_a_transaction_that_breaks_leaves_nothing(opening: OpenLedger) -> None:
    opened = opening()
    with pytest.raises(ZeroDivisionError):
        append_and_break(SqlLog(opened.engine, 1))
    assert opened.rows() == []
    assert opened.heads() == {0: (0, 0)}


def test_whoever_waits_for_a_head_sees_it_as_the_one_before_left_it_or_tries_again(
    opening: OpenLedger,
) -> None:
    opened = opening()
    log = SqlLog(opened.engine, 1)
    heads: list[int] = []

    def append_one() -> None:
        try:
            with log.write([0]) as writer:
                position = writer.heads[0].position
                time.sleep(0.002)  # long enough for all others to come to the lock
                writer.append([a_row(position + 1, position + 1)])
                heads.append(position)
        except ConflictError:
            append_one()

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(append_one) for _ in range(3 * THREADS)]:
            done.result(WAIT_S)
    assert heads == list(range(3 * THREADS))
    assert [row.position for row in opened.rows()] == list(range(1, 3 * THREADS + 1))


@pytest.mark.postgres
def test_shards_do_not_wait_for_each_other(postgres_url: str, tmp_path: Path) -> None:
    with open_ledger(postgres_url, tmp_path, shards=2) as opened:
        log = SqlLog(opened.engine, 2)
        with log.write([0]) as zero, log.write([1]) as one:
            zero.append([a_row(1, 1)])
            one.append([a_row(1, 1, shard=1)])
        assert [(row.shard, row.position) for row in opened.rows()] == [(0, 1), (1, 1)]


@pytest.mark.postgres
def test_two_that_wait_for_each_others_keys_are_a_conflict_and_no_outage(
    postgres_url: str, tmp_path: Path
) -> None:
    """A deadlock is ended by the server at the cost of one of the two; the same again will do."""
    first, second = (Claim("meter", key, "f", "A1") for key in ("M1", "M2"))
    outcomes: list[str] = []
    with open_ledger(postgres_url, tmp_path, shards=2) as opened:
        log = SqlLog(opened.engine, 2)
        both_hold_one = threading.Barrier(2, timeout=WAIT_S)

        def take(shard: int, mine: Claim, yours: Claim) -> None:
            try:
                with log.write([shard]) as writer:
                    assert writer.take_claims([(mine, b"{}")])
                    both_hold_one.wait()
                    writer.take_claims([(yours, b"{}")])
                    outcomes.append("taken")
            except ConflictError:
                outcomes.append("conflict")

        with ThreadPoolExecutor(2) as pool:
            sides = [pool.submit(take, 0, first, second), pool.submit(take, 1, second, first)]
            for side in sides:
                side.result(WAIT_S)
        assert sorted(outcomes) == ["conflict", "taken"]
        assert opened.claims("meter") == {"M1": "A1", "M2": "A1"}


@contextmanager
def held_by_somebody_else(url: str) -> Iterator[None]:
    """A foreign session that stalls with the head of shard 0 in its hands."""
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.begin()
        suffix = " FOR UPDATE" if engine.dialect.name == "postgresql" else ""
        connection.execute(text(f"SELECT * FROM log_heads WHERE shard = 0{suffix}"))
        yield
    engine.dispose()


def test_a_stalled_writer_costs_the_others_a_bounded_wait(
    database_url: str, opened: Opened, tmp_path: Path
) -> None:
    opened.open("A1", "M1")
    before = opened.rows()
    impatient = database_url
    if not impatient.startswith("sqlite"):
        impatient += "?options=-c lock_timeout=300"
    with open_ledger(impatient, tmp_path, pragmas=["PRAGMA busy_timeout=300"]) as other:
        with held_by_somebody_else(database_url):
            began = time.monotonic()
            with pytest.raises(LogUnavailableError):
                other.recharge("A1", "t1")
            assert time.monotonic() - began < 5
            assert other.rows() == before
            assert other.ledger.meter_homes(["M1"]) == opened.ledger.meter_homes(["M1"])
        assert other.recharge("A1", "t1").body["balance_minor"] == 10_000
        assert_sound(other)


def test_a_process_among_others_that_are_faster_gets_its_turn(
    database_url: str, opened: Opened, opening: OpenLedger, tmp_path: Path
) -> None:
    """Whenever it decides and nobody keeps them from it, the others have written meanwhile."""
    opened.open("A1")
    hasty, tries = database_url, list[str]()
    if not hasty.startswith("sqlite"):
        hasty += "?options=-c lock_timeout=100"
    with open_ledger(hasty, tmp_path, pragmas=["PRAGMA busy_timeout=100"]) as others:

        def decide(at: Session) -> dict[str, Any]:
            tries.append(f"t{len(tries)}")
            with suppress(LogUnavailableError):
                others.recharge("A1", tries[-1])
            at.record(at.account("A1"), GroupAssigned("A1", tries[-1]), at.now_us)
            return {}

        opening().ledger.decide(decide, CLERK, accounts=("A1",))
    assert len(tries) <= 2
    assert opened.count("account.group_assigned.v1") == 1
    assert_sound(opened)


def test_too_many_foreign_events_to_name_make_a_process_forget_everything(
    opened: Opened, opening: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "CHANGED_MAX", 3)
    other = opening()
    opened.open("A1")
    for n in range(4):
        assert other.recharge("A1", f"a{n}").body["balance_minor"] == 10_000 * (2 * n + 1)
        assert opened.recharge("A1", f"b{n}").body["balance_minor"] == 10_000 * (2 * n + 2)
    for n in range(5):
        other.recharge("A1", f"c{n}")
    # A mere look: where nothing is written, no version would contradict a stale state.
    seen = opened.ledger.decide(
        lambda at: {"balance_minor": at.account("A1").balance_minor}, CLERK, accounts=("A1",)
    )
    assert seen.body["balance_minor"] == 10_000 * 13
    assert opened.recharge("A1", "d").body["balance_minor"] == 10_000 * 14
    assert_sound(opened)


def test_a_database_restored_from_its_backup_is_read_anew(opened: Opened) -> None:
    opened.open("A1")
    kept = len(opened.rows())
    opened.recharge("A1", "lost")
    with opened.engine.begin() as connection:  # what a restore to the moment before amounts to
        if opened.engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE events DISABLE TRIGGER USER"))
        else:
            connection.execute(text("DROP TRIGGER events_no_delete"))
        connection.execute(text("DELETE FROM events WHERE position > :kept"), {"kept": kept})
        connection.execute(text("DELETE FROM claims WHERE kind = 'payment'"))
        connection.execute(text("UPDATE log_heads SET position = :kept"), {"kept": kept})
    assert opened.recharge("A1", "new").body["balance_minor"] == 10_000
    rows = opened.rows()
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    assert json.loads(rows[-2].payload)["channel_txn_id"] == "new"


def test_a_fact_is_found_by_its_position(opened: Opened) -> None:
    opened.open("A1")
    opened.recharge("A1", "t1")
    credited, settled = opened.rows()[-2:]
    log = opened.ledger.log
    assert log.event(0, credited.position) == (credited.topic, credited.payload)
    assert log.event(0, settled.position) == (settled.topic, settled.payload)
    assert log.event(0, settled.position + 1) is None
    assert log.event(1, 1) is None
