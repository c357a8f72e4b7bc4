"""Many meters told the same at once: each account its own decision, and nothing doubled."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.clockwork import Clockwork
from adapters.views.queries import SqlQueries
from ledger.access import Reach
from ledger.aggregates.command import DeviceCommand
from ledger.commands import command_batches
from ledger.commands.command_batches import RequestBatch
from ledger.ports import Claim, LogUnavailableError
from tests.harness.desk import ACTOR, Desk, point, water
from tests.harness.device_day import batch_account
from tests.harness.street import (
    FIVE,
    ask,
    ordered,
    protect,
    refusals,
    street,
    wish,
)


def test_each_account_is_told_and_what_may_not_be_is_told_apart(desk: Desk) -> None:
    street(desk)
    protect(desk, "A1")
    body = ask(desk, numbers=("A0", "A1", "A404", "A2"))
    assert [each["account_no"] for each in body["accepted"]] == ["A0", "A2"]
    assert refusals(body) == [("A1", "guaranteed"), ("A404", "account_unknown")]
    assert [each["index"] for each in body["refused"]] == [1, 2]
    assert body["status"] == "done"
    for each in body["accepted"]:
        found: DeviceCommand = desk.fold(DeviceCommand, each["command_id"], 0)
        assert (found.account_no, found.status, found.by_hand) == (
            each["account_no"],
            "queued",
            True,
        )


def test_a_batch_over_shards_says_how_far_each_was_written(shards: Desk) -> None:
    street(shards, ("A5", "A1", "A4", "A0"))
    body = ask(shards, "recall", ("A5", "A1", "A4", "A0"))
    assert body["batch_id"].startswith("0-b")
    assert [each["command_id"][:3] for each in body["accepted"]] == ["0-c", "1-c", "2-c", "3-c"]
    assert body["positions"] == {str(s): last for s, last in shards.heads().items()}


def test_a_batch_may_name_the_service_point_and_must_where_there_are_several(desk: Desk) -> None:
    street(desk, ("A0",))
    desk.open("A9", point("M9"), water("W9"))
    accounts = (batch_account("A9"), batch_account("A9", "electricity"), batch_account("A0"))
    asked = RequestBatch(kind="guarantee", reason="a fair", accounts=accounts)
    body = command_batches.handle(asked, desk.ledger, ACTOR).body
    told = [(each["index"], each["code"]) for each in body["refused"]]
    assert told == [(0, "service_point_unknown")]
    assert [each["account_no"] for each in body["accepted"]] == ["A9", "A0"]


def test_a_repeat_under_the_same_key_gets_the_first_answer(desk: Desk) -> None:
    street(desk)
    claim = Claim("request", "anna POST /batch k1", wish().fingerprint("/batch"), "anna")
    keyed = ACTOR._replace(request=claim)
    first = command_batches.handle(wish(), desk.ledger, keyed)
    before = desk.heads()
    again = command_batches.handle(wish(), desk.ledger, keyed)
    assert (again.body, again.replayed) == (first.body, True)
    assert desk.heads() == before


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_a_batch_that_was_cut_short_goes_on_and_doubles_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    """After so many commits the process is gone; another one is asked the same again."""
    street(desk)
    monkeypatch.setattr(command_batches, "AT_ONCE", 2)
    claim = Claim("request", "anna POST /batch k1", wish("recall").fingerprint("/batch"), "anna")
    keyed = ACTOR._replace(request=claim)
    decide, left = desk.ledger.decide, [commits]

    def falls_over(*given: object, **named: object) -> object:
        if left[0] == 0 and named.get("accounts") != []:
            raise LogUnavailableError("the lights went out")
        left[0] -= named.get("accounts") != []
        return decide(*given, **named)  # type: ignore[arg-type] # passed on as it came

    monkeypatch.setattr(desk.ledger, "decide", falls_over)
    with pytest.raises(LogUnavailableError):
        command_batches.handle(wish("recall"), desk.ledger, keyed)
    monkeypatch.undo()
    assert len(ordered(desk)) == 2 * (commits - 1)
    desk.restart()
    answer = command_batches.handle(wish("recall"), desk.ledger, keyed)
    assert answer.replayed
    assert [each["account_no"] for each in answer.body["accepted"]] == list(FIVE)
    assert ordered(desk) == list(FIVE)


def test_what_was_left_of_a_batch_is_carried_on_by_the_clockwork(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    street(desk)
    with monkeypatch.context() as broken:
        broken.setattr(command_batches, "carry_on", lambda *_given: {"positions": {}})
        command_batches.handle(wish("recall"), desk.ledger, ACTOR)
    assert ordered(desk) == []
    desk.views.catch_up()
    clockwork = Clockwork(desk.ledger, desk.engine)
    clockwork.due_batches(desk.clock())
    assert ordered(desk) == [], "whoever asked may still be at it"
    desk.clock.pass_by(minutes=1)
    for _ in range(2):
        clockwork.due_batches(desk.clock())
        desk.views.catch_up()
    assert ordered(desk) == list(FIVE)


def test_two_processes_that_carry_the_same_batch_on_take_turns(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    street(desk)
    monkeypatch.setattr(command_batches, "AT_ONCE", 1)
    with monkeypatch.context() as broken:
        broken.setattr(command_batches, "carry_on", lambda *_given: {"positions": {}})
        command_batches.handle(wish("recall"), desk.ledger, ACTOR)
    desk.views.catch_up()
    (waiting,) = SqlQueries(desk.engine, desk.terms).command_batches().items
    colleague = desk.colleague()
    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(command_batches.carry_on, waiting["batch_id"], each.ledger, ACTOR)
            for each in (desk, colleague)
        ]
        told = [each.result(60) for each in both]
    colleague.close()
    assert told[0] == told[1]
    assert ordered(desk) == list(FIVE)


def test_an_account_of_another_site_is_as_if_it_did_not_exist(desk: Desk) -> None:
    street(desk, ("A0", "A1"), "North")
    street(desk, ("A2", "A3"), "South")
    north = Reach(sites=frozenset({"North"}))
    body = command_batches.handle(wish(numbers=FIVE[:4]), desk.ledger, ACTOR, north).body
    assert [each["account_no"] for each in body["accepted"]] == ["A0", "A1"]
    assert {each["code"] for each in body["refused"]} == {"account_unknown"}


def test_the_view_tells_the_progress_of_a_batch_and_each_child(desk: Desk) -> None:
    lines = street(desk)
    protect(desk, "A1")
    body = ask(desk)
    line, trip = lines[0], body["accepted"][0]["command_id"]
    line.obey(trip, "open")
    desk.views.catch_up()
    queries = SqlQueries(desk.engine, desk.terms)
    told = queries.command_batch(body["batch_id"])
    assert told is not None
    assert told["status"] == "done"
    assert told["counts"] == {"not_ordered": 1, "queued": 3, "verified": 1}
    children = {each["account_no"]: each for each in told["orders"]}
    assert children["A0"]["status"] == "verified"
    assert (children["A1"]["status"], children["A1"]["code"]) == ("not_ordered", "guaranteed")
    (item,) = queries.command_batches().items
    assert (item["batch_id"], item["counts"]) == (body["batch_id"], told["counts"])
