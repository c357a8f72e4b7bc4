"""The answer to COMMIT is lost: everybody gets the true outcome, and there is one effect."""

import threading

import pytest
from sqlalchemy import text

from adapters.store import log
from ledger.aggregates import Refused
from ledger.commands import recharge
from ledger.ports import LogUnavailableError, OutcomeUnknownError
from tests.harness.faulty_line import BREAK_S, Line, at_commit
from tests.harness.ledgers import CLERK, WAIT_S, one_batch, payment, reading
from tests.harness.soundness import assert_sound

pytestmark = pytest.mark.postgres


def test_a_payment_whose_answer_was_lost_is_acknowledged_with_the_original_answer(
    line: Line,
) -> None:
    for n in range(1, 11):
        line.lose_the_answer_to_commit()
        answer = line.far.recharge("A1", f"t{n}")
        assert (answer.replayed, answer.body["balance_minor"]) == (False, 10_000 * n)
        again = line.near.recharge("A1", f"t{n}")
        assert (again.replayed, again.body) == (True, answer.body)
    assert line.far.recharge("A1", "after").body["balance_minor"] == 110_000
    assert line.near.recharge("A1", "last").body["balance_minor"] == 120_000
    assert_sound(line.near)


def test_everybody_in_the_batch_is_answered(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    with one_batch(line.far.ledger):
        futures = [
            recharge.submit(payment("A1", f"t{n}"), line.far.ledger, CLERK) for n in range(20)
        ]
        nobody = recharge.submit(payment("nobody", "t"), line.far.ledger, CLERK)
        at_commit(monkeypatch, line.lose_the_answer_to_commit, times=3)  # in one of them, theirs
    answers = [future.result(WAIT_S).body["balance_minor"] for future in futures]
    assert answers == [10_000 * n for n in range(1, 21)]
    assert isinstance(nobody.exception(WAIT_S), Refused)
    read = line.far.read(*(reading("M1", hour, hour) for hour in range(1, 30)))
    assert read.body["accepted"] == 29
    assert line.far.recharge("A1", "last").body["balance_minor"] == 210_000 - 29 * 50
    assert_sound(line.near)


def test_a_repeat_whose_answer_was_lost_repeats(line: Line) -> None:
    first = line.near.recharge("A1", "t1")
    line.lose_the_answer_to_commit()
    assert line.far.recharge("A1", "t1").body == first.body
    assert line.near.count("account.credited.v1") == 1


def test_a_commit_that_never_arrived_is_decided_again_and_booked_once(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_commit(monkeypatch, line.lose_all_from_now, times=2)
    assert line.far.recharge("A1", "t1").body["balance_minor"] == 10_000
    assert line.far.recharge("A1", "t2").body["balance_minor"] == 20_000
    assert line.near.recharge("A1", "t3").body["balance_minor"] == 30_000
    assert line.near.count("account.credited.v1") == 3
    assert_sound(line.near)


def test_what_others_wrote_meanwhile_is_not_taken_for_ours(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lost COMMIT never arrived, and its places were taken before it was asked for."""
    inner = log.SqlLog._landed
    landed: list[bool] = []

    def after_another_writer(self: log.SqlLog, *about: object) -> bool:
        monkeypatch.setattr(log.SqlLog, "_landed", inner)
        assert line.near.recharge("A1", "theirs").body["balance_minor"] == 10_000
        landed.append(inner(self, *about))  # type: ignore[arg-type] # passed on as it came
        return landed[-1]

    at_commit(monkeypatch, line.lose_all_from_now)
    monkeypatch.setattr(log.SqlLog, "_landed", after_another_writer)
    assert line.far.recharge("A1", "ours").body["balance_minor"] == 20_000
    assert landed == [False]
    assert_sound(line.near)


def test_nobody_to_ask_is_said_and_the_caller_learns_it_by_asking_again(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "READ_BACK_S", 0.3)

    def vanish() -> None:
        line.lose_the_answer_to_commit()
        line.proxy.faults.refuse = True

    assert line.far.recharge("A1", "t0").body["balance_minor"] == 10_000
    at_commit(monkeypatch, vanish)
    with pytest.raises(OutcomeUnknownError, match="ask again with the same key"):
        line.far.recharge("A1", "t1")
    with pytest.raises(LogUnavailableError):
        line.far.recharge("A1", "t2")
    line.proxy.heal()
    again = line.far.recharge("A1", "t1")
    assert (again.replayed, again.body["balance_minor"]) == (True, 20_000)
    assert line.far.recharge("A1", "t2").body["balance_minor"] == 30_000
    assert_sound(line.near)


def test_nobody_to_ask_about_a_commit_that_never_arrived(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The states that were decided on hold facts that nobody ever wrote: they are forgotten."""
    monkeypatch.setattr(log, "READ_BACK_S", 0.3)

    def vanish() -> None:
        line.proxy.faults.drop_up = line.proxy.faults.refuse = True
        threading.Timer(BREAK_S, line.proxy.cut).start()

    assert line.far.recharge("A1", "t0").body["balance_minor"] == 10_000
    at_commit(monkeypatch, vanish)
    with pytest.raises(OutcomeUnknownError):
        line.far.recharge("A1", "t1")
    line.proxy.heal()
    assert line.far.recharge("A1", "t2").body["balance_minor"] == 20_000
    again = line.far.recharge("A1", "t1")
    assert (again.replayed, again.body["balance_minor"]) == (False, 30_000)
    assert_sound(line.near)


SLOW_COMMIT = (
    """CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$""",
    """CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.topic = 'account.credited.v1') EXECUTE FUNCTION be_slow()""",
)


def test_a_commit_that_outlives_its_connection_is_waited_for(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    with line.near.engine.begin() as connection:
        for statement in SLOW_COMMIT:
            connection.execute(text(statement))
    at_commit(monkeypatch, lambda: threading.Timer(0.3, line.proxy.cut).start())
    answer = line.far.recharge("A1", "t1")
    assert (answer.replayed, answer.body["balance_minor"]) == (False, 10_000)
    assert line.near.count("account.credited.v1") == 1
    assert_sound(line.near)


def test_a_commit_that_the_server_refuses_is_no_mystery(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection lives and the server said no: nobody needs to be asked."""
    with line.near.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION be_full() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'disk full'; END $$"
            )
        )
        connection.execute(text(SLOW_COMMIT[1].replace("be_slow", "be_full")))

    def never(self: log.SqlLog, *_: object) -> bool:
        raise AssertionError

    monkeypatch.setattr(log.SqlLog, "_landed", never)
    with pytest.raises(LogUnavailableError, match="disk full"):
        line.far.recharge("A1", "t1")
    with line.near.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER slow ON events"))
    assert line.far.recharge("A1", "t1").body["balance_minor"] == 10_000
    assert_sound(line.near)
