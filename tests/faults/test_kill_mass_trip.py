"""Many fall behind at once and the process that cuts them is killed: the next goes on counting."""

from pathlib import Path
from typing import Final

import pytest

from adapters import device_side
from adapters.device_side import DeviceSide
from ledger.events.command import CommandDispatched
from tests.faults.test_kill_devices import act_until_killed
from tests.harness.ledgers import real_clock, until
from tests.harness.processes import CONTEXT
from tests.harness.supplied import Supplied, acting, soon, supplied

CUSTOMERS: Final = 6
A_MINUTE: Final = 3
CUT_BEFORE: Final = 2


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_side, "RENEW_S", 0.2)


def test_a_mass_trip_is_no_faster_for_being_killed_in_the_middle(
    database_url: str, tmp_path: Path, cuts: list[str]
) -> None:
    with supplied(database_url, tmp_path, meters=CUSTOMERS, trips_per_minute=A_MINUTE) as there:
        fall_behind_and_kill(there, database_url, tmp_path, cuts)
        with acting(there) as side:
            soon(lambda: all_done_or_waiting(there, side))
            assert len(dispatched(there)) == A_MINUTE
            assert CUT_BEFORE <= len(cuts) == len(set(cuts)) <= A_MINUTE
            there.pay(cuts[0])  # Restores have no bound.
            soon(lambda: there.commands(cuts[0])[-1] == ("close", "verified"))
        assert len(dispatched(there)) == A_MINUTE + 1


def fall_behind_and_kill(there: Supplied, url: str, folder: Path, cuts: list[str]) -> None:
    """Another process cuts some of the customers, and dies while the others wait."""
    process = CONTEXT.Process(target=act_until_killed, args=(url, folder, A_MINUTE))
    process.start()
    try:
        for meter in there.park:
            there.fall_behind(meter.meter_no)
        until(lambda: len(cuts) >= CUT_BEFORE)
    finally:
        process.kill()
        process.join()
        process.close()


def dispatched(there: Supplied) -> list[str]:
    """Every order that was sent, by its command, each time."""
    found = (
        there.opened.ledger.event(row.shard, row.position)
        for row in there.opened.rows()
        if row.topic == CommandDispatched.TOPIC
    )
    return [event.command_id for event in found if isinstance(event, CommandDispatched)]


def all_done_or_waiting(there: Supplied, side: DeviceSide) -> bool:
    """Each customer is cut, or was told to wait for the next minute."""
    assert side.acting is not None
    rows = there.rows("commands")
    waiting = [
        known.again_at_us > real_clock() + 3_000_000
        for row in rows
        if row["status"] != "verified"
        and (known := side.acting.dispatcher.know(row["command_id"])) is not None
    ]
    return len(rows) == CUSTOMERS and all(waiting)
