"""What becomes of an order on its way, and what a sweep sees of it."""

import pytest

from ledger.aggregates.command import DeviceCommand
from ledger.aggregates.work_order import WorkOrder
from ledger.commands import settle_work_order
from ledger.commands.advance_command import record_seen, record_sent
from ledger.devices import Garbled, MeterState, NoAnswer, Offline, Ok
from ledger.devices import Refused as MeterRefused
from tests.harness.desk import ACTOR, Desk
from tests.harness.device_day import Line


@pytest.fixture
def line(desk: Desk) -> Line:
    """An account that was cut: its relay is open, and its payment has just arrived."""
    line = Line(desk, "A1", "M1")
    line.obey(line.fall_behind()["command_id"], "open")
    return line


@pytest.fixture
def close(line: Line) -> str:
    """The restore that the payment brought."""
    command_id: str = line.pay()["command_id"]
    return command_id


def command(desk: Desk, command_id: str) -> DeviceCommand:
    found: DeviceCommand = desk.fold(DeviceCommand, command_id, 0)
    return found


def actual(desk: Desk) -> str:
    return desk.account("A1").points[0].supply_actual


def test_a_restore_never_expires_and_becomes_work_after_twenty_minutes(
    line: Line, desk: Desk, close: str
) -> None:
    while (found := command(desk, close)).is_open:
        line.send(close, Offline("connection refused"))
        desk.clock.pass_by(seconds=121)
    assert (found.status, found.code) == ("failed", "offline")
    assert found.attempts >= 10
    assert desk.fold(WorkOrder, found.work_order_no, 0).status == "open"


def test_a_meter_that_answers_again_gets_the_restore_that_failed_at_the_line(
    line: Line, desk: Desk, close: str
) -> None:
    test_a_restore_never_expires_and_becomes_work_after_twenty_minutes(line, desk, close)
    line.sweep("open")
    again = desk.account("A1").points[0].command_id
    assert again != close
    line.obey(again, "closed")
    assert actual(desk) == "on"
    number = command(desk, close).work_order_no
    assert desk.fold(WorkOrder, number, 0).status == "settled"


def test_an_unknown_order_is_looked_at_before_it_is_sent_again(
    line: Line, desk: Desk, close: str
) -> None:
    attempt = line.send(close, NoAnswer())
    assert command(desk, close).status == "unknown"
    assert line.send(close) == 0
    line.look(close, attempt, "closed")
    assert (command(desk, close).status, command(desk, close).attempts) == ("verified", 1)


def test_a_sweep_verifies_what_nobody_knew(line: Line, desk: Desk, close: str) -> None:
    line.send(close, Garbled("noise"))
    line.sweep("closed")
    assert (command(desk, close).status, command(desk, close).code) == ("verified", "sweep")
    assert actual(desk) == "on"


def test_a_state_from_before_the_order_verifies_nothing(line: Line, desk: Desk, close: str) -> None:
    seen_before = line.state("closed")
    desk.clock.pass_by(seconds=5)
    line.send(close, NoAnswer())
    line.sweep_with(seen_before)
    assert command(desk, close).status == "unknown"


@pytest.mark.parametrize("code", ["busy", "gateway_path_unavailable"])
def test_a_meter_that_has_no_time_is_asked_again_until_patience_ends(
    line: Line, desk: Desk, close: str, code: str
) -> None:
    for _ in range(5):
        line.send(close, MeterRefused(code))
        assert (command(desk, close).status, command(desk, close).code) == ("queued", "busy")
        desk.clock.pass_by(seconds=121)
    while (found := command(desk, close)).is_open:
        line.send(close, MeterRefused(code))
        desk.clock.pass_by(seconds=121)
    assert (found.status, found.code, found.refusals) == ("failed", "busy", 0)
    assert found.attempts >= 10


@pytest.mark.parametrize("code", ["acknowledged_later", "gateway_target_silent"])
def test_a_no_that_is_none_leaves_it_unknown_and_is_looked_at(
    line: Line, desk: Desk, close: str, code: str
) -> None:
    attempt = line.send(close, MeterRefused(code))
    assert command(desk, close).status == "unknown"
    assert line.send(close) == 0
    line.look(close, attempt, "closed")
    assert (command(desk, close).status, command(desk, close).attempts) == ("verified", 1)


def test_a_meter_that_says_no_three_times_is_a_persons_work(
    line: Line, desk: Desk, close: str
) -> None:
    for _ in range(3):
        line.send(close, MeterRefused("value_refused"))
        desk.clock.pass_by(minutes=5)
    assert (command(desk, close).status, command(desk, close).code) == ("failed", "refused")


def test_word_of_another_attempt_changes_nothing(line: Line, desk: Desk, close: str) -> None:
    line.send(close, Offline("connection refused"))
    before = command(desk, close)
    record_sent(close, 1, Ok(), desk.ledger)
    record_seen(close, 1, Ok(line.state("closed")), desk.ledger)
    assert command(desk, close) == before


def test_a_person_who_was_there_verifies_by_hand(line: Line, desk: Desk, close: str) -> None:
    for _ in range(3):
        line.obey(close, "open")
        desk.clock.pass_by(minutes=2)
    number = command(desk, close).work_order_no
    settled = settle_work_order.SettleWorkOrder(work_order_no=number, actual="on", note="by key")
    body = settle_work_order.handle(settled, desk.ledger, ACTOR).body
    assert body["status"] == "settled"
    assert settle_work_order.handle(settled, desk.ledger, ACTOR).body["positions"] == {}
    assert (command(desk, close).status, actual(desk)) == ("verified", "on")


def test_a_permit_waits_for_the_customer(line: Line, desk: Desk, close: str) -> None:
    permit = line.request("close_permit")["command_id"]
    line.look(permit, line.send(permit), "open")
    assert command(desk, permit).status == "awaiting_customer"
    assert command(desk, close).status == "superseded"
    line.sweep("closed")
    assert command(desk, permit).status == "verified"


def test_a_meter_forced_on_beside_its_own_balance_is_one_open_case(
    line: Line, desk: Desk, close: str
) -> None:
    forced = MeterState(
        desk.clock(), {}, "closed", "forced_closed", flags=("switch_off_own_prepayment",)
    )
    record_seen(close, line.send(close), Ok(forced), desk.ledger)
    assert command(desk, close).status == "verified"
    assert desk.fold(WorkOrder, "0-p-M1", 0).status == "open"
    assert desk.topics().count("work_order.opened.v1") == 1


def test_a_relay_that_somebody_opened_is_closed_again(line: Line, desk: Desk, close: str) -> None:
    line.obey(close, "closed")
    line.sweep("open")
    point = desk.account("A1").points[0]
    assert (point.mismatch, point.command_id != close) == ("on", True)
    line.sweep("open")
    assert desk.account("A1").points[0].command_id == point.command_id
    line.obey(point.command_id, "closed")
    assert desk.account("A1").points[0].mismatch == ""
