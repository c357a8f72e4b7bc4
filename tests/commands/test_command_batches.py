"""Many meters told the same at once: each its own decision, and many trips need two people."""

from collections.abc import Sequence

import pytest

from adapters.clockwork import Clockwork
from adapters.views.queries import SqlQueries
from ledger.access import Reach
from ledger.aggregates import Refused
from ledger.aggregates.command import DeviceCommand
from ledger.aggregates.command_batch import CommandBatch
from ledger.commands import command_batches, guarantee
from ledger.commands.command_batches import EVERYWHERE, ApproveBatch, RejectBatch, RequestBatch
from ledger.devices import OrderKind
from ledger.events.command import CommandRequested
from ledger.ports import Claim, LogUnavailableError
from ledger.store import Context
from ledger.values import instant
from tests.harness.desk import ACTOR, Desk, Json, point, water
from tests.harness.device_day import COLLEAGUE, Line, batch_account

FIVE = ("A0", "A1", "A2", "A3", "A4")
HOUR_US = 3_600_000_000


def street(desk: Desk, numbers: Sequence[str] = FIVE, site: str = "") -> list[Line]:
    """Accounts with money, their meters behind one gateway."""
    lines = [Line(desk, number, f"M{number}", connected=False, site=site) for number in numbers]
    for unit, line in enumerate(lines, 1):
        line.connect(unit)
        desk.adjust(line.account_no, 50_00)
    return lines


def wish(kind: OrderKind = "trip", numbers: Sequence[str] = FIVE) -> RequestBatch:
    accounts = tuple(batch_account(number) for number in numbers)
    return RequestBatch(kind=kind, reason="a fire", accounts=accounts)


def ask(desk: Desk, kind: OrderKind = "trip", numbers: Sequence[str] = FIVE) -> Json:
    return command_batches.handle(wish(kind, numbers), desk.ledger, ACTOR).body


def approve(desk: Desk, batch_id: str, who: Context = COLLEAGUE, reach: Reach = EVERYWHERE) -> Json:
    asked = ApproveBatch(batch_id=batch_id)
    return command_batches.approve(asked, desk.ledger, who, reach).body


def reject(desk: Desk, batch_id: str, who: Context = COLLEAGUE) -> Json:
    asked = RejectBatch(batch_id=batch_id, reason="it is out")
    return command_batches.reject(asked, desk.ledger, who).body


def protect(desk: Desk, account_no: str) -> None:
    started = guarantee.StartGuarantee(account_no=account_no, reason="exams")
    guarantee.start(started, desk.ledger, ACTOR)


def refusals(body: Json) -> list[tuple[str, str]]:
    return [(each["account_no"], each["code"]) for each in body["refused"]]


def ordered(desk: Desk) -> list[str]:
    """Whom anything was ordered of, in the order of asking."""
    requested = [each.event for each in desk.recorded()]
    return [each.account_no for each in requested if isinstance(each, CommandRequested)]


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


def test_an_account_of_another_site_is_as_if_it_did_not_exist(desk: Desk) -> None:
    street(desk, ("A0", "A1"), "North")
    street(desk, ("A2", "A3"), "South")
    north = Reach(sites=frozenset({"North"}))
    body = command_batches.handle(wish(numbers=FIVE[:4]), desk.ledger, ACTOR, north).body
    assert [each["account_no"] for each in body["accepted"]] == ["A0", "A1"]
    assert {each["code"] for each in body["refused"]} == {"account_unknown"}


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
