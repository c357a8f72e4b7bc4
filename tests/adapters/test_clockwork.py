"""Fixed charges fall due by time alone, for whoever is silent, once."""

import time
from collections.abc import Iterator

import pytest

from adapters.clockwork import Clockwork
from adapters.views.silent import silent_accounts
from tests.harness.desk import Desk, at_us, point
from tests.harness.documents import daily_fee, energy, tariff, version

BY_DAY = tariff("by_day", version(energy(["0.5"]), daily_fee("0.2")))


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    desk = Desk.at(database_url, shards=2)
    desk.publish(BY_DAY)
    desk.clock.go("2026-01-03T12:00")
    for number in range(4):
        desk.open(f"A{number}", point(f"M{number}", "by_day"))
    desk.read("M0", "2026-01-03T11:00", 1_000)
    desk.read("M1", "2026-01-02T11:00", 1_000)
    desk.open("A9")
    desk.views.catch_up()
    yield desk
    desk.close()


def test_who_was_not_read_for_a_day_is_silent(desk: Desk) -> None:
    pages = silent_accounts(desk.engine, 2, at_us("2026-01-02T12:00"))
    assert sorted(number for page in pages for number in page) == ["A1", "A2", "A3"]


def test_what_is_due_is_charged_once(desk: Desk) -> None:
    clockwork = Clockwork(desk.ledger, desk.engine)
    assert clockwork.due(desk.clock())["days"] == 1 + 2 + 2
    assert clockwork.due(desk.clock())["days"] == 0
    desk.clock.go("2026-01-04T12:00")
    assert clockwork.due(desk.clock())["days"] == 4
    assert desk.account("A0").balance_minor == -(50 + 3 * 20)


def test_the_clockwork_runs_by_itself(desk: Desk) -> None:
    clockwork = Clockwork(desk.ledger, desk.engine, every_s=0.01).start()
    until = time.monotonic() + 20
    while desk.account("A2").balance_minor == 0 and time.monotonic() < until:
        time.sleep(0.01)
    clockwork.stop()
    assert desk.account("A2").balance_minor == -2 * 20
