"""A feed dies, or its connection does, in the middle of a batch: views tell what the log tells."""

from contextlib import suppress
from signal import SIGKILL
from typing import Any

import psycopg2
import pytest
from sqlalchemy.exc import DBAPIError

from adapters.store.engine import create_engine
from adapters.views import feed as feeding
from adapters.views import writer
from adapters.views.feed import Feed
from ledger.commands.late_readings import Reading
from ledger.projections.catalogue import feeds
from tests.harness.chaos_proxy import ChaosProxy
from tests.harness.desk import Desk, at_us, point
from tests.harness.ledgers import WAIT_S
from tests.harness.postgres import Postgres
from tests.harness.processes import CONTEXT, die

SHARDS = 2
BATCH = 7
BATCHES = 3
CUTS_UP_BYTES = range(200, 4_600, 200)
CUTS_MIN = 8
"""Some batches get through between the cuts, until none is left."""


def lived(url: str) -> Desk:
    """A ledger in which every feed has several batches before it."""
    desk = Desk.at(url, SHARDS)
    for number in range(6):
        desk.open(f"A{number}", point(f"M{number}"))
        desk.recharge(f"A{number}", 30_00)
    desk.read_all(*(Reading(f"M{n}", at_us("2026-01-02"), {"total": n * 20_000}) for n in range(6)))
    return desk


def follow(url: str) -> None:
    """Bring every feed to the log's end, by small batches."""
    engine = create_engine(url)
    try:
        for spec in feeds("Asia/Shanghai"):
            for shard in range(SHARDS):
                Feed(engine, spec._replace(batch_max=BATCH)).catch_up(shard)
    finally:
        engine.dispose()


def follow_until_killed(url: str, step: str) -> None:
    """Follow the log, and die behind a step of a later batch."""
    inner, done = getattr(feeding, step), list[str]()

    def lethal(*about: Any) -> None:  # noqa: ANN401 - in place of any step
        inner(*about)
        done.append(step)
        if len(done) == BATCHES:
            die()

    setattr(feeding, step, lethal)
    follow(url)


def check(desk: Desk) -> None:
    desk.views.catch_up()
    assert desk.views.differences() == []
    assert desk.views.parked() == []
    desk.close()


@pytest.mark.parametrize("step", ["write_all", "move_position"])
def test_a_feed_that_is_killed_goes_on_behind_its_last_whole_batch(
    database_url: str, step: str
) -> None:
    desk = lived(database_url)
    process = CONTEXT.Process(target=follow_until_killed, args=(database_url, step))
    process.start()
    process.join(WAIT_S)
    assert process.exitcode == -SIGKILL
    process.close()
    lag = desk.views.lag()
    assert max(lag.values()) - min(lag.values()) == (BATCHES - 1) * BATCH
    check(desk)


@pytest.mark.postgres
def test_a_feed_whose_connection_breaks_anywhere_parks_nobody_and_takes_no_event_twice(
    postgres: Postgres, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MANY", 1)  # By COPY, whose faults come from beneath SQLAlchemy.
    desk = lived(postgres_url)
    broken = 0
    with ChaosProxy(postgres.port) as proxy:
        for up_bytes in CUTS_UP_BYTES:
            proxy.faults.cut_after_up_bytes = up_bytes
            with suppress(DBAPIError, psycopg2.Error):
                follow(proxy.route(postgres_url))
            broken += proxy.faults.cut_after_up_bytes is None
        proxy.heal()
        proxy.faults.lose_answer_to = b"COMMIT"
        with suppress(DBAPIError):
            follow(proxy.route(postgres_url))
    assert broken >= CUTS_MIN
    check(desk)
