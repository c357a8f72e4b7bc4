"""Each shard is a log of its own; an account, its meters and its payments live in one."""

import json
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.store.log import SqlLog
from ledger.commands import recharge
from ledger.ports import ConflictError
from ledger.store import Session
from ledger.store.session import CATALOGUE_SHARD
from tests.harness.busy_day import busy_day
from tests.harness.desk import Desk
from tests.harness.ledgers import CLERK, WAIT_S, Opened, one_batch, payment
from tests.harness.rows import a_row
from tests.harness.soundness import assert_sound
from tests.store.conftest import OpenLedger

SHARDS = 4


def home(account_no: str) -> int:
    return zlib.crc32(account_no.encode()) % SHARDS


@pytest.fixture
def sharded(opening: OpenLedger) -> Opened:
    opened = opening(shards=SHARDS)
    opened.publish()
    return opened


def test_whatever_belongs_to_an_account_lives_in_its_shard(database_url: str) -> None:
    desk = Desk.at(database_url, shards=SHARDS)
    busy_day(desk)
    for row in assert_sound(Opened(desk.ledger, desk.engine)):
        account_no = json.loads(row.payload).get("account_no")
        assert row.shard == (home(account_no) if account_no else CATALOGUE_SHARD)
    desk.close()


def test_every_shard_counts_for_itself(sharded: Opened) -> None:
    numbers = [f"A{n}" for n in range(12)]
    for number in numbers:
        sharded.open(number)
    heads = sharded.heads()
    assert sum(position for position, _ in heads.values()) == len(sharded.rows())
    for number in numbers:
        before = sharded.heads()
        answer = sharded.recharge(number, number)
        after = sharded.heads()
        shard = home(number)
        assert answer.body["positions"] == {str(shard): before[shard][0] + 2}
        assert answer.body["receipt_no"] == f"{shard}-{before[shard][0] + 1}"
        assert {s: after[s] for s in after if s != shard} == {
            s: before[s] for s in before if s != shard
        }
    assert_sound(sharded)


def numbers_of_two_shards() -> tuple[str, str]:
    first = "A0"
    return first, next(f"A{n}" for n in range(99) if home(f"A{n}") != home(first))


def test_a_batch_over_several_shards_is_one_transaction(sharded: Opened) -> None:
    here, there = numbers_of_two_shards()
    for number in (here, there):
        sharded.open(number)
    with one_batch(sharded.ledger):
        futures = [
            recharge.submit(payment(number, f"{number}-{n}"), sharded.ledger, CLERK)
            for n in range(3)
            for number in (here, there)
        ]
    assert [future.result(WAIT_S).body["balance_minor"] for future in futures] == [
        *(10_000, 10_000, 20_000, 20_000, 30_000, 30_000)
    ]
    assert_sound(sharded)


def test_what_cannot_be_written_in_one_shard_is_written_in_none(sharded: Opened) -> None:
    log = SqlLog(sharded.engine, SHARDS)
    before = sharded.rows()
    with pytest.raises(ConflictError):
        _append(log, [a_row(1, 1, shard=3), a_row(1, 1, shard=CATALOGUE_SHARD)])
    assert sharded.rows() == before
    assert sharded.heads()[3] == (0, 0)


def _append(log: SqlLog, rows: list[Any]) -> None:
    with log.write(sorted({row.shard for row in rows})) as writer:
        writer.append(rows)


def test_a_command_writes_only_where_it_holds_the_lock(sharded: Opened) -> None:
    """The catalogue is read by everybody, but its shard is written under its own lock."""
    elsewhere = next(f"A{n}" for n in range(99) if home(f"A{n}") != CATALOGUE_SHARD)
    in_catalogue = next(f"A{n}" for n in range(99) if home(f"A{n}") == CATALOGUE_SHARD)
    for number in (elsewhere, in_catalogue):
        sharded.open(number)
    before = sharded.rows()

    def reaches_over(at: Session) -> dict[str, Any]:
        assert set(at.positions) == {home(elsewhere)}
        account = at.account(in_catalogue)
        at.next_position(account.shard)
        return {}

    with pytest.raises(KeyError):
        sharded.ledger.decide(reaches_over, CLERK, accounts=(elsewhere,))
    assert sharded.rows() == before
    assert sharded.recharge(in_catalogue, "t1").body["balance_minor"] == 10_000


def test_the_number_of_shards_changes_no_account(tmp_path: Path) -> None:
    """Only receipts and positions name a shard."""
    found = []
    for shards in (1, 2, 7):
        desk = Desk.at(f"sqlite:///{tmp_path}/{shards}.db", shards=shards)
        busy_day(desk)
        states = [desk.account(number) for number in ("A1", "A2", "A3")]
        found.append([msgspec.structs.replace(state, shard=0) for state in states])
        desk.close()
    assert found[0] == found[1] == found[2]
    assert [state.version > 1 for state in found[0]] == [True] * 3
