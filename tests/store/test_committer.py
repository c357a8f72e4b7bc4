"""Group commit: many writers in one transaction, each with its own outcome, and an orderly end."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.commands import adjust, recharge
from ledger.commands.adjust import Adjust
from ledger.events import Recorded
from ledger.ports import LogUnavailableError
from ledger.store import Session
from tests.harness.ledgers import CLERK, WAIT_S, Opened, one_batch, payment, reading, until
from tests.harness.soundness import assert_sound
from tests.store.conftest import OpenLedger

BUG = "somebody divided by zero"


def test_writers_that_come_together_share_a_transaction_in_order(opened: Opened) -> None:
    opened.open("A1")
    commits: list[Sequence[Recorded]] = []
    opened.ledger.watch(commits.append)
    with one_batch(opened.ledger):
        futures = [recharge.submit(payment("A1", f"t{n}"), opened.ledger, CLERK) for n in range(50)]
    balances = [future.result(WAIT_S).body["balance_minor"] for future in futures]
    assert balances == [10_000 * n for n in range(1, 51)]
    assert [len(commit) for commit in commits] == [100]
    assert_sound(opened)


def test_a_writer_that_gave_up_waiting_takes_nobody_with_it(opened: Opened) -> None:
    opened.open("A1")
    with one_batch(opened.ledger):
        first = recharge.submit(payment("A1", "t1"), opened.ledger, CLERK)
        given_up = recharge.submit(payment("A1", "t2"), opened.ledger, CLERK)
        last = recharge.submit(payment("A1", "t3"), opened.ledger, CLERK)
        assert given_up.cancel()
    assert first.result(WAIT_S).body["balance_minor"] == 10_000
    assert last.result(WAIT_S).body["balance_minor"] == 20_000
    assert "counter/t2" not in opened.claims("payment")


def test_a_work_under_decision_can_no_longer_be_given_up(opened: Opened) -> None:
    opened.open("A1")
    began, may_end = threading.Event(), threading.Event()

    def slow(_session: Session) -> dict[str, Any]:
        began.set()
        assert may_end.wait(WAIT_S)
        return {"done": True}

    future = opened.ledger.submit(slow, CLERK, accounts=("A1",))
    assert began.wait(WAIT_S)
    assert not future.cancel()
    may_end.set()
    assert future.result(WAIT_S).body == {"done": True, "positions": {}}


def test_a_watcher_that_breaks_does_not_turn_a_durable_answer_into_an_error(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    opened.open("A1")
    seen: list[int] = []

    def watcher(_recorded: Sequence[Recorded]) -> None:
        raise ZeroDivisionError(BUG)

    opened.ledger.watch(watcher)
    opened.ledger.watch(lambda recorded: seen.extend(event.position for event in recorded))
    for n in range(1, 3):
        assert opened.recharge("A1", f"t{n}").body["balance_minor"] == 10_000 * n
    opened.ledger.close()
    assert seen == [row.position for row in opened.rows()][-4:]
    assert BUG in caplog.text


def test_nothing_is_taken_after_closing_and_nobody_waits_for_ever(opened: Opened) -> None:
    opened.open("A1")
    with ThreadPoolExecutor(8) as pool:
        outcomes = [pool.submit(_recharge_until_closed, opened, f"w{n}") for n in range(8)]
        try:
            until(lambda: len(opened.claims("payment")) >= 40)
        finally:  # However that ends, those who pay go on until this.
            opened.ledger.close()
        acknowledged = sum(outcome.result(WAIT_S) for outcome in outcomes)
    assert len(opened.claims("payment")) == acknowledged
    with pytest.raises(LogUnavailableError, match="shutting down"):
        opened.recharge("A1", "late")
    opened.ledger.close()


def _recharge_until_closed(opened: Opened, name: str) -> int:
    for n in range(100_000):
        try:
            opened.recharge("A1", f"{name}-{n}")
        except LogUnavailableError:
            return n
    raise AssertionError


def test_positions_tell_where_a_command_wrote(opened: Opened) -> None:
    answer = opened.open("A1", "M1")
    assert answer.body["positions"] == {"0": len(opened.rows())}
    silent = adjust_by(opened, 0)
    assert isinstance(silent, Refused)
    assert opened.ledger.decide(lambda _: {}, CLERK, accounts=("A1",)).body["positions"] == {}


def adjust_by(opened: Opened, amount_minor: int) -> Exception | None:
    command = Adjust(account_no="A1", amount_minor=amount_minor, currency="CNY", reason="test")
    try:
        adjust.handle(command, opened.ledger, CLERK)
    except Refused as refusal:
        return refusal
    return None


def test_recorded_at_never_goes_back_whatever_the_clock_does(opening: OpenLedger) -> None:
    times = iter([3_000_000, 1_000_000, 2_000_000, 500_000])
    now = {"us": 1_800_000_000_000_000}
    opened = opening(clock=lambda: now["us"])
    opened.publish()
    opened.open("A1")
    for n, time_us in enumerate(times):
        now["us"] = 1_800_000_000_000_000 + time_us
        opened.recharge("A1", f"t{n}")
    recorded = [row.recorded_at for row in assert_sound(opened)]
    assert recorded[-6:] == [recorded[-1]] * 6
    assert recorded[-1] == 1_800_000_000_000_000 + 3_000_000


def test_an_account_is_loaded_by_its_fold_and_by_nothing_else(
    opened: Opened, opening: OpenLedger
) -> None:
    opened.open("A1", "M1")
    opened.recharge("A1", "t1")
    opened.read(reading("M1", 1, 3))

    def state(at: Session) -> dict[str, Any]:
        return {"state": repr(at.aggregate(Account, "A1", 0))}

    warm = opened.ledger.decide(state, CLERK, accounts=("A1",)).body["state"]
    cold = opening().ledger.decide(state, CLERK, accounts=("A1",)).body["state"]
    assert warm == cold
