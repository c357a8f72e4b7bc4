"""The process that acts on the meters is killed again and again; the last wish wins."""

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from adapters.device_side import DeviceSide
from ledger.events.command import CommandDispatched, CommandRequested, CommandVerified
from tests.harness.ledgers import open_ledger, until
from tests.harness.processes import CONTEXT
from tests.harness.supplied import Supplied, acting, settings_for, soon, supplied

ROUNDS = 8
ENDED = {"verified", "superseded", "cancelled", "expired"}


def act_until_killed(url: str, folder: Path) -> None:
    """Another process of the same ledger that reads and commands its meters."""
    with open_ledger(url, folder) as opened:
        DeviceSide(settings_for(url), opened.ledger, opened.engine).start()
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
