"""The database crashes under load and comes back; the ledger goes on by itself."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ledger.ports import LogUnavailableError
from tests.harness.ledgers import Opened, open_ledger
from tests.harness.meanwhile import IsOver, going_on
from tests.harness.postgres import Postgres
from tests.harness.soundness import assert_sound

pytestmark = pytest.mark.postgres
WRITERS = 6


@pytest.fixture
def opened(durable_postgres: Postgres, tmp_path: Path) -> Iterator[Opened]:
    """A ledger on a server of its own, which syncs what it commits."""
    with open_ledger(durable_postgres.new_database(), tmp_path) as opened:
        opened.publish()
        for n in range(WRITERS):
            opened.open(f"A{n}", f"M{n}")
        yield opened


def test_a_server_that_is_down_is_said_at_once_and_found_when_it_is_back(
    opened: Opened, durable_postgres: Postgres
) -> None:
    opened.recharge("A1", "t1")
    durable_postgres.kill()
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(LogUnavailableError):
            opened.recharge("A1", "t2")
        assert time.monotonic() - began < 5
    durable_postgres.start()
    assert opened.recharge("A1", "t2").body["balance_minor"] == 20_000
    assert opened.recharge("A1", "t1").replayed
    assert_sound(opened)


def test_an_orderly_restart_between_two_commits_is_not_noticed(
    opened: Opened, durable_postgres: Postgres
) -> None:
    opened.recharge("A1", "t1")
    durable_postgres.stop()
    durable_postgres.start()
    assert opened.recharge("A1", "t2").body["balance_minor"] == 20_000
    assert_sound(opened)


@pytest.mark.parametrize("crashes", [2, pytest.param(25, marks=pytest.mark.soak)])
def test_crashes_under_load_lose_nothing_and_double_nothing(
    opened: Opened, durable_postgres: Postgres, crashes: int
) -> None:
    payers = [partial(_pay_on, opened, f"A{n}") for n in range(WRITERS)]
    with going_on(*payers) as writers:
        for crash in range(crashes):
            time.sleep(0.3 + 0.07 * crash)
            durable_postgres.kill()
            time.sleep(0.1)
            durable_postgres.start()
        time.sleep(0.3)
    booked = {f"A{n}": writer.result() for n, writer in enumerate(writers)}
    assert_sound(opened)
    assert len(opened.claims("payment")) == sum(booked.values())
    for number, times in booked.items():
        assert times > 0
        assert opened.recharge(number, f"{number}-last", 1).body["balance_minor"] == times + 1


def _pay_on(opened: Opened, number: str, is_over: IsOver) -> int:
    """Pay one minor unit after the other, each until it is acknowledged, as a channel does."""
    times = 0
    while not is_over():
        times += 1
        while True:
            try:
                answer = opened.recharge(number, f"{number}-{times}", 1)
            except LogUnavailableError:
                time.sleep(0.01)
            else:
                assert answer.body["balance_minor"] == times
                break
    return times
