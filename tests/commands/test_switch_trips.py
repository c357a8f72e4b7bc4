"""The kill switch takes effect at once: what is not sent yet waits, and restores go on."""

import pytest

from adapters.clockwork import Clockwork
from adapters.views.queries import SqlQueries
from ledger.aggregates import Refused
from ledger.aggregates.command import DeviceCommand
from ledger.commands.switch_trips import SwitchTrips, handle
from ledger.events.trips import TripsResumed
from tests.harness.desk import ACTOR, Desk, at_us
from tests.harness.device_day import Line


@pytest.fixture
def line(desk: Desk) -> Line:
    """An account with money at a connected meter of the site North."""
    line = Line(desk, "A1", "M1", site="North")
    desk.adjust("A1", 50_00)
    line.sweep("closed")
    return line


def found(desk: Desk, command_id: str) -> tuple[str, str]:
    command: DeviceCommand = desk.fold(DeviceCommand, command_id, 0)
    return command.status, command.code


def test_who_falls_behind_while_trips_are_suspended_is_not_cut(line: Line, desk: Desk) -> None:
    line.switch_trips("off", "a heat wave")
    trip = line.fall_behind()["command_id"]
    assert found(desk, trip) == ("held", "trips_suspended")
    assert line.send(trip) == 0
    line.switch_trips("on", "it rained")
    assert line.free(trip).status == "queued"
    line.obey(trip, "open")
    assert found(desk, trip)[0] == "verified"


def test_a_trip_that_waits_for_its_turn_is_held_when_the_switch_is_thrown(
    line: Line, desk: Desk
) -> None:
    trip = line.fall_behind()["command_id"]
    assert found(desk, trip)[0] == "queued"
    line.switch_trips("off", "a heat wave")
    assert line.send(trip) == 0
    assert found(desk, trip) == ("held", "trips_suspended")
    assert line.free(trip).status == "held"


def test_supply_comes_back_while_trips_are_suspended(line: Line, desk: Desk) -> None:
    line.obey(line.fall_behind()["command_id"], "open")
    line.switch_trips("off", "a heat wave")
    close = line.pay()["command_id"]
    line.obey(close, "closed")
    assert found(desk, close)[0] == "verified"


def test_a_trip_by_hand_waits_as_well(line: Line, desk: Desk) -> None:
    line.switch_trips("off", "a heat wave")
    assert found(desk, line.request("trip")["command_id"]) == ("held", "trips_suspended")


def test_the_switch_of_one_site_holds_for_that_site_alone(line: Line, desk: Desk) -> None:
    line.switch_trips("off", "a flood", site="South")
    trip = line.fall_behind()["command_id"]
    assert found(desk, trip)[0] == "queued"
    line.switch_trips("off", "another flood", site="North")
    assert line.send(trip) == 0
    assert found(desk, trip) == ("held", "trips_suspended")


def test_the_switch_for_all_and_that_of_a_site_must_both_say_yes(line: Line, desk: Desk) -> None:
    line.switch_trips("off", "a flood", site="North")
    line.switch_trips("off", "a heat wave")
    trip = line.fall_behind()["command_id"]
    line.switch_trips("on", "the flood is over", site="North")
    assert line.free(trip).status == "held"
    line.switch_trips("on", "it rained")
    assert line.free(trip).status == "queued"


def test_thrown_as_it_is_already_is_silence(desk: Desk) -> None:
    before = len(desk.recorded())
    resumed = handle(SwitchTrips(trips="on", reason="nothing was off"), desk.ledger, ACTOR)
    assert (resumed.body["changed"], len(desk.recorded())) == (False, before)
    off = SwitchTrips(trips="off", site="East", reason="a flood")
    assert [handle(off, desk.ledger, ACTOR).body["changed"] for _ in range(2)] == [True, False]


def test_who_threw_it_and_why_stays_in_the_log_and_in_the_view(desk: Desk) -> None:
    handle(SwitchTrips(trips="off", site="East", reason="a flood"), desk.ledger, ACTOR)
    handle(SwitchTrips(trips="off", reason="a heat wave"), desk.ledger, ACTOR)
    handle(SwitchTrips(trips="on", site="East", reason="dry again"), desk.ledger, ACTOR)
    desk.views.catch_up()
    (shown,) = SqlQueries(desk.engine, desk.terms).trip_switches()
    assert (shown["site"], shown["by"], shown["reason"]) == ("", ACTOR.actor, "a heat wave")


def test_a_site_is_guaranteed_until_a_time_and_trips_go_on_by_themselves(
    line: Line, desk: Desk
) -> None:
    line.switch_trips("off", "a flood", site="North", until="2026-07-03T08:00")
    trip = line.fall_behind()["command_id"]
    assert found(desk, trip) == ("held", "trips_suspended")
    assert line.free(trip).again_at_us == at_us("2026-07-03T08:00")
    desk.clock.go("2026-07-03T07:59:59")
    clockwork = Clockwork(desk.ledger, desk.engine)
    clockwork.due_trips(desk.clock())
    assert line.free(trip).status == "held"
    desk.clock.go("2026-07-03T08:00")
    assert line.free(trip).status == "queued", "the clock ends it, whether or not it was told"
    desk.views.catch_up()
    for _ in range(2):
        clockwork.due_trips(desk.clock())
        desk.views.catch_up()
    resumed = [each for each in desk.recorded() if isinstance(each.event, TripsResumed)]
    assert [each.event.reason for each in resumed] == ["its time has passed"]  # type: ignore[attr-defined]
    assert SqlQueries(desk.engine, desk.terms).trip_switches() == []


def test_a_guarantee_of_a_site_keeps_what_is_on_and_gives_back_nothing_that_was_cut(
    line: Line, desk: Desk
) -> None:
    line.obey(line.fall_behind()["command_id"], "open")
    line.switch_trips("off", "exams", site="North", until="2026-07-03T08:00")
    line.sweep("open")
    assert desk.account("A1").points[0].supply_actual == "off"
    assert not desk.account("A1").points[0].mismatch, "nobody is told that it should be on"
    line.obey(line.pay()["command_id"], "closed")
    assert desk.account("A1").points[0].supply_actual == "on"


@pytest.mark.parametrize(("is_paid", "after"), [(False, "queued"), (True, "cancelled")])
def test_the_end_of_a_guarantee_of_a_site_decides_again_who_is_cut(
    line: Line, desk: Desk, after: str, *, is_paid: bool
) -> None:
    line.switch_trips("off", "exams", site="North", until="2026-07-03T08:00")
    trip = line.fall_behind()["command_id"]
    desk.clock.go("2026-07-03T07:00")
    if is_paid:
        line.pay()
    desk.clock.go("2026-07-03T08:00")
    line.free(trip)
    assert found(desk, trip)[0] == after


def test_no_meter_is_forced_on_by_hand_for_whoever_was_cut_before(line: Line) -> None:
    line.obey(line.fall_behind()["command_id"], "open")
    line.switch_trips("off", "exams", site="North", until="2026-07-03T08:00")
    with pytest.raises(Refused) as refused:
        line.request("guarantee")
    assert refused.value.code == "supply_cut_for_debt"


def test_another_end_counts_and_the_later_one_of_two_switches(line: Line, desk: Desk) -> None:
    line.switch_trips("off", "a flood", site="North", until="2026-07-03T08:00")
    line.switch_trips("off", "still a flood", site="North", until="2026-07-05T08:00")
    line.switch_trips("off", "a heat wave", until="2026-07-04T08:00")
    trip = line.fall_behind()["command_id"]
    assert line.free(trip).again_at_us == at_us("2026-07-05T08:00")
    line.switch_trips("off", "nobody knows for how long")
    assert line.free(trip).again_at_us == 0
    line.switch_trips("on", "it rained")
    desk.clock.go("2026-07-03T12:00")
    Clockwork(desk.ledger, desk.engine).due_trips(desk.clock())
    assert line.free(trip).again_at_us == at_us("2026-07-05T08:00")
    desk.views.catch_up()
    (shown,) = SqlQueries(desk.engine, desk.terms).trip_switches()
    assert (shown["site"], shown["until"]) == ("North", "2026-07-05T00:00:00Z")


def test_a_guarantee_of_a_site_does_not_end_in_the_past(line: Line) -> None:
    with pytest.raises(Refused) as refused:
        line.switch_trips("off", "a flood", site="North", until="2026-07-01T12:00")
    assert refused.value.code == "expires_in_the_past"


def test_trips_that_are_switched_on_have_no_end(line: Line) -> None:
    with pytest.raises(ValueError, match="`until` goes with trips that are switched off"):
        line.switch_trips("on", "the flood is over", site="North", until="2026-07-03T08:00")
