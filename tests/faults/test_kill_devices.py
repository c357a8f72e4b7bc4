"""The process that acts on the meters is killed again and again; the last wish wins."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Any

import pytest

from adapters import device_side
from adapters.device_side import DeviceSide
from adapters.devices import dispatcher
from adapters.store.leases import Lease
from ledger.events.command import CommandDispatched, CommandRequested, CommandVerified
from tests.harness.ledgers import WAIT_S, open_ledger, until
from tests.harness.processes import CONTEXT, die
from tests.harness.supplied import Supplied, acting, settings_for, soon, supplied

ROUNDS = 8
LEASE_US = 1_000_000
STEPS = (
    ("begin_dispatch", "before"),
    ("begin_dispatch", "after"),
    ("record_sent", "before"),
    ("record_sent", "after"),
    ("record_seen", "before"),
)
"""Queued, dispatched and not sent, sent and not recorded, acknowledged, seen and not recorded."""
ENDED = {"verified", "superseded", "cancelled", "expired"}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes over looks often whether the other is still there."""
    monkeypatch.setattr(device_side, "RENEW_S", 0.2)


def act_until_killed(url: str, folder: Path, trips_per_minute: int = 60) -> None:
    """Another process of the same ledger that reads and commands its meters."""
    vars(device_side).update(Lease=partial(Lease, lasts_us=LEASE_US), RENEW_S=0.2)
    with open_ledger(url, folder) as opened:
        settings = settings_for(url, trips_per_minute=trips_per_minute)
        DeviceSide(settings, opened.ledger, opened.engine).start()
        time.sleep(600)


def kill_while(url: str, folder: Path, happens: Callable[[], None], after_s: float) -> None:
    """Let another process act while something happens, and kill it."""
    process = CONTEXT.Process(target=act_until_killed, args=(url, folder))
    process.start()
    try:
        time.sleep(0.8)  # It is at work, or nearly: both are worth a kill.
        happens()
        time.sleep(after_s)
    finally:
        process.kill()
        process.join()
        process.close()


def test_no_restore_is_lost_and_no_trip_given_twice_whoever_is_killed(
    database_url: str, tmp_path: Path
) -> None:
    chance = Random(7)
    with supplied(database_url, tmp_path) as there:
        there.meter().inject("slow")  # More time to be killed in.
        for number in range(ROUNDS):
            happens = there.pay if number % 2 else there.fall_behind
            kill_while(database_url, tmp_path, happens, chance.uniform(0.0, 1.2))
        there.meter().heal()
        with acting(there):
            soon(lambda: there.supply() == {"intended": "on", "actual": "on"})
            soon(lambda: all(status in ENDED for _, status in there.commands()))
            assert there.meter().is_closed
        check_order(there)


@pytest.mark.parametrize(("step", "side"), STEPS)
def test_killed_at_any_step_of_an_order_it_is_done_once_and_paid_back(
    sqlite_url: str, tmp_path: Path, cuts: list[str], step: str, side: str
) -> None:
    kill_at(sqlite_url, tmp_path, cuts, step, side)


@pytest.mark.postgres
def test_killed_between_the_order_and_its_record_it_is_done_once(
    postgres_url: str, tmp_path: Path, cuts: list[str]
) -> None:
    kill_at(postgres_url, tmp_path, cuts, "record_sent", "before")


def kill_at(url: str, folder: Path, cuts: list[str], step: str, side: str) -> None:
    """Cut and restore a meter, and kill whoever acts at one step of the cut."""
    with supplied(url, folder) as there:
        process = CONTEXT.Process(target=act_and_die, args=(url, folder, step, side))
        process.start()
        there.fall_behind()
        process.join(WAIT_S)
        assert process.exitcode == -SIGKILL
        process.close()
        with acting(there):
            soon(lambda: there.supply() == {"intended": "off", "actual": "off"})
            assert not there.meter().is_closed
            there.pay()
            soon(lambda: there.supply() == {"intended": "on", "actual": "on"})
            soon(lambda: there.commands() == [("trip", "verified"), ("close", "verified")])
        assert there.meter().is_closed
        assert len(cuts) == 1
        check_order(there)


def act_and_die(url: str, folder: Path, step: str, side: str) -> None:
    """Act on the meters until an order comes to a step of its way."""
    inner = getattr(dispatcher, step)

    def lethal(*about: Any, **named: Any) -> None:  # noqa: ANN401 - in place of any step
        if side == "after":
            inner(*about, **named)
        die()

    setattr(dispatcher, step, lethal)
    act_until_killed(url, folder)


def check_order(there: Supplied) -> None:
    """Only the newest order was ever sent, and none after it had been verified."""
    newest, verified = "", set()
    for row in there.opened.rows():
        event = there.opened.ledger.event(row.shard, row.position)
        if isinstance(event, CommandRequested):
            newest = event.command_id
        elif isinstance(event, CommandVerified):
            verified.add(event.command_id)
        elif isinstance(event, CommandDispatched):
            assert event.command_id == newest
            assert event.command_id not in verified


def test_the_one_that_takes_over_reads_before_it_sends_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    with supplied(sqlite_url, tmp_path) as there:
        there.meter().inject("write_unanswered")

        def cut() -> None:
            there.fall_behind()
            until(lambda: not there.meter().is_closed)

        kill_while(sqlite_url, tmp_path, cut, 0.0)
        with acting(there):
            soon(lambda: there.commands() == [("trip", "verified")])
        assert there.rows("commands")[0]["attempts"] == 1
