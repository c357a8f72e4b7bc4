"""From a decision at night to a relay in the morning, over real sockets, on either store."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.clockwork import Clockwork
from ledger.aggregates.policy_windows import NoCutWindow
from ledger.commands import publish_policy
from ledger.events.account import SupplyTripOrdered, SupplyTripPostponed
from ledger.events.registry import decode
from ledger.values import micros
from tests.harness.desk import TIMEZONE
from tests.harness.documents import policy
from tests.harness.ledgers import CLERK, real_clock
from tests.harness.supplied import FIRST, Supplied, acting, hurry, soon, supplied

NIGHTS = policy(no_cut_windows=(NoCutWindow(name="nights", hours="18:00-08:00"),))
STILL_S = 0.6
"""Long enough for what would have followed to have been seen."""


class Leaping:
    """A clock that goes on from a time of tomorrow, and can be put forward."""

    def __init__(self) -> None:
        self._ahead_us = 0
        self._midnight = datetime.now(UTC).astimezone(TIMEZONE).replace(
            hour=0, minute=0, second=0, microsecond=0
        ) + timedelta(days=1)

    def __call__(self) -> int:
        return real_clock() + self._ahead_us

    def leap(self, hours: float) -> None:
        """To so many hours behind tomorrow's midnight."""
        self._ahead_us = micros(self._midnight + timedelta(hours=hours)) - real_clock()


@pytest.fixture
def clock() -> Leaping:
    clock = Leaping()
    clock.leap(20)
    return clock


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def decisions(there: Supplied) -> list[str]:
    topics = {SupplyTripPostponed.TOPIC, SupplyTripOrdered.TOPIC}
    return [
        type(decode(row.topic, row.payload)).__name__
        for row in there.opened.rows()
        if row.topic in topics
    ]


@contextmanager
def scheduled(there: Supplied) -> Iterator[None]:
    """The scheduler at work while the block lasts."""
    clockwork = Clockwork(there.opened.ledger, there.opened.engine, trips_every_s=0.05).start()
    try:
        yield
    finally:
        clockwork.stop()


def publish_nights(there: Supplied) -> None:
    publish_policy.handle(NIGHTS, there.opened.ledger, CLERK)


def test_who_falls_behind_at_night_is_cut_in_the_morning_once(
    database_url: str, tmp_path: Path, clock: Leaping
) -> None:
    with supplied(database_url, tmp_path, clock=clock) as there, acting(there), scheduled(there):
        publish_nights(there)
        there.fall_behind()
        soon(lambda: [row["kind"] for row in there.rows("holds")] == ["no_cut_window"])
        time.sleep(STILL_S)
        assert there.meter().is_closed
        assert there.commands() == []
        assert there.supply()["intended"] == "on"
        clock.leap(24 + 8)
        soon(lambda: not there.meter().is_closed)
        soon(lambda: there.commands() == [("trip", "verified")])
        there.pay()
        soon(lambda: there.meter().is_closed)
        assert decisions(there) == ["SupplyTripPostponed", "SupplyTripOrdered"]
        assert there.views.verify() == []


def test_a_meter_that_comes_back_at_night_is_not_cut_before_morning(
    database_url: str, tmp_path: Path, clock: Leaping
) -> None:
    clock.leap(12)
    with (
        supplied(database_url, tmp_path, are_connected=False, clock=clock) as there,
        acting(there),
    ):
        publish_nights(there)
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "held")])
        clock.leap(20)
        there.connect(FIRST)
        soon(lambda: [row["outcome"] for row in there.rows("commands")] == ["no_cut_window"])
        time.sleep(STILL_S)
        assert there.meter().is_closed
        clock.leap(24 + 8)
        soon(lambda: there.commands() == [("trip", "verified")])
        assert not there.meter().is_closed


def test_a_trip_that_would_arrive_at_night_waits_for_the_morning_by_itself(
    sqlite_url: str, tmp_path: Path, clock: Leaping
) -> None:
    clock.leap(17.995)
    with supplied(sqlite_url, tmp_path, clock=clock) as there, acting(there):
        publish_nights(there)
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "held")])
        assert decisions(there) == ["SupplyTripOrdered"]
        clock.leap(24 + 8)
        soon(lambda: there.commands() == [("trip", "verified")])
        assert not there.meter().is_closed
