"""Several processes write to one ledger, and each decides on what the others have written."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger.aggregates.policy import Line
from ledger.values import micros, shard_of
from tests.harness.ledgers import POLICY, Opened, open_ledger, tariff
from tests.harness.processes import Teller, teller
from tests.harness.soundness import assert_sound

SHARDS = 3
MARCH = micros(datetime(2026, 3, 1, tzinfo=UTC))


def at(month: int, day: int) -> int:
    return micros(datetime(2026, month, day, tzinfo=UTC))


@pytest.fixture
def sharded(database_url: str, tmp_path: Path) -> Iterator[Opened]:
    """The ledger as the test itself sees it; it stays passive while the tellers work."""
    with open_ledger(database_url, tmp_path, shards=SHARDS) as opened:
        opened.publish()
        yield opened


@pytest.fixture
def tellers(sharded: Opened, database_url: str, tmp_path: Path) -> Iterator[tuple[Teller, Teller]]:
    """Two processes on that ledger; their calendar says the first of March."""
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(teller(database_url, tmp_path, SHARDS, MARCH)) for _ in range(2)
        )
        yield one, other


def homes() -> dict[int, str]:
    """An account of each shard."""
    numbers = (f"A{n}" for n in range(99))
    return {shard_of(number, SHARDS): number for number in numbers}


def test_processes_that_find_no_ledger_at_once_make_one(database_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        several = [stack.enter_context(teller(database_url, tmp_path, SHARDS)) for _ in range(4)]
        for process in several:
            process.tell("publish")
        assert [process.told().fault for process in several] == [""] * 4
        with open_ledger(database_url, tmp_path, shards=SHARDS) as opened:
            assert opened.count("tariff.published.v1") == 1
            assert_sound(opened)


def test_two_processes_of_eight_threads_leave_one_gapless_log(
    sharded: Opened, tellers: tuple[Teller, Teller]
) -> None:
    numbers = [f"A{n}" for n in range(5)]
    for number in numbers:
        sharded.open(number, f"M{number}")
    for n, process in enumerate(tellers):
        process.tell("load", f"process{n}", numbers, 12)
    acknowledged = {txn for process in tellers for txn in process.told().result}
    assert len(acknowledged) == 2 * 8 * 12
    assert set(sharded.claims("payment")) == {f"counter/{txn}" for txn in acknowledged}
    assert_sound(sharded)


def test_a_process_that_only_watched_decides_on_what_the_others_wrote(
    sharded: Opened, tellers: tuple[Teller, Teller]
) -> None:
    one, other = tellers
    one.ask("open", "A1")
    for n in range(3):
        assert one.ask("recharge", "A1", f"a{n}")[0]["balance_minor"] == 10_000 * (2 * n + 1)
        assert other.ask("recharge", "A1", f"b{n}")[0]["balance_minor"] == 10_000 * (2 * n + 2)
    for n in range(20):
        other.ask("recharge", "A1", f"c{n}")
    assert one.ask("recharge", "A1", "d")[0]["balance_minor"] == 270_000
    assert_sound(sharded)


def test_a_payment_that_reaches_both_processes_at_once_is_booked_once(
    sharded: Opened, tellers: tuple[Teller, Teller]
) -> None:
    sharded.open("A1")
    txns = [f"t{n}" for n in range(12)]
    for process in tellers:
        process.tell("recharge all", "A1", txns)
    both = [process.told().result for process in tellers]
    for (mine, mine_again), (theirs, theirs_again) in zip(*both, strict=True):
        assert mine == theirs
        assert {mine_again, theirs_again} == {True, False}
    assert sharded.count("account.credited.v1") == len(txns)
    assert_sound(sharded)


def test_an_account_opened_by_both_at_once_is_opened_by_one(
    sharded: Opened, tellers: tuple[Teller, Teller]
) -> None:
    for n in range(6):
        for site, process in zip(("east", "west"), tellers, strict=True):
            process.tell("open as", f"A{n}", site)
        told = [process.told() for process in tellers]
        assert sorted(answer.code for answer in told) == ["", "account_exists"]
    assert sharded.count("account.opened.v1") == 6
    assert_sound(sharded)


def test_a_tariff_published_by_another_process_is_used_at_once(
    sharded: Opened, tellers: tuple[Teller, Teller], database_url: str, tmp_path: Path
) -> None:
    one, _ = tellers
    one.ask("open", "A1", "M1")
    assert one.ask("read", "M1", at(1, 31), 10)["accepted"] == 1  # 0.50, and the tariff is cached
    dearer = tariff()
    dearer["versions"][0]["effective_to"] = "2026-02-01"
    later: dict[str, Any] = {**tariff(rate="0.70")["versions"][0], "effective_from": "2026-02-01"}
    dearer["versions"].append(later)
    with teller(database_url, tmp_path, SHARDS, at(1, 15)) as in_january:
        assert in_january.ask("publish tariff", dearer)["version"] == 2
    one.ask("read", "M1", at(2, 2), 10)  # the rest of January
    one.ask("read", "M1", at(2, 20), 110)
    assert one.ask("recharge", "A1", "t1", 1)[0]["balance_minor"] == 1 - 500 - 7_000
    assert_sound(sharded)


def test_a_policy_published_by_another_process_is_decided_by_at_once(
    sharded: Opened, tellers: tuple[Teller, Teller]
) -> None:
    one, other = tellers
    one.ask("open", "A1", "M1")
    assert one.ask("recharge", "A1", "t1", 50_000)[0]["alert_level"] == "none"
    anxious = POLICY.model_copy(update={"remind": Line(available_minor=60_000)})
    assert other.ask("publish policy", anxious)["changed"]
    assert one.ask("recharge", "A1", "t2", 1)[0]["alert_level"] == "remind"


@pytest.mark.parametrize(("from_shard", "to_shard"), [(0, 1), (1, 0), (1, 2), (2, 2)])
def test_a_meter_moved_by_another_process_is_charged_where_it_is_now(
    sharded: Opened, tellers: tuple[Teller, Teller], from_shard: int, to_shard: int
) -> None:
    one, other = tellers
    old, new = homes()[from_shard], f"B{homes()[to_shard]}"
    while shard_of(new, SHARDS) != to_shard:
        new += "x"
    one.ask("open", old, "M1")
    other.ask("open", new)
    assert one.ask("read", "M1", at(1, 10), 10)["accepted"] == 1  # its home is remembered
    other.ask("move", "M1", old, new, at(1, 11), 10)
    told = one.ask("read", "M1", at(1, 12), 30)
    assert told == {
        "accepted": 1,
        "duplicate": 0,
        "quarantined": [],
        "positions": {str(to_shard): sharded.heads()[to_shard][0]},
    }
    assert other.ask("recharge", new, "t1", 1)[0]["balance_minor"] == 1 - 20 * 50
    assert other.ask("recharge", old, "t2", 1)[0]["balance_minor"] == 1 - 10 * 50
    assert_sound(sharded)
