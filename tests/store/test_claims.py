"""What must be unique in the whole ledger is claimed with its effect, in one transaction."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.aggregates import Refused
from ledger.commands import open_account, recharge
from ledger.commands.meters import InstallMeter, RemoveMeter, ReplaceMeter, install_meter
from ledger.commands.meters import remove as remove_meter
from ledger.commands.meters import replace as replace_meter
from ledger.commands.open_account import OpenAccount
from ledger.ports import Claim
from ledger.store import Answer, Context, Contradiction
from tests.harness.ledgers import (
    CLERK,
    INSTALLED_AT,
    WAIT_S,
    Opened,
    one_batch,
    open_ledger,
    payment,
    reading,
    service_point,
    until,
)
from tests.harness.postgres import Postgres
from tests.harness.soundness import assert_sound
from tests.store.conftest import OpenLedger

WRITERS = 50
SHARDS_MAX = 5


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


def test_numbers_of_accounts_and_meters_are_unique(opened: Opened) -> None:
    opened.open("A1", "M1")
    for number, meter, code in [
        ("A1", "M2", "account_exists"),
        ("A2", "M1", "meter_in_use"),
    ]:
        with pytest.raises(Contradiction) as caught:
            opened.open(number, meter)
        assert caught.value.code == code
    assert opened.claims("account") == {"A1": "A1"}
    assert opened.claims("meter") == {"M1": "A1"}
    assert_sound(opened)


def install(opened: Opened, account_no: str, meter_no: str) -> Answer:
    point = service_point(meter_no).model_dump(exclude={"initial", "wrap", "multiplier"})
    command = InstallMeter(account_no=account_no, initial={"total": "0"}, **point)  # type: ignore[dict-item] # parsed
    return install_meter(command, opened.ledger, CLERK)


def remove(opened: Opened, account_no: str) -> Answer:
    return remove_meter(removal(account_no), opened.ledger, CLERK)


def removal(account_no: str) -> RemoveMeter:
    at = INSTALLED_AT + timedelta(days=1)
    registers: dict[str, Any] = {"total": "0"}
    return RemoveMeter(account_no=account_no, removed_at=at, final=registers, reason="moved")


def test_a_released_meter_can_be_installed_elsewhere(opening: OpenLedger) -> None:
    opened = opening(shards=4)
    opened.publish()
    opened.open("A1", "M1")
    opened.open("A2")
    remove(opened, "A1")
    assert opened.claims("meter") == {}
    install(opened, "A2", "M1")
    assert opened.claims("meter") == {"M1": "A2"}
    assert opened.read(reading("M1", 48, 1)).body["accepted"] == 1
    with pytest.raises(Contradiction):
        opened.open("A3", "M1")
    assert_sound(opened)


def test_a_replaced_meter_is_free_and_its_successor_is_not(opened: Opened) -> None:
    opened.open("A1", "M1")
    opened.open("A2")
    zero: dict[str, Any] = {"total": "0"}
    command = ReplaceMeter(
        account_no="A1",
        replaced_at=INSTALLED_AT + timedelta(days=1),
        final=zero,
        meter_no="M2",
        initial=zero,
        reason="broken",
    )
    replace_meter(command, opened.ledger, CLERK)
    assert opened.claims("meter") == {"M2": "A1"}
    with pytest.raises(Contradiction, match="installed at account A1"):
        install(opened, "A2", "M2")
    install(opened, "A2", "M1")
    assert opened.claims("meter") == {"M1": "A2", "M2": "A1"}


def waiting(opened: Opened) -> int:
    """How many works wait for the committer."""
    return opened.ledger._committer._queue.qsize()


def test_a_meter_taken_and_released_in_one_batch_is_free(opened: Opened) -> None:
    command = OpenAccount(account_no="A1", service_points=(service_point("M1"),))
    with ThreadPoolExecutor(1) as pool:
        with one_batch(opened.ledger):
            opening = open_account.submit(command, opened.ledger, CLERK)
            removing = pool.submit(remove_meter, removal("A1"), opened.ledger, CLERK)
            until(lambda: waiting(opened) == 2)
        assert opening.result(WAIT_S).body["positions"] != {}
        assert removing.result(WAIT_S).body["service_points"] == []
    assert opened.claims("meter") == {}
    opened.open("A2", "M1")
    assert_sound(opened)


def test_a_meter_released_and_taken_in_one_batch_belongs_to_the_last(opened: Opened) -> None:
    opened.open("A1", "M1")
    command = OpenAccount(account_no="A2", service_points=(service_point("M1"),))
    with ThreadPoolExecutor(1) as pool:
        with one_batch(opened.ledger):
            removing = pool.submit(remove_meter, removal("A1"), opened.ledger, CLERK)
            until(lambda: waiting(opened) == 1)
            opening = open_account.submit(command, opened.ledger, CLERK)
        removing.result(WAIT_S)
        opening.result(WAIT_S)
    assert opened.claims("meter") == {"M1": "A2"}
    assert_sound(opened)


class Sharded:
    """Ledgers of every number of shards, two processes on each, opened when first asked for."""

    def __init__(self, stack: ExitStack, folder: Path, postgres: Postgres | None) -> None:
        self._stack = stack
        self._folder = folder
        self._postgres = postgres
        self._opened: dict[int, tuple[Opened, Opened]] = {}
        self.run = 0

    def of(self, shards: int) -> tuple[Opened, Opened]:
        if shards not in self._opened:
            url = f"sqlite:///{self._folder}/{shards}.db"
            if self._postgres is not None:
                url = self._postgres.new_database()
                self._stack.callback(self._postgres.drop_database, url)
            one, other = (
                self._stack.enter_context(open_ledger(url, self._folder, shards=shards))
                for _ in range(2)
            )
            one.publish()
            for n in range(6):
                one.open(f"A{n}")
            self._opened[shards] = (one, other)
        return self._opened[shards]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def sharded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sharded]:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    with ExitStack() as stack:
        yield Sharded(stack, tmp_path_factory.mktemp("sharded"), server)


reports = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans()), min_size=1, max_size=12
)


@given(shards=st.integers(1, SHARDS_MAX), asked=reports)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_one_channel_transaction_is_booked_once_whichever_shards_and_processes_it_meets(
    sharded: Sharded, shards: int, asked: list[tuple[int, int, bool]]
) -> None:
    """(account, transaction, process) in any order, all at once."""
    processes = sharded.of(shards)
    sharded.run += 1
    futures = [
        recharge.submit(
            payment(f"A{account}", f"{sharded.run}-{txn}"), processes[is_other].ledger, CLERK
        )
        for account, txn, is_other in asked
    ]
    outcomes = [future.exception(WAIT_S) for future in futures]
    claimed = processes[0].claims("payment")
    for (account, txn, _), future, error in zip(asked, futures, outcomes, strict=True):
        owner = claimed[f"counter/{sharded.run}-{txn}"]
        if owner == f"A{account}":
            assert future.result().body["account_no"] == owner
        else:
            assert isinstance(error, Contradiction)
    for txn in {txn for _, txn, _ in asked}:
        mine = [
            future.result()
            for (_, its, _), future, error in zip(asked, futures, outcomes, strict=True)
            if its == txn and error is None
        ]
        assert len({repr(answer.body) for answer in mine}) == 1
        assert [answer.replayed for answer in mine].count(False) == 1


def test_after_all_that_every_sharded_log_is_sound(sharded: Sharded) -> None:
    for shards in range(1, SHARDS_MAX + 1):
        assert_sound(sharded.of(shards)[0])
