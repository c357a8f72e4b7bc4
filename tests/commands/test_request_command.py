"""What a person may order, and what becomes of an order that another one meets."""

import pytest

from ledger.aggregates import Refused
from ledger.aggregates.command import DeviceCommand
from ledger.commands import cancel_command, guarantee, request_command, retry_command
from ledger.commands.request_command import RequestCommand
from ledger.devices import OrderKind
from ledger.values import instant
from tests.harness.desk import ACTOR, Desk
from tests.harness.device_day import Line

MINUTE_US = 60_000_000


@pytest.fixture
def line(desk: Desk) -> Line:
    """An account with money, whose meter is connected and was seen closed."""
    line = Line(desk, "A1", "M1")
    desk.adjust("A1", 50_00)
    line.sweep("closed")
    return line


def command(desk: Desk, command_id: str) -> DeviceCommand:
    found: DeviceCommand = desk.fold(DeviceCommand, command_id, 0)
    return found


def status(desk: Desk, command_id: str) -> str:
    return command(desk, command_id).status


def test_the_same_order_while_one_is_under_way_is_that_one(line: Line) -> None:
    first = line.request("recall")
    trip = line.request("trip")
    assert line.request("trip")["command_id"] == trip["command_id"] != first["command_id"]


@pytest.mark.parametrize("kind", ["set_clock", "set_price"])
def test_what_the_meter_cannot_do_is_refused_when_it_is_asked_for(
    line: Line, desk: Desk, kind: OrderKind
) -> None:
    before = len(desk.recorded())
    with pytest.raises(Refused) as refused:
        line.request(kind)
    assert refused.value.code == "command_not_supported"
    assert "DDSY1352" in refused.value.message
    assert "it can do: close, close_permit, end_guarantee" in refused.value.message
    assert len(desk.recorded()) == before


def test_whoever_is_protected_is_not_cut_by_hand(line: Line, desk: Desk) -> None:
    guarantee.start(guarantee.StartGuarantee(account_no="A1", reason="exams"), desk.ledger, ACTOR)
    with pytest.raises(Refused) as refused:
        line.request("trip")
    assert refused.value.code == "guaranteed"


def test_supply_that_the_rules_withhold_is_not_given_by_hand(line: Line) -> None:
    line.fall_behind()
    with pytest.raises(Refused) as refused:
        line.request("close")
    assert refused.value.code == "supply_cut_for_debt"


def test_what_a_person_switched_off_stays_off_until_a_person_switches_it_on(
    line: Line, desk: Desk
) -> None:
    trip = line.request("trip")["command_id"]
    line.obey(trip, "open")
    line.fall_behind()
    line.pay()
    line.sweep("open")
    point = desk.account("A1").points[0]
    assert (point.supply_intended, point.supply_actual, point.mismatch) == ("on", "off", "")
    close = line.request("close")["command_id"]
    line.obey(close, "closed")
    assert desk.account("A1").points[0].supply_actual == "on"


def test_an_order_for_the_past_is_refused(line: Line, desk: Desk) -> None:
    past = RequestCommand(
        account_no="A1", kind="recall", reason="late", expires_at=instant(desk.clock() - 1)
    )
    with pytest.raises(Refused) as refused:
        request_command.handle(past, desk.ledger, ACTOR)
    assert refused.value.code == "expires_in_the_past"


def test_a_payment_cancels_a_trip_that_was_not_sent(line: Line, desk: Desk) -> None:
    trip = line.fall_behind()["command_id"]
    line.pay()
    assert status(desk, trip) == "cancelled"
    assert line.send(trip) == 0


def test_a_payment_follows_a_trip_that_was_sent_with_a_restore(line: Line, desk: Desk) -> None:
    trip = line.fall_behind()["command_id"]
    line.send(trip)
    close = line.pay()["command_id"]
    assert (status(desk, trip), status(desk, close)) == ("superseded", "queued")
    assert command(desk, close).follows == trip


def test_a_payment_between_decision_and_dispatch_is_seen_at_the_last_moment(
    line: Line, desk: Desk
) -> None:
    trip = line.fall_behind()["command_id"]
    desk.recharge("A1", 500_00)
    assert line.send(trip) == 0
    assert status(desk, trip) == "cancelled"


def test_doubt_about_an_earlier_trip_outlives_a_later_one(line: Line, desk: Desk) -> None:
    """Sent without an answer, followed by a restore that was not sent, then another trip."""
    first = line.fall_behind()["command_id"]
    line.send(first)
    line.pay()
    desk.adjust("A1", -500_00)
    again = line.steer()["command_id"]
    close = line.pay()["command_id"]
    assert command(desk, again).attempts == 0
    assert (status(desk, again), command(desk, close).kind) == ("superseded", "close")


def test_a_guarantee_gives_back_what_was_cut_and_its_end_takes_it(line: Line, desk: Desk) -> None:
    line.obey(line.fall_behind()["command_id"], "open")
    until = instant(desk.clock() + 60 * MINUTE_US)
    started = guarantee.StartGuarantee(account_no="A1", until=until, reason="exams")
    guarantee.start(started, desk.ledger, ACTOR)
    close = line.steer()
    assert close["kind"] == "close"
    line.obey(close["command_id"], "closed")
    guarantee.end_due("A1", "electricity", desk.ledger)
    assert desk.account("A1").points[0].has_guarantee
    desk.clock.pass_by(minutes=61)
    guarantee.end_due("A1", "electricity", desk.ledger)
    assert not desk.account("A1").points[0].has_guarantee
    trip = line.steer()
    assert (trip["kind"], trip["status"]) == ("trip", "queued")


def test_a_held_trip_does_not_run_out_of_time(line: Line, desk: Desk) -> None:
    trip = line.fall_behind()["command_id"]
    assert line.send(trip, may_trip=False) == 0
    assert (status(desk, trip), command(desk, trip).code) == ("held", "trips_off")
    desk.clock.pass_by(hours=5)
    assert line.free(trip).status == "queued"
    assert line.send(trip) == 1


def test_a_trip_that_waits_for_its_line_runs_out_of_time(line: Line, desk: Desk) -> None:
    trip = line.fall_behind()["command_id"]
    desk.clock.pass_by(minutes=31)
    assert line.send(trip) == 0
    assert status(desk, trip) == "expired"
    line.sweep("closed")
    assert desk.account("A1").points[0].mismatch == "off"


def test_what_failed_is_tried_again_by_hand(line: Line, desk: Desk) -> None:
    trip = line.fall_behind()["command_id"]
    for _ in range(3):
        line.obey(trip, "closed")
        desk.clock.pass_by(minutes=2)
    assert status(desk, trip) == "failed"
    retry = retry_command.RetryCommand(command_id=trip)
    assert retry_command.handle(retry, desk.ledger, ACTOR).body["status"] == "queued"
    line.obey(trip, "open")
    assert status(desk, trip) == "verified"
    with pytest.raises(Refused) as refused:
        retry_command.handle(retry, desk.ledger, ACTOR)
    assert refused.value.code == "command_not_retryable"


def test_what_a_newer_order_replaced_is_not_tried_again(line: Line, desk: Desk) -> None:
    trip = line.fall_behind()["command_id"]
    line.pay()
    desk.adjust("A1", -1000_00)
    line.steer()
    with pytest.raises(Refused) as refused:
        retry_command.handle(retry_command.RetryCommand(command_id=trip), desk.ledger, ACTOR)
    assert refused.value.code == "command_superseded"


def test_what_a_meter_may_have_heard_is_not_cancelled(line: Line, desk: Desk) -> None:
    trip = line.fall_behind()["command_id"]
    line.send(trip)
    with pytest.raises(Refused) as refused:
        cancel_command.handle(
            cancel_command.CancelCommand(command_id=trip, reason="too late"), desk.ledger, ACTOR
        )
    assert refused.value.code == "command_sent"


@pytest.mark.parametrize("wrong", ["7-c1", "x", "0-", "-c1", "0-c999"])
def test_an_id_of_nothing_is_refused(desk: Desk, wrong: str) -> None:
    with pytest.raises(Refused) as refused:
        retry_command.handle(retry_command.RetryCommand(command_id=wrong), desk.ledger, ACTOR)
    assert refused.value.code in {"id_unknown", "command_unknown"}


def test_the_policy_told_of_a_decision_twice_orders_once(line: Line, desk: Desk) -> None:
    desk.adjust("A1", -500_00)
    first = line.steer_by("0:1")
    assert line.steer_by("0:1") == first
    assert desk.topics().count("command.requested.v1") == 1
