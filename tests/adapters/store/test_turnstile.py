"""Small writes get their turn beside long ones, in the order in which they came."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from adapters.store import engine as engines
from adapters.store.engine import create_engine
from adapters.store.turnstile import Turnstile
from tests.harness.ledgers import until
from tests.harness.meanwhile import IsOver, going_on
from tests.harness.processes import CONTEXT

HELD_S = 0.2
HOGS = 2
PASSED_BY_MAX = HOGS + 2
"""Those that came before, and two for whoever is slow to ask on a busy machine."""
SMALL_WRITES = 6
WAIT_S = 120
SOON_S = 5.0
"""A turn that was never given back is waited for thrice as long."""


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


def test_a_small_write_waits_for_at_most_those_that_came_before_it(sqlite: Engine) -> None:
    passed: list[float] = []

    def hog_on(is_over: IsOver) -> None:
        while not is_over():
            passed.append(write(sqlite, HELD_S))

    def passed_by() -> int:
        before = len(passed)
        write(sqlite)
        return len(passed) - before

    with going_on(*[hog_on] * HOGS):
        until(lambda: len(passed) >= HOGS)
        assert max(passed_by() for _ in range(SMALL_WRITES)) <= PASSED_BY_MAX
    assert len(passed) > SMALL_WRITES


def test_a_small_write_finds_the_gaps_of_another_process(sqlite: Engine, sqlite_url: str) -> None:
    process = CONTEXT.Process(target=hog, args=(sqlite_url, 60.0))
    process.start()
    try:
        time.sleep(1.0)
        assert all(write(sqlite) < 2 * SOON_S for _ in range(SMALL_WRITES))
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
    assert write(other) < SOON_S
    other.dispose()


def test_a_write_that_fails_gives_its_turn_on(sqlite: Engine) -> None:
    with pytest.raises(OperationalError, match="no such table"), sqlite.begin() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))
    assert write(sqlite) < SOON_S


def test_two_transactions_of_one_connection_need_one_turn(sqlite: Engine) -> None:
    with sqlite.connect() as connection:
        for _ in range(2):
            with connection.begin():
                connection.execute(text("INSERT INTO rows VALUES (2)"))
    assert write(sqlite) < SOON_S


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
            until(lambda came=number + 1: len(turnstile._waiting) == came)  # type: ignore[misc]
        turnstile.leave()
    assert passed == [0, 1, 2, 3, 4]


def test_who_gave_up_is_not_waited_for() -> None:
    turnstile = Turnstile()
    assert turnstile.enter(0)
    assert not turnstile.enter(0.01)
    turnstile.leave()
    assert turnstile.enter(0)
