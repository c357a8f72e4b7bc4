"""Of several processes one acts; when it falls silent another takes over."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from adapters.store.engine import create_engine
from adapters.store.leases import SECOND_US, Lease
from adapters.store.schema import initialise
from ledger.store.ledger import LedgerTerms


class Clock:
    """Microseconds, moved by hand."""

    now_us = 1_000 * SECOND_US

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    initialise(engine, LedgerTerms(1, "Asia/Shanghai", "CNY"))
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lease(engine: Engine, clock: Clock, holder: str, name: str = "devices") -> Lease:
    return Lease(engine, name, holder, clock, lasts_us=6 * SECOND_US)


def test_one_holds_it_as_long_as_it_renews(engine: Engine, clock: Clock) -> None:
    first, second = lease(engine, clock, "one"), lease(engine, clock, "two")
    assert first.renew()
    assert not second.renew()
    for _ in range(5):
        clock.now_us += 5 * SECOND_US
        assert first.renew()
        assert first.is_held
        assert not second.renew()
        assert not second.is_held


def test_a_clock_that_went_back_leaves_nobody_without_a_holder(
    engine: Engine, clock: Clock
) -> None:
    first, second = lease(engine, clock, "one"), lease(engine, clock, "two")
    assert first.renew()
    clock.now_us -= 30 * SECOND_US
    assert not second.renew(), "a clock that is a little behind takes nothing away"
    clock.now_us -= 600 * SECOND_US
    assert not first.is_held
    assert second.renew()
    assert second.is_held
    assert not first.renew()


def test_another_takes_it_when_the_first_falls_silent(engine: Engine, clock: Clock) -> None:
    first, second = lease(engine, clock, "one"), lease(engine, clock, "two")
    first.renew()
    clock.now_us += 7 * SECOND_US
    assert not first.is_held
    assert second.renew()
    assert not first.renew()


def test_what_is_given_back_is_free_at_once(engine: Engine, clock: Clock) -> None:
    first, second = lease(engine, clock, "one"), lease(engine, clock, "two")
    first.renew()
    second.give_back()  # It was not its own.
    assert not second.renew()
    first.give_back()
    assert second.renew()


def test_leases_of_other_names_are_apart(engine: Engine, clock: Clock) -> None:
    assert lease(engine, clock, "one").renew()
    assert lease(engine, clock, "two", "something else").renew()
