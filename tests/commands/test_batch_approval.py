"""Many trips need two people: who may approve, until when, and on what state."""

import pytest

from adapters.clockwork import Clockwork
from ledger.access import Reach
from ledger.aggregates import Refused
from ledger.aggregates.command_batch import CommandBatch
from ledger.commands import command_batches, guarantee
from ledger.store import Context
from ledger.values import instant
from tests.harness.desk import ACTOR, Desk
from tests.harness.street import (
    FIVE,
    approve,
    ask,
    ordered,
    protect,
    refusals,
    reject,
    street,
    wish,
)

HOUR_US = 3_600_000_000


def test_many_trips_wait_for_a_second_person_and_few_do_not(desk: Desk) -> None:
    street(desk)
    desk.ledger.trips_alone_max = 4
    assert ask(desk, numbers=FIVE[:4])["status"] == "done"
    assert ask(desk, "recall")["status"] == "done"
    before = ordered(desk)
    body = ask(desk)
    assert (body["status"], body["accepted"]) == ("awaiting_approval", [])
    assert ordered(desk) == before


def test_whoever_asked_cannot_approve_and_somebody_else_can(desk: Desk) -> None:
    street(desk)
    desk.ledger.trips_alone_max = 0
    batch_id = ask(desk)["batch_id"]
    with pytest.raises(Refused) as refused:
        approve(desk, batch_id, ACTOR)
    assert refused.value.code == "same_person"
    assert ordered(desk) == []
    assert approve(desk, batch_id)["status"] == "done"
    assert ordered(desk) == list(FIVE)
    assert approve(desk, batch_id)["accepted"], "the same person again is silence"
    assert ordered(desk) == list(FIVE)
    with pytest.raises(Refused) as late:
        approve(desk, batch_id, Context("clerk-3"))
    assert late.value.code == "batch_not_waiting"


def test_an_approved_batch_is_decided_on_as_things_are_then(desk: Desk) -> None:
    street(desk)
    desk.ledger.trips_alone_max = 0
    protect(desk, "A0")
    batch_id = ask(desk)["batch_id"]
    ended = guarantee.EndGuarantee(account_no="A0", reason="exams are over")
    guarantee.end(ended, desk.ledger, ACTOR)
    protect(desk, "A3")
    body = approve(desk, batch_id)
    assert refusals(body) == [("A3", "guaranteed")]
    assert ordered(desk) == ["A0", "A1", "A2", "A4"]


def test_a_rejected_batch_orders_nothing_and_its_author_may_take_it_back(desk: Desk) -> None:
    street(desk)
    desk.ledger.trips_alone_max = 0
    first, second = ask(desk)["batch_id"], ask(desk)["batch_id"]
    assert [reject(desk, first)["changed"] for _ in range(2)] == [True, False]
    assert reject(desk, second, ACTOR)["status"] == "rejected"
    for batch_id in (first, second):
        with pytest.raises(Refused) as refused:
            approve(desk, batch_id)
        assert refused.value.code == "batch_not_waiting"
    assert ordered(desk) == []


def test_nobody_approves_what_waited_too_long(desk: Desk) -> None:
    street(desk)
    desk.ledger.trips_alone_max = 0
    batch_id = ask(desk)["batch_id"]
    desk.views.catch_up()
    clockwork = Clockwork(desk.ledger, desk.engine)
    desk.clock.pass_by(hours=23.9)
    clockwork.due_batches(desk.clock())
    assert desk.fold(CommandBatch, batch_id, 0).status == "awaiting_approval"
    desk.clock.pass_by(hours=0.1)
    with pytest.raises(Refused) as refused:
        approve(desk, batch_id)
    assert refused.value.code == "batch_not_waiting"
    clockwork.due_batches(desk.clock())
    assert desk.fold(CommandBatch, batch_id, 0).status == "expired"


def test_a_batch_is_approved_by_somebody_who_sees_all_that_its_author_saw(desk: Desk) -> None:
    street(desk, ("A0", "A1"), "North")
    desk.ledger.trips_alone_max = 0
    north, south = Reach(sites=frozenset({"North"})), Reach(sites=frozenset({"South"}))
    asked = wish(numbers=("A0", "A1"))
    of_north = command_batches.handle(asked, desk.ledger, ACTOR, north).body["batch_id"]
    of_all = command_batches.handle(asked, desk.ledger, ACTOR).body["batch_id"]
    for batch_id, reach in ((of_north, south), (of_all, north), ("0-b999", Reach())):
        with pytest.raises(Refused) as refused:
            approve(desk, batch_id, reach=reach)
        assert refused.value.code == "batch_unknown"
    assert approve(desk, of_north, reach=north)["status"] == "done"


def test_an_order_that_ran_out_while_it_waited_is_refused_for_each(desk: Desk) -> None:
    street(desk)
    desk.ledger.trips_alone_max = 0
    expires_at = instant(desk.clock() + HOUR_US)
    asked = wish().model_copy(update={"expires_at": expires_at})
    batch_id = command_batches.handle(asked, desk.ledger, ACTOR).body["batch_id"]
    desk.clock.pass_by(hours=2)
    body = approve(desk, batch_id)
    assert {each["code"] for each in body["refused"]} == {"expires_in_the_past"}
    assert body["accepted"] == []
    with pytest.raises(Refused):
        command_batches.handle(asked, desk.ledger, ACTOR)
