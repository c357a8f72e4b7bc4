"""Nobody is cut in a no-cut window: the trip is put off, and decided again at the end."""

from typing import Any

import pytest

from adapters.clockwork import decide_due_trips
from adapters.views.queries import SqlQueries
from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.no_cut import NoCut
from ledger.aggregates.command import DeviceCommand
from ledger.aggregates.policy import TripLine
from ledger.aggregates.policy_windows import NoCutWindow
from ledger.commands.publish_policy import PolicyRefused
from ledger.events import account as facts
from ledger.store import Session
from ledger.values import rfc3339
from tests.harness.desk import Desk, at_us, point
from tests.harness.device_day import Line
from tests.harness.documents import policy

NIGHTS = NoCutWindow(name="nights", hours="18:00-08:00")
FRIDAYS = NoCutWindow(name="weekends", days=("fri", "weekend"))
EVENING, MORNING = "2026-07-01T20:00", "2026-07-02T08:00"
NEXT_EVENING, NEXT_MORNING = "2026-07-02T20:00", "2026-07-03T08:00"
TRIPS = (facts.SupplyTripPostponed, facts.SupplyTripOrdered, facts.SupplyRestoreOrdered)


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """An account with money, in the evening of a Wednesday, under a policy that spares nights."""
    desk.publish(policy(no_cut_windows=(NIGHTS, FRIDAYS)))
    desk.clock.go(EVENING)
    desk.open("A1", point("M1"))
    desk.recharge("A1", 50_00)
    return desk


def happened(desk: Desk) -> list[str]:
    """What was decided about the supply."""
    return [type(fact).__name__ for fact in desk.facts("A1") if isinstance(fact, TRIPS)]


def time_passes(desk: Desk, to: str) -> int:
    """The scheduler comes by; so many accounts were decided about."""
    desk.clock.go(to)
    desk.views.catch_up()
    changed: int = decide_due_trips(desk.ledger, desk.engine, desk.clock())["changed"]
    desk.views.catch_up()
    return changed


def supply(desk: Desk) -> dict[str, Any]:
    desk.views.catch_up()
    account = desk.views.account("A1")
    assert account is not None
    found: dict[str, Any] = account["service_points"][0]["supply"]
    return {"level": account["alert_level"], "intended": found["intended"]}


def test_the_level_is_told_at_once_and_the_trip_comes_with_the_morning_once(desk: Desk) -> None:
    desk.adjust("A1", -60_00)
    (postponed,) = [each for each in desk.facts("A1") if isinstance(each, TRIPS)]
    assert isinstance(postponed, facts.SupplyTripPostponed)
    assert postponed.held_by == ("nights",)
    assert (postponed.since_us, postponed.due_us) == (at_us(EVENING), at_us(MORNING))
    until = rfc3339(at_us(MORNING))
    assert postponed.trace.rules[-1] == facts.Rule(
        f"no-cut window nights until {until}", holds=True
    )
    assert supply(desk) == {"level": "trip", "intended": "on"}
    assert time_passes(desk, "2026-07-02T07:59:59") == 0
    assert time_passes(desk, MORNING) == 1
    assert happened(desk) == ["SupplyTripPostponed", "SupplyTripOrdered"]
    assert supply(desk) == {"level": "trip", "intended": "off"}
    assert time_passes(desk, "2026-07-02T12:00") == 0
    assert desk.views.verify() == []


def test_a_payment_before_the_end_cancels_it_and_nobody_is_cut(desk: Desk) -> None:
    desk.adjust("A1", -60_00)
    desk.recharge("A1", 10_01)
    (cancelled,) = [each for each in desk.facts("A1") if isinstance(each, facts.WarningCancelled)]
    assert (cancelled.trace.level_before, cancelled.trace.level_after) == ("trip", "warn")
    assert time_passes(desk, MORNING) == 0
    assert happened(desk) == ["SupplyTripPostponed"]
    desk.adjust("A1", -1)
    assert happened(desk) == ["SupplyTripPostponed", "SupplyTripOrdered"]
    assert desk.views.verify() == []


def test_a_payment_that_covers_the_line_is_enough_though_supply_would_return_later(
    desk: Desk,
) -> None:
    desk.publish(policy(no_cut_windows=(NIGHTS,), restore_above_minor=8_00))
    desk.adjust("A1", -60_00)
    desk.recharge("A1", 10_01)
    assert supply(desk) == {"level": "warn", "intended": "on"}
    assert time_passes(desk, MORNING) == 0


def test_readings_meanwhile_are_silence_and_one_behind_the_end_does_not_wait(desk: Desk) -> None:
    desk.read("M1", "2026-07-01T19:30", 110_000)
    for hour, total in ((21, 111_000), (23, 112_000)):
        desk.clock.go(f"2026-07-01T{hour}:00")
        desk.read("M1", f"2026-07-01T{hour}:00", total)
    assert happened(desk) == ["SupplyTripPostponed"]
    desk.clock.go("2026-07-02T08:00:01")
    desk.read("M1", "2026-07-02T07:00", 113_000)
    assert happened(desk) == ["SupplyTripPostponed", "SupplyTripOrdered"]
    (trip,) = [e for e in desk.recorded() if isinstance(e.event, facts.SupplyTripOrdered)]
    assert trip.valid_at_us == desk.clock(), "a trip is of the time at which it is decided"
    assert time_passes(desk, "2026-07-02T09:00") == 0
    assert desk.views.verify() == []


def test_windows_that_meet_are_one(desk: Desk) -> None:
    desk.clock.go("2026-07-02T20:00")
    desk.adjust("A1", -60_00)
    assert time_passes(desk, "2026-07-03T12:00") == 0
    assert time_passes(desk, "2026-07-06T07:59") == 0
    assert time_passes(desk, "2026-07-06T08:00") == 1
    assert happened(desk) == ["SupplyTripPostponed", "SupplyTripOrdered"]


def test_a_grace_ends_in_the_morning_behind_it(desk: Desk) -> None:
    patient = policy(no_cut_windows=(NIGHTS,)).model_copy(
        update={"trip": TripLine(available_minor=0, grace_hours=24)}
    )
    desk.publish(patient)
    desk.adjust("A1", -60_00)
    (postponed,) = [each for each in desk.facts("A1") if isinstance(each, TRIPS)]
    assert isinstance(postponed, facts.SupplyTripPostponed)
    assert postponed.held_by == ("grace", "nights")
    assert time_passes(desk, MORNING) == 0
    desk.adjust("A1", -1_00)
    assert time_passes(desk, "2026-07-03T08:00") == 1
    assert happened(desk) == ["SupplyTripPostponed", "SupplyTripOrdered"]
    assert desk.views.verify() == []


def test_a_policy_that_spares_others_hours_counts_from_the_next_decision_on(desk: Desk) -> None:
    desk.adjust("A1", -60_00)
    desk.clock.pass_by(minutes=5)
    desk.publish(policy(no_cut_windows=(NoCutWindow(name="long nights", hours="18:00-10:00"),)))
    desk.clock.pass_by(minutes=5)
    desk.adjust("A1", -1_00)
    assert time_passes(desk, MORNING) == 0
    assert time_passes(desk, "2026-07-02T10:00") == 1
    assert happened(desk) == ["SupplyTripPostponed", "SupplyTripPostponed", "SupplyTripOrdered"]
    assert desk.views.verify() == []


def test_a_point_that_goes_is_not_decided_about_for_ever(desk: Desk) -> None:
    desk.adjust("A1", -60_00)
    desk.clock.go("2026-07-01T21:00")
    desk.remove("A1", "2026-07-01T20:30", {"total": "0"})
    desk.clock.go("2026-07-03T12:00")
    desk.views.catch_up()
    assert decide_due_trips(desk.ledger, desk.engine, desk.clock())["looked_at"] == 0


def test_whoever_cannot_be_decided_about_keeps_nobody_else_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk.open("A0", point("M0"))
    for number in ("A0", "A1"):
        desk.adjust(number, -60_00)
    inner = Session.decide_levels

    def breaks(self: Session, account: Account, at: int) -> None:
        if account.account_no == "A0":
            raise ValueError("a stream that nobody can read")
        inner(self, account, at)

    stuck: set[str] = set()
    desk.clock.go(MORNING)
    desk.views.catch_up()
    with monkeypatch.context() as patched:
        patched.setattr(Session, "decide_levels", breaks)
        for _ in range(2):
            decide_due_trips(desk.ledger, desk.engine, desk.clock(), stuck)
    assert happened(desk) == ["SupplyTripPostponed", "SupplyTripOrdered"]
    assert stuck == {"A0"}
    assert caplog.text.count("The trip of A0 could not be decided") == 1
    desk.views.catch_up()
    assert decide_due_trips(desk.ledger, desk.engine, desk.clock(), stuck)["changed"] == 1


def test_why_tells_the_window_and_its_end(desk: Desk) -> None:
    desk.adjust("A1", -60_00)
    desk.views.catch_up()
    why = SqlQueries(desk.engine, desk.terms).why("A1")
    (decision,), (hold,) = why["decisions"], why["holds"]
    assert decision["decision"] == "account.supply_trip_postponed.v1"
    assert decision["due"] == hold["until"] == rfc3339(at_us(MORNING))
    assert (hold["kind"], hold["reason"]) == ("no_cut_window", "nights")
    time_passes(desk, MORNING)
    why = SqlQueries(desk.engine, desk.terms).why("A1")
    assert (why["decisions"][0]["due"], why["holds"]) == (None, [])


@pytest.mark.parametrize("shown", ["window", "trip"])
def test_a_trip_in_a_window_and_a_window_that_was_none_are_found_by_verify(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, shown: str
) -> None:
    with monkeypatch.context() as patched:
        if shown == "trip":
            patched.setattr(NoCut, "hold", lambda *_: None)
        else:
            desk.clock.go("2026-07-02T12:00")
            patched.setattr(NoCut, "_free_from", lambda _self, _zone, at: at + 1_000_000)
        desk.adjust("A1", -60_00)
    assert {found["check"] for found in desk.views.verify()} == {"control"}


def test_windows_that_leave_no_hour_are_not_published(desk: Desk) -> None:
    days = NoCutWindow(name="days", hours="08:00-18:00")
    with pytest.raises(PolicyRefused) as refused:
        desk.publish(policy(no_cut_windows=(NIGHTS, days)))
    assert [each.code for each in refused.value.problems] == ["no_hour_left"]


@pytest.fixture
def line(desk: Desk) -> Line:
    """Another account with money, whose meter is connected and was seen closed, by day."""
    desk.publish(policy(no_cut_windows=(NIGHTS,)))
    desk.clock.go("2026-07-02T12:00")
    line = Line(desk, "A2", "M2")
    desk.adjust("A2", 50_00)
    line.sweep("closed")
    return line


def found(desk: Desk, command_id: str) -> tuple[str, str]:
    command: DeviceCommand = desk.fold(DeviceCommand, command_id, 0)
    return command.status, command.code


def test_a_trip_that_was_not_sent_by_day_is_not_sent_at_night(line: Line, desk: Desk) -> None:
    desk.clock.go("2026-07-02T17:45")
    trip = line.fall_behind()["command_id"]
    assert found(desk, trip)[0] == "queued"
    desk.clock.go("2026-07-02T18:00")
    assert line.send(trip) == 0
    assert found(desk, trip) == ("held", "no_cut_window")
    assert line.free(trip).again_at_us == at_us(NEXT_MORNING)
    desk.clock.go("2026-07-03T07:58")
    assert line.free(trip).status == "held"
    desk.clock.go(NEXT_MORNING)
    assert line.free(trip).status == "queued"
    line.obey(trip, "open")
    assert found(desk, trip)[0] == "verified"


def test_a_trip_that_would_arrive_at_night_is_not_sent(line: Line, desk: Desk) -> None:
    desk.clock.go("2026-07-02T17:59:30")
    trip = line.fall_behind()
    assert (trip["status"], trip["code"]) == ("held", "no_cut_window")
    assert trip["again_at_us"] == at_us(NEXT_MORNING)


def test_a_payment_at_night_cancels_the_trip_that_was_held(line: Line, desk: Desk) -> None:
    desk.clock.go("2026-07-02T17:59:30")
    trip = line.fall_behind()["command_id"]
    desk.clock.go("2026-07-02T20:00")
    line.pay()
    assert found(desk, trip)[0] == "cancelled"


def test_nobody_is_cut_by_hand_in_a_window(line: Line, desk: Desk) -> None:
    desk.clock.go(NEXT_EVENING)
    with pytest.raises(Refused) as refused:
        line.request("trip")
    assert refused.value.code == "no_cut_window"
    assert "until 2026-07-03T00:00:00Z (nights)" in refused.value.message
    desk.clock.go(NEXT_MORNING)
    assert line.request("trip")["status"] == "queued"


def test_supply_comes_back_at_night(line: Line, desk: Desk) -> None:
    line.obey(line.fall_behind()["command_id"], "open")
    desk.clock.go(NEXT_EVENING)
    close = line.pay()["command_id"]
    line.obey(close, "closed")
    assert found(desk, close)[0] == "verified"
