"""What must be unique in the whole ledger is claimed with its effect, in one transaction."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.aggregates import Refused
from ledger.commands import recharge
from ledger.ports import Claim
from ledger.store import Answer, Context, Contradiction
from tests.harness.ledgers import (
    CLERK,
    WAIT_S,
    Opened,
    one_batch,
    payment,
    reading,
)
from tests.harness.soundness import assert_sound
from tests.store.conftest import OpenLedger

WRITERS = 50


def booked(opened: Opened) -> int:
    return opened.count("account.credited.v1")


def test_a_payment_twice_in_one_batch_is_booked_once(opened: Opened) -> None:
    opened.open("A1")
    with one_batch(opened.ledger):
        futures = [recharge.submit(payment("A1", "t1"), opened.ledger, CLERK) for _ in range(3)]
    first, *repeats = [future.result(WAIT_S) for future in futures]
    assert not first.replayed
    assert [(repeat.body, repeat.replayed) for repeat in repeats] == [(first.body, True)] * 2
    assert booked(opened) == 1
    assert_sound(opened)


def test_a_payment_reported_by_fifty_at_once_is_booked_once(
    opened: Opened, opening: OpenLedger
) -> None:
    opened.open("A1")
    other = opening()
    with ThreadPoolExecutor(WRITERS) as pool:
        futures = [pool.submit((opened, other)[n % 2].recharge, "A1", "t1") for n in range(WRITERS)]
        answers = [future.result(WAIT_S) for future in futures]
    assert len({repr(answer.body) for answer in answers}) == 1
    assert [answer.replayed for answer in answers].count(False) == 1
    assert booked(opened) == 1
    assert_sound(opened)


def test_a_payment_is_remembered_across_a_restart(opened: Opened, opening: OpenLedger) -> None:
    opened.open("A1")
    first = opened.recharge("A1", "t1")
    opened.recharge("A1", "t2")
    opened.ledger.close()
    again = opening().recharge("A1", "t1")
    assert again == Answer(first.body, replayed=True)
    assert booked(opened) == 2


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one after the other"])
def test_a_payment_with_another_content_is_a_contradiction(
    opened: Opened, *, together: bool
) -> None:
    opened.open("A1")
    opened.open("A2")
    others = [payment("A1", "t1", 10_001), payment("A2", "t1")]
    if together:
        with one_batch(opened.ledger):
            first = recharge.submit(payment("A1", "t1"), opened.ledger, CLERK)
            futures = [recharge.submit(other, opened.ledger, CLERK) for other in others]
        assert first.result(WAIT_S).body["balance_minor"] == 10_000
    else:
        opened.recharge("A1", "t1")
        futures = [recharge.submit(other, opened.ledger, CLERK) for other in others]
    for future in futures:
        with pytest.raises(Contradiction, match="booked before to account A1") as caught:
            future.result(WAIT_S)
        assert caught.value.code == "payment_contradiction"
    assert booked(opened) == 1
    assert_sound(opened)


def test_a_refused_command_claims_nothing(opened: Opened) -> None:
    with pytest.raises(Refused, match="no account A1"):
        opened.recharge("A1", "t1")
    assert opened.claims("payment") == {}
    opened.open("A1")
    assert opened.recharge("A1", "t1").body["balance_minor"] == 10_000


def test_a_repeat_is_answered_as_the_first_time_though_the_world_has_moved_on(
    opened: Opened,
) -> None:
    first = opened.open("A1", "M1")
    opened.recharge("A1", "t1")
    opened.read(reading("M1", 1, 3))
    assert opened.open("A1", "M1") == Answer(first.body, replayed=True)


def idempotent(key: str, body: str) -> Context:
    """A door's own key, as a header brings it."""
    return Context("clerk-7", "test", Claim("request", f"clerk-7 POST /recharges {key}", body, ""))


def test_a_doors_own_key_repeats_the_answer_and_contradicts_another_request(
    opened: Opened,
) -> None:
    opened.open("A1")

    def ask(key: str, txn: str) -> Answer:
        return recharge.handle(payment("A1", txn), opened.ledger, idempotent(key, txn))

    first = ask("k1", "t1")
    assert ask("k1", "t1") == Answer(first.body, replayed=True)
    with pytest.raises(Contradiction) as caught:
        ask("k1", "t2")
    assert caught.value.code == "key_reused"
    assert booked(opened) == 1


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "one after the other"])
def test_a_key_that_repeated_a_payment_names_that_payment_from_then_on(
    opened: Opened, *, together: bool
) -> None:
    """The payment was booked under k1; k2 repeated it, so k2 cannot name another one later."""
    opened.open("A1")
    asked = [("k1", "t1"), ("k2", "t1"), ("k2", "t2")]
    if together:
        with one_batch(opened.ledger):
            futures = [
                recharge.submit(payment("A1", txn), opened.ledger, idempotent(key, txn))
                for key, txn in asked
            ]
    else:
        futures = []
        for key, txn in asked:
            futures.append(recharge.submit(payment("A1", txn), opened.ledger, idempotent(key, txn)))
            futures[-1].exception(WAIT_S)
    first, repeat, contradiction = futures
    assert repeat.result(WAIT_S) == Answer(first.result(WAIT_S).body, replayed=True)
    assert isinstance(contradiction.exception(WAIT_S), Contradiction)
    assert len(opened.claims("request")) == 2
    assert_sound(opened)


def test_a_key_of_a_command_that_changed_nothing_is_kept(opened: Opened) -> None:
    context = idempotent("k1", "body")
    first = opened.ledger.decide(lambda _: {"changed": False}, context, shards=(0,))
    again = opened.ledger.decide(lambda _: {"changed": True}, context, shards=(0,))
    assert again == Answer(first.body, replayed=True)


def test_two_keys_of_one_ask_are_told_apart_from_one_that_looks_like_both(opened: Opened) -> None:
    """`kind` and `key` are columns of their own, so no pair can be spelled in two ways."""
    ask = [Claim("a", "bc", "1", ""), Claim("ab", "c", "2", "")]
    for claim in ask:
        opened.ledger.decide(lambda _: {}, CLERK, shards=(0,), claims=(claim,))
    assert (opened.claims("a"), opened.claims("ab")) == ({"bc": ""}, {"c": ""})
