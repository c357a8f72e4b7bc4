"""An account at a moment is what its facts up to then add up to, whatever was recorded later."""

import pytest
from sqlalchemy import delete

from adapters.store.ledger_recorder import LedgerRecorder
from adapters.store.tables import snapshots
from ledger.store import folding, history
from ledger.store.history import History, Moment
from tests.harness.desk import Desk, at_us, point


def past_of(desk: Desk) -> History:
    shards = range(desk.terms.shards)
    return History({shard: LedgerRecorder(desk.engine, shard) for shard in shards})


@pytest.fixture
def desk(database_url: str) -> Desk:
    """An account that was charged daily in August, and paid for at its end, told late."""
    desk = Desk.at(database_url)
    desk.open("A1", point("M1"))
    for day in range(1, 31):
        desk.clock.go(f"2026-08-{day:02}T06:00")
        desk.read("M1", f"2026-08-{day:02}", day * 1_000)
    desk.clock.go("2026-09-05")
    desk.recharge("A1", 50_00, paid_at="2026-08-15T12:00:00+08:00")
    return desk


def test_what_was_true_counts_a_late_payment_from_its_own_time(desk: Desk) -> None:
    past, now = past_of(desk), desk.views.account
    desk.views.catch_up()
    before = past.account("A1", Moment(valid_at_us=at_us("2026-08-15T11:59")))
    after = past.account("A1", Moment(valid_at_us=at_us("2026-08-15T12:00")))
    assert after.balance_minor - before.balance_minor == 50_00
    body = now("A1")
    assert body is not None
    assert past.account("A1").balance_minor == body["balance_minor"]
    desk.close()


def test_what_was_known_leaves_a_late_payment_out(desk: Desk) -> None:
    past = past_of(desk)
    known = past.account("A1", Moment(known_at_us=at_us("2026-09-04")))
    assert known.balance_minor == past.account("A1").balance_minor - 50_00
    desk.close()


def test_a_deep_read_leaves_snapshots_that_change_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = [Moment(valid_at_us=at_us(f"2026-08-{day:02}T12:00")) for day in range(1, 31)]
    fresh = [past_of(desk).account("A1", moment) for moment in moments]
    for module in (history, folding):
        monkeypatch.setattr(module, "SNAPSHOT_EVERY", 4, raising=False)
    with desk.engine.begin() as connection:
        connection.execute(delete(snapshots))
    past_of(desk).account("A1")
    assert [past_of(desk).account("A1", moment) for moment in moments] == fresh
    desk.close()


def test_before_its_opening_an_account_is_not_there(desk: Desk) -> None:
    assert past_of(desk).account("A1", Moment(valid_at_us=at_us("2025-12-31"))).version == 0
    assert past_of(desk).account("A9").version == 0
    desk.close()


def test_facts_are_told_as_they_were_true(desk: Desk) -> None:
    told = list(past_of(desk).events("A1", Moment(valid_at_us=at_us("2026-08-02"))))
    assert [recorded.version for recorded in told] == [1, 2, 3, 4, 5]
    desk.close()
