"""Before many meters are told anything it is said whom that reaches, whom not, and what it does."""

import pytest

from ledger.access import Reach
from ledger.aggregates import Refused
from ledger.commands import command_batches, dispute, preview_batch
from ledger.commands.command_batches import EVERYWHERE, Orders, RequestBatch
from ledger.commands.preview_batch import BatchFilter
from ledger.devices import OrderKind
from tests.harness.desk import ACTOR, Desk, Json, point, water
from tests.harness.device_day import batch_account
from tests.harness.street import FIVE, protect, street


def named(*numbers: str) -> Orders:
    return tuple((number, "") for number in numbers)


def look(desk: Desk, orders: Orders, kind: OrderKind = "trip", reach: Reach = EVERYWHERE) -> Json:
    return preview_batch.preview(kind, orders, desk.ledger, ACTOR, reach)


def test_whoever_is_protected_is_left_out_with_the_reason_and_nothing_is_written(
    desk: Desk,
) -> None:
    street(desk)
    protect(desk, "A1")
    held = dispute.Dispute(account_no="A3", reason="the meter ran too fast")
    dispute.hold(held, desk.ledger, ACTOR)
    before = desk.heads()
    told = look(desk, named(*FIVE, "A404"))
    left_out = [(each["index"], each["account_no"], each["code"]) for each in told["excluded"]]
    assert left_out == [
        (1, "A1", "guaranteed"),
        (3, "A3", "disputed"),
        (5, "A404", "account_unknown"),
    ]
    assert told["count"] == 3
    assert [each["account_no"] for each in told["samples"]] == ["A0", "A2", "A4"]
    assert desk.heads() == before


def test_a_batch_does_what_its_preview_said(desk: Desk) -> None:
    street(desk)
    protect(desk, "A1")
    told = look(desk, named(*FIVE))
    accounts = tuple(
        batch_account(each["account_no"], each["service_point"]) for each in told["accounts"]
    )
    asked = RequestBatch(kind="trip", reason="a fire", accounts=accounts)
    body = command_batches.handle(asked, desk.ledger, ACTOR).body
    assert [each["account_no"] for each in body["accepted"]] == ["A0", "A2", "A3", "A4"]
    assert body["refused"] == []


def test_the_effect_tells_what_is_on_now_what_is_under_way_and_what_would_wait(desk: Desk) -> None:
    lines = street(desk, ("A0", "A1", "A2"))
    desk.open("A3", point("M3"))
    lines[0].sweep("closed")
    lines[1].sweep("open")
    lines[2].request("trip")
    effect = look(desk, named("A0", "A1", "A2", "A3"))["effect"]
    assert effect == {
        "supply": {"on": 1, "off": 1, "unknown": 2},
        "under_way": 1,
        "held": {"meter_not_connected": 1},
    }


@pytest.mark.parametrize(
    ("kind", "alone_max", "needed"),
    [("trip", 4, True), ("end_guarantee", 4, True), ("trip", 5, False), ("recall", 0, False)],
)
def test_it_is_told_whether_a_second_person_will_be_needed(
    desk: Desk, kind: OrderKind, alone_max: int, *, needed: bool
) -> None:
    street(desk)
    desk.ledger.trips_alone_max = alone_max
    assert look(desk, named(*FIVE), kind)["needs_approval"] is needed


def test_a_filter_means_the_points_of_one_kind_of_service(desk: Desk) -> None:
    desk.open("A8", point("M8"), point("M7"))
    desk.open("A9", point("M9"), water("W9"))
    numbers = ("A8", "A9")

    def points(**wanted: str) -> Orders:
        named = BatchFilter.model_validate(wanted)
        return preview_batch.points_of_kind(numbers, named, desk.ledger, ACTOR)

    assert points() == (("A8", "electricity"), ("A8", "electricity-2"), ("A9", "electricity"))
    assert points(service_kind="water") == (("A9", "water"),)
    assert points(supply="off") == ()


def test_what_is_out_of_reach_is_left_out_as_unknown(desk: Desk) -> None:
    street(desk, ("A0",), "North")
    street(desk, ("A1",), "South")
    told = look(desk, named("A0", "A1"), reach=Reach(sites=frozenset({"South"})))
    assert [each["account_no"] for each in told["accounts"]] == ["A1"]
    assert [each["code"] for each in told["excluded"]] == ["account_unknown"]


def test_more_than_a_batch_may_hold_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    street(desk)
    monkeypatch.setattr(preview_batch, "ORDERS_MAX", 4)
    with pytest.raises(Refused) as refused:
        preview_batch.points_of_kind(FIVE, BatchFilter(), desk.ledger, ACTOR)
    assert refused.value.code == "batch_too_large"
