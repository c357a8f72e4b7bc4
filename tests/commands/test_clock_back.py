"""The clock of a server goes back: what meters show counts all the same, and patience ends."""

import pytest

from ledger.aggregates.command import DeviceCommand
from ledger.devices import NoAnswer
from tests.harness.desk import Desk
from tests.harness.device_day import Line


@pytest.fixture
def line(desk: Desk) -> Line:
    line = Line(desk, "A1", "M1")
    desk.adjust("A1", 50_00)
    line.sweep("closed")
    return line


def test_a_meter_that_was_cut_before_is_seen_to_be_on_again(line: Line, desk: Desk) -> None:
    line.obey(line.fall_behind()["command_id"], "open")
    assert desk.account("A1").points[0].supply_actual == "off"
    desk.clock.pass_by(hours=-1)
    close = line.pay()["command_id"]
    line.obey(close, "closed")
    seen = desk.account("A1").points[0]
    assert (seen.supply_actual, seen.mismatch) == ("on", "")
    before = len(desk.recorded())
    line.sweep("closed")
    assert len(desk.recorded()) == before, "nothing more is ordered or told"


def test_a_look_from_before_the_order_still_says_nothing(line: Line, desk: Desk) -> None:
    old = line.state("closed")
    desk.clock.pass_by(seconds=1)
    line.obey(line.fall_behind()["command_id"], "open")
    line.sweep_with(old)
    assert desk.account("A1").points[0].supply_actual == "off"


def test_a_sweep_from_before_the_order_opens_no_case_where_supply_looked_right_all_along(
    line: Line, desk: Desk
) -> None:
    trip = line.fall_behind()["command_id"]
    line.look(trip, line.send(trip, NoAnswer()), None)
    assert desk.account("A1").points[0].supply_actual == "on", "nobody saw it open"
    desk.clock.pass_by(seconds=1)
    old = line.state("open")
    desk.clock.pass_by(seconds=1)
    line.obey(line.pay()["command_id"], "closed")
    before = len(desk.recorded())
    line.sweep_with(old)
    assert len(desk.recorded()) == before
    line.sweep("open")
    assert desk.account("A1").points[0].mismatch == "on", "one from behind it counts"


def test_a_restore_that_was_asked_for_long_from_now_becomes_work(line: Line, desk: Desk) -> None:
    line.obey(line.fall_behind()["command_id"], "open")
    close = line.pay()["command_id"]
    desk.clock.pass_by(days=-300)
    line.look(close, line.send(close, NoAnswer()), None)
    found: DeviceCommand = desk.fold(DeviceCommand, close, 0)
    assert (found.status, found.code) == ("failed", "unknown")
    assert found.work_order_no


def test_a_clock_that_is_a_little_behind_costs_no_patience(line: Line, desk: Desk) -> None:
    line.obey(line.fall_behind()["command_id"], "open")
    close = line.pay()["command_id"]
    desk.clock.pass_by(minutes=-1)
    line.look(close, line.send(close, NoAnswer()), None)
    found: DeviceCommand = desk.fold(DeviceCommand, close, 0)
    assert found.status == "unknown"
