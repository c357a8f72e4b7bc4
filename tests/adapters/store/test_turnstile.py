"""Small writes get their turn beside long ones, in the order in which they came."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from adapters.store import engine as engines
from adapters.store.engine import create_engine
from adapters.store.turnstile import Turnstile
from tests.harness.processes import CONTEXT

HELD_S = 0.2
HOGS = 2
SMALL_WRITES = 6
WAIT_S = 20


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Engine]:
    engine = create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE rows (number INTEGER)"))
    yield engine
    engine.dispose()


def write(engine: Engine, held_s: float = 0.0) -> float:
    """One write; the seconds until it could begin."""
    asked_at = time.monotonic()
    with engine.begin() as connection:
        waited = time.monotonic() - asked_at
        connection.execute(text("INSERT INTO rows VALUES (1)"))
        time.sleep(held_s)
    return waited


def hog(url: str, seconds: float) -> None:
    """Batches without a pause, as a feed that is behind or a rebuild makes them."""
    engine, until = create_engine(url), time.monotonic() + seconds
    while time.monotonic() < until:
        write(engine, HELD_S)
        time.sleep(0.005)


@contextmanager
def hogged(engine: Engine) -> Iterator[None]:
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            write(engine, HELD_S)

    threads = [threading.Thread(target=run) for _ in range(HOGS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def test_a_small_write_waits_for_at_most_those_that_came_before_it(sqlite: Engine) -> None:
    with hogged(sqlite):
        waits = [write(sqlite) for _ in range(SMALL_WRITES)]
    assert max(waits) < (HOGS + 1) * HELD_S + 1.0
    with sqlite.execution_options(read_only=True).begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM rows")) > SMALL_WRITES


def test_a_small_write_finds_the_gaps_of_another_process(sqlite: Engine, sqlite_url: str) -> None:
    process = CONTEXT.Process(target=hog, args=(sqlite_url, 60.0))
    process.start()
    try:
        time.sleep(1.0)
        assert all(write(sqlite) < WAIT_S / 2 for _ in range(SMALL_WRITES))
    finally:
        process.kill()
        process.join()
        process.close()


def test_a_lock_that_never_comes_is_told_as_such_and_the_next_may_try(
    sqlite: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = ("PRAGMA busy_timeout=200", *engines.SQLITE_PRAGMAS[1:])
    monkeypatch.setattr(engines, "SQLITE_PRAGMAS", hasty)
    other = create_engine(sqlite_url)
    with sqlite.begin(), pytest.raises(OperationalError, match="database is locked"):
        write(other)
    assert write(other) < 1.0
    other.dispose()


def test_a_write_that_fails_gives_its_turn_on(sqlite: Engine) -> None:
    with pytest.raises(OperationalError, match="no such table"), sqlite.begin() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))
    assert write(sqlite) < 1.0


def test_two_transactions_of_one_connection_need_one_turn(sqlite: Engine) -> None:
    with sqlite.connect() as connection:
        for _ in range(2):
            with connection.begin():
                connection.execute(text("INSERT INTO rows VALUES (2)"))
    assert write(sqlite) < 1.0


def test_readers_need_no_turn(sqlite: Engine) -> None:
    with sqlite.begin() as writing:
        writing.execute(text("INSERT INTO rows VALUES (1)"))
        with sqlite.execution_options(read_only=True).begin() as reading:
            assert reading.scalar(text("SELECT count(*) FROM rows")) == 0


def test_turns_come_in_the_order_of_asking() -> None:
    turnstile, passed = Turnstile(), list[int]()
    assert turnstile.enter(0)

    def take(number: int) -> None:
        assert turnstile.enter(WAIT_S)
        passed.append(number)
        turnstile.leave()

    with ThreadPoolExecutor(5) as pool:
        for number in range(5):
            pool.submit(take, number)
            time.sleep(0.02)
        turnstile.leave()
    assert passed == [0, 1, 2, 3, 4]


def test_who_gave_up_is_not_waited_for() -> None:
    turnstile = Turnstile()
    assert turnstile.enter(0)
    assert not turnstile.enter(0.01)
    turnstile.leave()
    assert turnstile.enter(0)
