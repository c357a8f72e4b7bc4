"""Whom a draft of a policy would have cut, had nothing protected them."""

import pytest

from tests.harness.desk import Desk, point
from tests.harness.documents import policy
from tests.harness.protected import (
    disputed,
    guaranteed,
    no_longer_disputed,
    no_longer_guaranteed,
    protect,
)
from tests.views.test_policy_previews import preview

PROTECTED = {
    "guarantee": (guaranteed, no_longer_guaranteed),
    "dispute": (disputed, no_longer_disputed),
    "protection": (
        lambda desk, account_no: protect(desk, account_no, is_protected=True),
        lambda desk, account_no: protect(desk, account_no, is_protected=False),
    ),
}


@pytest.mark.parametrize("by", PROTECTED)
def test_who_is_protected_is_not_cut_before_that_ends(desk: Desk, by: str) -> None:
    begin, end = PROTECTED[by]
    desk.open("A1", point("M1"))
    begin(desk, "A1")
    desk.recharge("A1", 100_00)
    desk.read("M1", "2026-01-20", 220_000)
    body = preview(desk, policy())
    nobody = {"before": 0, "after": 0, "newly": [], "no_longer": []}
    assert (body["disconnected"], body["kept_on"]) == (nobody, nobody | {"before": 1, "after": 1})
    assert body["standing"]["before"]["trip"] == 1
    lenient = preview(desk, policy(trip=-50_00))
    assert lenient["kept_on"]["no_longer"] == ["A1"]
    end(desk, "A1")
    body = preview(desk, policy())
    assert body["disconnected"]["before"] == body["disconnected"]["after"] == 1
    assert body["decisions"]["after"] == {
        **dict.fromkeys(("reminded", "warned", "restored", "cancelled", "postponed"), 0),
        **dict.fromkeys(("kept_on", "disconnected"), 1),
    }


def test_who_pays_before_a_guarantee_ends_was_never_cut(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    guaranteed(desk, "A1")
    desk.recharge("A1", 10_00)
    desk.read("M1", "2026-01-20", 30_000)
    desk.recharge("A1", 100_00)
    no_longer_guaranteed(desk, "A1")
    body = preview(desk, policy())
    assert body["disconnected"]["before"] == body["restored"]["before"] == 0
    assert body["decisions"]["before"]["cancelled"] == 1


def test_a_guarantee_gives_back_what_was_cut_and_a_dispute_does_not(desk: Desk) -> None:
    for number in ("A1", "A2"):
        desk.open(number, point(f"M{number}"))
        desk.recharge(number, 10_00)
        desk.read(f"M{number}", "2026-01-20", 30_000)
    guaranteed(desk, "A1")
    disputed(desk, "A2")
    body = preview(desk, policy())
    assert (body["disconnected"]["before"], body["restored"]["before"]) == (2, 1)
    assert preview(desk, policy(), "A2")["restored"]["before"] == 0
