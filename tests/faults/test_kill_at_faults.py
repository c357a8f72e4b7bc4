"""Every fault of the park, each at a meter of its own, while the service is killed at one step.

The process that acts comes to a step of the order to every meter, waits there for the others, and
dies; another takes over. In the end each trip was done once, and each payment brings supply back.
"""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL
from threading import Event, Lock
from typing import Any, Final

import pytest

from adapters import device_side
from adapters.devices import dispatcher, line
from adapters.devices.park.meter import Fault
from ledger.aggregates import command
from ledger.events import Event as Fact
from ledger.events.command import CommandDispatched, CommandVerified
from tests.faults.test_kill_devices import act_until_killed
from tests.harness.ledgers import WAIT_S
from tests.harness.processes import CONTEXT, die
from tests.harness.supplied import Supplied, acting, hurry, soon, supplied
from tests.harness.umodbus_gateway import QUICK

FAULTS: Final[tuple[tuple[Fault, int], ...]] = (
    ("silent", 3),
    ("slow", 3),
    ("write_unanswered", 1),
    ("bit_flip", 3),
    ("busy", 2),
    ("stuck_relay", -1),
)
"""What the first meters show, and how often."""
STUCK, DOWN = 6, 7
"""Numbers of the meters that are stuck, and behind a gateway that is down."""
METERS: Final = 8
"""The last one is sound."""
STEPS: Final = (
    ("begin_dispatch", "before"),
    ("begin_dispatch", "after"),
    ("record_sent", "before"),
    ("record_sent", "after"),
)
"""Right before an order is sent; said to be; sent and not recorded; recorded and not looked."""
GATHER_S: Final = 8.0


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)
    monkeypatch.setattr(device_side, "RENEW_S", 0.2)


@pytest.mark.parametrize(("step", "side"), STEPS)
def test_a_trip_has_its_right_end_whatever_the_fault_and_wherever_the_service_is_killed(
    sqlite_url: str, tmp_path: Path, cuts: list[str], step: str, side: str
) -> None:
    with supplied(sqlite_url, tmp_path, gateways=METERS, meters=METERS) as there:
        break_all(there)
        kill_at(there, sqlite_url, tmp_path, step, side, there.fall_behind)
        with acting(there):
            mend_line(there)
            check_cut(there)
            assert at_most_once(cuts)
            there.meter(STUCK).heal()
            for meter in there.park:
                there.pay(meter.meter_no)
            check_restored(there)
        assert at_most_once(cuts)
        check_order(there)


@pytest.mark.parametrize(("step", "side"), STEPS[1:3])
def test_no_restore_is_lost_whatever_the_fault_and_wherever_the_service_is_killed(
    sqlite_url: str, tmp_path: Path, cuts: list[str], step: str, side: str
) -> None:
    with supplied(sqlite_url, tmp_path, gateways=METERS, meters=METERS) as there:
        with acting(there):
            for meter in there.park:
                there.fall_behind(meter.meter_no)
            for meter in there.park:
                ends_as(there, meter.meter_no, ("trip", "verified"))
        break_all(there)
        kill_at(there, sqlite_url, tmp_path, step, side, there.pay)
        with acting(there):
            mend_line(there)
            ends_as(there, there.meter(STUCK).meter_no, ("close", "failed"))
            (work,) = there.rows("work_orders")
            assert (work["kind"], work["code"], work["status"]) == ("close", "not_reached", "open")
            there.meter(STUCK).heal()
            check_restored(there)
            soon(lambda: [row["status"] for row in there.rows("work_orders")] == ["settled"])
        assert len(cuts) == METERS
        check_order(there)


def kill_at(
    there: Supplied, url: str, folder: Path, step: str, side: str, happens: Callable[[str], None]
) -> None:
    """Let another process act while the same happens to every account; it dies at a step."""
    process = CONTEXT.Process(target=act_and_die, args=(url, folder, step, side))
    process.start()
    for meter in there.park:
        happens(meter.meter_no)
    process.join(WAIT_S)
    assert process.exitcode == -SIGKILL
    process.close()


def ends_as(there: Supplied, meter_no: str, end: tuple[str, str]) -> None:
    """The newest command of a meter comes to its end."""
    soon(lambda: there.commands(meter_no)[-1:] == [end])


def break_all(there: Supplied) -> None:
    """Every meter gets its fault."""
    for number, (fault, times) in enumerate(FAULTS, 1):
        there.meter(number).inject(fault, times)
    there.thread.call(there.park.gateways[DOWN - 1].down())


def mend_line(there: Supplied) -> None:
    """The gateway is back."""
    there.thread.call(there.park.gateways[DOWN - 1].up())


def check_cut(there: Supplied) -> None:
    """All are cut but the one that cannot be, which is a person's work."""
    for meter in there.park:
        end = "failed" if meter is there.meter(STUCK) else "verified"
        ends_as(there, meter.meter_no, ("trip", end))
    (work,) = there.rows("work_orders")
    assert (work["meter_no"], work["code"]) == (there.meter(STUCK).meter_no, "not_reached")
    assert [meter.meter_no for meter in there.park if meter.is_closed] == [work["meter_no"]]


def check_restored(there: Supplied) -> None:
    """Everybody has paid, and has supply, as the ledger knows."""
    for meter in there.park:
        ends_as(there, meter.meter_no, ("close", "verified"))
        assert there.supply(meter.meter_no) == {"intended": "on", "actual": "on"}
    assert all(meter.is_closed for meter in there.park)
    assert not [row for row in there.rows("holds") if row["is_active"]]


def at_most_once(cuts: list[str]) -> bool:
    """Nobody is told to open twice, but the one that says that it obeys and does not."""
    told = Counter(cuts)
    stuck = told.pop(f"M{STUCK:06d}", 0)
    return all(count == 1 for count in told.values()) and stuck <= command.OBEYED_MAX + 1


def check_order(there: Supplied) -> None:
    """No order is sent again after it was verified."""
    verified: set[str] = set()
    for fact in facts(there):
        if isinstance(fact, CommandVerified):
            verified.add(fact.command_id)
        elif isinstance(fact, CommandDispatched):
            assert fact.command_id not in verified


def facts(there: Supplied) -> list[Fact]:
    """Everything in the log."""
    told = (there.opened.ledger.event(row.shard, row.position) for row in there.opened.rows())
    return [fact for fact in told if fact is not None]


def act_and_die(url: str, folder: Path, step: str, side: str) -> None:
    """Act on the meters until the orders of all of them have come to a step, or wait no longer."""
    vars(line).update(Timing=lambda: QUICK)
    vars(command).update(FIRST_PAUSE_US=200_000)
    inner, came, lock, all_came = getattr(dispatcher, step), set[str](), Lock(), Event()

    def lethal(command_id: str, *about: Any, **named: Any) -> None:  # noqa: ANN401 - any step
        if side == "after":
            inner(command_id, *about, **named)
        with lock:
            came.add(command_id)
            if len(came) == METERS:
                all_came.set()
        all_came.wait(GATHER_S)
        time.sleep(0.1)
        die()

    setattr(dispatcher, step, lethal)
    act_until_killed(url, folder)
