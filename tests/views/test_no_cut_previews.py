"""A preview of a policy with no-cut windows puts off and cuts as an account does under it."""

import pytest

from adapters.clockwork import decide_due_trips
from ledger.aggregates.policy_windows import NoCutWindow
from tests.harness.desk import Desk, point
from tests.harness.documents import policy
from tests.views.test_policy_previews import decided_by, preview, recorded


def test_a_policy_that_spares_the_nights_puts_cuts_off_to_the_morning(desk: Desk) -> None:
    desk.open("A3", point("M3"))
    desk.recharge("A3", 100_00, paid_at="2026-01-01T09:00:00+08:00")
    desk.read("M3", "2026-01-20", 260_000)
    desk.recharge("A3", 90_00, paid_at="2026-02-01T09:00:00+08:00")
    nights = NoCutWindow(name="nights", hours="18:00-08:00")
    body = preview(desk, policy(no_cut_windows=(nights,)))
    assert body["postponed"] == {"before": 0, "after": 1, "newly": ["A3"], "no_longer": []}
    assert body["disconnected"]["before"] == body["disconnected"]["after"] == 1
    long = NoCutWindow(name="winter", first_day="01-01", last_day="03-31")
    spared = preview(desk, policy(no_cut_windows=(long,)))
    assert (spared["postponed"]["newly"], spared["disconnected"]["no_longer"]) == (["A3"], ["A3"])
    assert spared["restored"]["after"] == 0


@pytest.mark.parametrize("is_paid", [True, False])
def test_a_preview_puts_off_and_cuts_as_the_account_did(desk: Desk, *, is_paid: bool) -> None:
    nights = NoCutWindow(name="nights", hours="18:00-08:00")
    in_force = policy(no_cut_windows=(nights,))
    desk.publish(in_force)
    desk.clock.go("2026-07-01T20:00")
    desk.open("A1", point("M1"))
    desk.recharge("A1", 50_00)
    desk.adjust("A1", -60_00)
    if is_paid:
        desk.clock.go("2026-07-01T23:00")
        desk.recharge("A1", 10_50)
    desk.clock.go("2026-07-02T08:00")
    desk.views.catch_up()
    decide_due_trips(desk.ledger, desk.engine, desk.clock())
    found = decided_by(desk, in_force)
    assert [each[1:4] for each in found.now] == recorded(desk)
    last = "cancelled" if is_paid else "disconnected"
    assert [each.kind for each in found.now] == ["postponed", last]
    assert found.then == found.now
