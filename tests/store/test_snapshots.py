"""Snapshots are a cache: with them, without them and after them everything is the same."""

from collections import defaultdict
from pathlib import Path

import grimp
import pytest
from sqlalchemy import Connection, delete, insert, select

import ledger
from adapters.store.past import read_past
from adapters.store.tables import events, snapshots
from ledger.aggregates import Aggregate
from ledger.aggregates.account import Account
from ledger.aggregates.meter import Meter
from ledger.aggregates.payment import Payment
from ledger.aggregates.policy import ControlPolicy
from ledger.aggregates.tariff import Tariff
from ledger.aggregates.tariff_draft import TariffDraft
from ledger.commands import open_account, recharge
from ledger.commands.open_account import OpenAccount
from ledger.events.registry import encode
from ledger.store import folding, session
from ledger.store.folding import FOLD_HASH, FOLDING, fold
from ledger.store.session import LOAD_CHUNK
from ledger.values import stream_id
from tests.harness.busy_day import busy_day
from tests.harness.desk import Desk
from tests.harness.ledgers import CLERK, WAIT_S, Opened, payment
from tests.harness.soundness import assert_sound
from tests.store.conftest import OpenLedger

KINDS: dict[str, type[Aggregate]] = {
    "account": Account,
    "meter": Meter,
    "payment": Payment,
    "policy": ControlPolicy,
    "tariff": Tariff,
    "tariff_draft": TariffDraft,
}
DRAFTED = {"tariff.drafted.v1", "tariff.approved.v1"}
NOBODY = "no such code"


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot at every third version instead of every five hundredth."""
    monkeypatch.setattr(session, "SNAPSHOT_EVERY", 3)


def streams(connection: Connection) -> dict[tuple[str, int], set[str]]:
    """(kind, shard) -> its streams."""
    found: dict[tuple[str, int], set[str]] = defaultdict(set)
    for shard, stream, topic in connection.execute(
        select(events.c.shard, events.c.stream_id, events.c.topic)
    ):
        kind = "tariff_draft" if topic in DRAFTED else topic.partition(".")[0]
        found[kind, shard].add(stream)
    return found


def folded(connection: Connection, fold_hash: str) -> dict[tuple[int, str], bytes]:
    """Every state in the log, as a process that starts now would come to it."""
    states: dict[tuple[int, str], bytes] = {}
    for (kind, shard), ids in streams(connection).items():
        past = read_past(connection, shard, sorted(ids), fold_hash)
        for stream, state in fold(KINDS[kind], shard, sorted(ids), past).items():
            states[shard, stream] = encode(state)
    return states


@pytest.mark.usefixtures("often")
def test_a_snapshot_and_what_follows_is_the_fold_from_event_one(database_url: str) -> None:
    desk = Desk.at(database_url, shards=3)
    for street in ("", "second-"):
        busy_day(desk, street)
        desk.restart()
    with desk.engine.begin() as connection:
        kept = connection.execute(select(snapshots)).all()
        assert {row.shard for row in kept} == {0, 1, 2}
        assert {row.fold_hash for row in kept} == {FOLD_HASH}
        assert folded(connection, FOLD_HASH) == folded(connection, NOBODY)
    assert_sound(Opened(desk.ledger, desk.engine))
    desk.close()


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("deleted", [True, False])
def test_deleting_all_snapshots_changes_nothing(
    opened: Opened, opening: OpenLedger, *, deleted: bool
) -> None:
    opened.open("A1")
    for n in range(7):
        opened.recharge("A1", f"t{n}")
    if deleted:
        with opened.engine.begin() as connection:
            assert connection.execute(delete(snapshots)).rowcount > 0
    later = opening()
    assert later.recharge("A1", "later").body["balance_minor"] == 80_000
    assert opened.recharge("A1", "last").body["balance_minor"] == 90_000
    assert_sound(opened)


def forge(opened: Opened, version: int, fold_hash: str) -> None:
    """A snapshot in which A1 is a millionaire."""
    stream = stream_id(Account.KIND, "A1")
    rich = Account(
        shard=0,
        stream_id=stream,
        version=version,
        account_no="A1",
        status="open",
        currency="CNY",
        balance_minor=1_000_000_00,
    )
    values = {
        "shard": 0,
        "stream_id": stream,
        "version": version,
        "fold_hash": fold_hash,
        "state": encode(rich).decode(),
    }
    with opened.engine.begin() as connection:
        connection.execute(insert(snapshots), values)


def test_a_snapshot_of_other_folding_code_is_never_used(
    opened: Opened, opening: OpenLedger
) -> None:
    opened.open("A1")
    opened.recharge("A1", "t1")
    for version, fold_hash in ((1, NOBODY), (2, FOLD_HASH[::-1]), (3, "")):
        forge(opened, version, fold_hash)
    assert opening().recharge("A1", "t2").body["balance_minor"] == 20_000


def test_a_snapshot_of_this_code_is_used_and_only_the_rest_is_read(
    opened: Opened, opening: OpenLedger
) -> None:
    """That the forgery above would have been seen; `verify` finds it by folding from event 1."""
    opened.open("A1")
    opened.recharge("A1", "t1")
    forge(opened, 2, FOLD_HASH)
    assert opening().recharge("A1", "t2").body["balance_minor"] == 1_000_000_00 + 10_000


def test_a_stream_is_kept_at_each_five_hundredth_version(opened: Opened) -> None:
    opened.open("A1")
    futures = [
        recharge.submit(payment("A1", f"t{n}"), opened.ledger, CLERK)
        for n in range(2 * folding.SNAPSHOT_EVERY)
    ]
    assert futures[-1].result(WAIT_S).body["balance_minor"] == 10_000 * len(futures)
    stream = stream_id(Account.KIND, "A1")
    with opened.engine.begin() as connection:
        past = read_past(connection, 0, [stream], FOLD_HASH)
        kept, _ = past.snapshots[stream]
        assert kept >= 2 * folding.SNAPSHOT_EVERY
        assert len(list(past.events)) == len(futures) + 1 - kept


def test_more_snapshots_than_one_query_may_name_are_loaded_at_once(
    opening: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SNAPSHOT_EVERY", 1)
    opened = opening()
    opened.publish()
    numbers = [f"A{n}" for n in range(LOAD_CHUNK + 200)]
    futures = [
        open_account.submit(OpenAccount(account_no=number), opened.ledger, CLERK)
        for number in numbers
    ]
    for future in futures:
        future.result(WAIT_S)
    monkeypatch.setattr(session, "SNAPSHOT_EVERY", 10**9)
    futures += [
        recharge.submit(payment(number, number), opened.ledger, CLERK) for number in numbers[::2]
    ]
    for future in futures:
        future.result(WAIT_S)
    found = opening().ledger.decide(
        lambda at: {number: at.account(number).balance_minor for number in numbers},
        CLERK,
        accounts=numbers,
    )
    assert [found.body[number] for number in numbers] == [10_000, 0] * (len(numbers) // 2)


def test_the_fold_hash_covers_all_code_that_folds() -> None:
    """What the evolvers import, however deeply, is hashed; prices only decide and need not be."""
    graph = grimp.build_graph("ledger", cache_dir=None)
    folders = [f"ledger.aggregates.{name}" for name in ("account.evolve", *KINDS) if name in _FILES]
    closure = set(folders)
    for module in folders:
        closure |= graph.find_upstream_modules(module)
    root = Path(ledger.__file__).parent
    hashed = {path for part in FOLDING for path in root.glob(part)}
    packages = {"ledger", "ledger.pricing"}  # imported on the way, they fold nothing themselves
    unhashed = {module for module in closure - packages if _file(root, module) not in hashed}
    assert unhashed <= {"ledger.values"}


_FILES = {"account.evolve", "meter", "payment", "policy", "tariff"}


def _file(root: Path, module: str) -> Path:
    path = root.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
