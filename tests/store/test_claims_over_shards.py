"""One channel transaction is booked once, whichever shards and processes it meets."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.commands import recharge
from ledger.store import Contradiction
from tests.harness.ledgers import (
    CLERK,
    WAIT_S,
    Opened,
    open_ledger,
    payment,
)
from tests.harness.postgres import Postgres
from tests.harness.soundness import assert_sound

SHARDS_MAX = 5


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
