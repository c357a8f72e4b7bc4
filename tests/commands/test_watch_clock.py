"""A meter whose clock is wrong is one open case until a sweep finds it right."""

import msgspec
import pytest

from ledger.aggregates.work_order import WorkOrder
from ledger.commands import settle_work_order
from ledger.commands.settle_work_order import SettleWorkOrder
from ledger.commands.watch_clock import RIGHT_S, WRONG_S
from ledger.events.work_order import WorkOrderOpened
from tests.harness.desk import ACTOR, Desk
from tests.harness.device_day import Line

NUMBER = "0-k-M1"


@pytest.fixture
def line(desk: Desk) -> Line:
    """An account with money at a connected meter."""
    line = Line(desk, "A1", "M1")
    desk.adjust("A1", 50_00)
    return line


def sweep(line: Line, skew_s: int | None) -> None:
    line.desk.clock.pass_by(seconds=1)
    line.sweep_with(msgspec.structs.replace(line.state("closed"), clock_skew_s=skew_s))


def status(desk: Desk) -> str:
    work: WorkOrder = desk.fold(WorkOrder, NUMBER, 0)
    return work.status


def opened(desk: Desk) -> list[WorkOrderOpened]:
    return [each.event for each in desk.recorded() if isinstance(each.event, WorkOrderOpened)]


@pytest.mark.parametrize(("skew_s", "told"), [(WRONG_S + 1, "fast"), (-WRONG_S - 1, "slow")])
def test_a_clock_that_is_far_off_becomes_work_once(
    line: Line, desk: Desk, skew_s: int, told: str
) -> None:
    for _ in range(3):
        sweep(line, skew_s)
    (work,) = opened(desk)
    assert (work.code, work.meter_no) == ("clock_wrong", "M1")
    assert work.reason == f"The meter's clock is {WRONG_S + 1} s {told}."


@pytest.mark.parametrize("skew_s", [0, RIGHT_S, -WRONG_S, WRONG_S, None])
def test_a_clock_that_is_near_enough_or_shows_no_time_is_no_work(
    line: Line, desk: Desk, skew_s: int | None
) -> None:
    sweep(line, skew_s)
    assert status(desk) == "absent"


def test_a_clock_that_is_right_again_settles_it_and_may_go_wrong_again(
    line: Line, desk: Desk
) -> None:
    seen = []
    for skew_s in (3_600, WRONG_S, None, RIGHT_S, -3_600):
        sweep(line, skew_s)
        seen.append(status(desk))
    assert seen == ["open", "open", "open", "settled", "open"]


def test_whoever_set_the_clock_by_hand_settles_it(line: Line, desk: Desk) -> None:
    sweep(line, 3_600)
    done = SettleWorkOrder(work_order_no=NUMBER, actual="on", note="set at the meter")
    body = settle_work_order.handle(done, desk.ledger, ACTOR).body
    assert (body["status"], body["account_no"], status(desk)) == ("settled", "A1", "settled")
