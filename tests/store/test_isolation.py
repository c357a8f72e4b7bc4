"""A work that fails, refuses or breaks touches nobody else in its batch, and leaves no trace."""

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from adapters.store.tables import vault
from ledger.aggregates import Refused
from ledger.aggregates.account.money import credit
from ledger.commands import open_account, recharge, record_readings
from ledger.commands.open_account import OpenAccount
from ledger.events.account import GroupAssigned
from ledger.store import Session, session
from tests.harness.ledgers import CLERK, WAIT_S, Opened, one_batch, payment, reading, service_point
from tests.harness.soundness import assert_sound
from tests.store.conftest import OpenLedger

BUG = "somebody divided by zero"


def breaks(_session: Session) -> dict[str, Any]:
    raise ZeroDivisionError(BUG)


def credits_then(outcome: Exception) -> Callable[[Session], dict[str, Any]]:
    """A decision that credits A1 and then does not come to its end."""

    def decide(at: Session) -> dict[str, Any]:
        account = at.account("A1")
        credited = credit(
            account,
            receipt_no="none",
            channel="none",
            channel_txn_id="none",
            currency="CNY",
            amount_minor=1,
        )
        at.record(account, credited, at.now_us)
        raise outcome

    return decide


def test_a_refused_command_leaves_no_trace_in_its_batch(opened: Opened) -> None:
    opened.open("A1")
    before = len(opened.rows())
    with one_batch(opened.ledger):
        first = recharge.submit(payment("A1", "t1"), opened.ledger, CLERK)
        refused = opened.ledger.submit(credits_then(Refused("no", "No.")), CLERK, accounts=("A1",))
        unknown = recharge.submit(payment("nobody", "t2"), opened.ledger, CLERK)
        last = recharge.submit(payment("A1", "t3"), opened.ledger, CLERK)
    assert last.result(WAIT_S).body["balance_minor"] == 20_000
    assert first.result(WAIT_S).body["balance_minor"] == 10_000
    for future, code in ((refused, "no"), (unknown, "account_unknown")):
        with pytest.raises(Refused) as caught:
            future.result(WAIT_S)
        assert caught.value.code == code
    assert len(assert_sound(opened)) == before + 4
    assert opened.claims("payment") == {"counter/t1": "A1", "counter/t3": "A1"}


@pytest.mark.parametrize("is_bulk", [False, True], ids=["single", "bulk"])
@pytest.mark.parametrize(
    "fault", [ZeroDivisionError(BUG), Refused("no", "No.")], ids=["bug", "refusal"]
)
def test_a_work_that_breaks_fails_alone(opened: Opened, fault: Exception, *, is_bulk: bool) -> None:
    opened.open("A1", "M1")
    with one_batch(opened.ledger):
        first = recharge.submit(payment("A1", "t1"), opened.ledger, CLERK)
        broken = opened.ledger.submit(credits_then(fault), CLERK, accounts=("A1",), is_bulk=is_bulk)
        last = recharge.submit(payment("A1", "t2"), opened.ledger, CLERK)
    with pytest.raises(type(fault)):
        broken.result(WAIT_S)
    assert first.result(WAIT_S).body["balance_minor"] == 10_000
    assert last.result(WAIT_S).body["balance_minor"] == 20_000
    assert opened.recharge("A1", "t3").body["balance_minor"] == 30_000
    assert_sound(opened)


def test_many_broken_works_of_one_batch_fail_alone(opened: Opened) -> None:
    opened.open("A1")
    with one_batch(opened.ledger):
        good = [recharge.submit(payment("A1", f"t{n}"), opened.ledger, CLERK) for n in range(4)]
        broken = [
            opened.ledger.submit(breaks, CLERK, accounts=("A1",), is_bulk=True) for _ in range(12)
        ]
        good += [recharge.submit(payment("A1", f"u{n}"), opened.ledger, CLERK) for n in range(4)]
    assert all(isinstance(future.exception(WAIT_S), ZeroDivisionError) for future in broken)
    assert sorted(future.result(WAIT_S).body["balance_minor"] for future in good) == [
        10_000 * n for n in range(1, 9)
    ]
    assert_sound(opened)


@pytest.mark.parametrize(
    ("group", "valid_at_us"),
    [("\ud800", 0), ("g", 2**63)],
    ids=["half a surrogate pair", "a time that no column holds"],
)
def test_a_fact_that_cannot_be_written_fails_its_own_command(
    opened: Opened, group: str, valid_at_us: int
) -> None:
    """Some of it shows when the fact is encoded, some not before the whole batch is written."""
    opened.open("A1")

    def unwritable(at: Session) -> dict[str, Any]:
        at.record(at.account("A1"), GroupAssigned("A1", group), valid_at_us)
        return {}

    with one_batch(opened.ledger):
        first = recharge.submit(payment("A1", "t1"), opened.ledger, CLERK)
        broken = opened.ledger.submit(unwritable, CLERK, accounts=("A1",))
        last = recharge.submit(payment("A1", "t2"), opened.ledger, CLERK)
    assert isinstance(broken.exception(WAIT_S), UnicodeEncodeError | OverflowError | struct.error)
    assert first.result(WAIT_S).body["balance_minor"] == 10_000
    assert last.result(WAIT_S).body["balance_minor"] == 20_000
    assert_sound(opened)


def test_a_refused_opening_leaves_nothing_of_a_person_behind(opened: Opened) -> None:
    future = datetime.now(UTC) + timedelta(days=9)
    refused = OpenAccount(
        account_no="A1", name="Somebody", service_points=(service_point("M1", future),)
    )
    accepted = OpenAccount(account_no="A1", name="Somebody", phone="1")
    with one_batch(opened.ledger):
        futures = [
            open_account.submit(command, opened.ledger, CLERK) for command in (refused, accepted)
        ]
    assert isinstance(futures[0].exception(WAIT_S), Refused)
    assert futures[1].result(WAIT_S).body["version"] == 1
    assert opened.ledger.vault.unseal(0, "A1") == {"name": "Somebody", "phone": "1"}
    with opened.engine.begin() as connection:
        sealed = connection.execute(select(vault.c.account_no, vault.c.field)).all()
    assert sorted(sealed) == [("A1", "key"), ("A1", "name"), ("A1", "phone")]


def test_a_statement_that_the_database_refuses_fails_its_own_command(opened: Opened) -> None:
    opened.open("A1")

    def asks_nonsense(at: Session) -> dict[str, Any]:
        at.writer.past(0, ["no uuid, and \x00 is no text"], "x")
        at.writer.find_claims([("meter", "nul \x00 inside")])
        raise AssertionError

    with one_batch(opened.ledger):
        first = recharge.submit(payment("A1", "t1"), opened.ledger, CLERK)
        broken = opened.ledger.submit(asks_nonsense, CLERK, accounts=("A1",))
        last = recharge.submit(payment("A1", "t2"), opened.ledger, CLERK)
    assert broken.exception(WAIT_S) is not None
    assert first.result(WAIT_S).body["balance_minor"] == 10_000
    assert last.result(WAIT_S).body["balance_minor"] == 20_000
    assert_sound(opened)


def test_a_refusal_takes_nothing_into_the_next_snapshot(
    opened: Opened, opening: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "SNAPSHOT_EVERY", 2)
    opened.open("A1")
    with one_batch(opened.ledger):
        first = recharge.submit(payment("A1", "t1"), opened.ledger, CLERK)  # version 2: snapshot
        refused = opened.ledger.submit(credits_then(Refused("no", "No.")), CLERK, accounts=("A1",))
    assert isinstance(refused.exception(WAIT_S), Refused)
    assert first.result(WAIT_S).body["balance_minor"] == 10_000
    assert opening().recharge("A1", "t2").body["balance_minor"] == 20_000
    assert_sound(opened)


def test_rows_handed_over_early_are_those_of_one_transaction(
    opened: Opened, opening: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some are on their way into the database while the next are still decided."""
    monkeypatch.setattr(session, "HAND_OVER", 3)
    for n in range(3):
        opened.open(f"A{n}", f"M{n}")
    readings = [reading(f"M{n}", hour, hour) for hour in range(1, 30) for n in range(3)]
    late = [reading("M1", 3, 3), reading("M1", 3, 4), reading("M9", 1, 1)]  # asks the log again
    with one_batch(opened.ledger):
        futures = [
            recharge.submit(payment("A1", "t1"), opened.ledger, CLERK),
            record_readings.submit([*readings[:50], *late], opened.ledger, CLERK),
            recharge.submit(payment("nobody", "t2"), opened.ledger, CLERK),
            record_readings.submit([*readings[50:], *late], opened.ledger, CLERK),
            recharge.submit(payment("A1", "t3"), opened.ledger, CLERK),
        ]
    _, first, refused, second, last = futures
    assert isinstance(refused.exception(WAIT_S), Refused)
    assert (first.result(WAIT_S).body["accepted"], first.result().body["duplicate"]) == (50, 1)
    assert (second.result(WAIT_S).body["accepted"], second.result().body["duplicate"]) == (37, 1)
    for told in (first.result().body, second.result().body):
        assert [item["code"] for item in told["quarantined"]] == ["contradiction", "meter_unknown"]
    assert last.result(WAIT_S).body["balance_minor"] == 20_000 - 29 * 50
    assert len({row.recorded_at for row in assert_sound(opened)[-93:]}) == 1
    assert opening().recharge("A1", "t4").body["balance_minor"] == 30_000 - 29 * 50


def test_a_bulk_work_that_breaks_after_handing_rows_over_leaves_none_of_them(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "HAND_OVER", 3)
    opened.open("A1", "M1")
    before = opened.rows()

    def breaks_late(at: Session) -> dict[str, Any]:
        account = at.account("A1")
        for n in range(20):
            at.record(account, GroupAssigned("A1", f"g{n}"), at.now_us)
        raise ZeroDivisionError(BUG)

    with one_batch(opened.ledger):
        broken = opened.ledger.submit(breaks_late, CLERK, accounts=("A1",), is_bulk=True)
        good = recharge.submit(payment("A1", "t1"), opened.ledger, CLERK)
    assert isinstance(broken.exception(WAIT_S), ZeroDivisionError)
    assert good.result(WAIT_S).body["balance_minor"] == 10_000
    assert assert_sound(opened)[: len(before)] == before
    assert len(opened.rows()) == len(before) + 2


def test_a_cache_that_is_too_small_forgets_no_fact_of_a_running_batch(
    opening: OpenLedger,
) -> None:
    """The smallest cache there is, and a batch that touches more accounts than it holds."""
    opened = opening(cache_size=2)
    opened.publish()
    numbers = [f"A{n}" for n in range(12)]
    for number in numbers:
        opened.open(number, f"M{number}")
    with one_batch(opened.ledger):
        futures = [
            recharge.submit(payment(number, f"{number}-{n}"), opened.ledger, CLERK)
            for n in range(5)
            for number in numbers
        ]
    for n, future in enumerate(futures):
        assert future.result(WAIT_S).body["balance_minor"] == 10_000 * (n // len(numbers) + 1)
    readings = [reading(f"M{number}", hour, hour) for hour in range(1, 6) for number in numbers]
    assert opened.read(*readings).body["accepted"] == len(readings)
    unknown = [reading(f"unknown-{n}", hour, hour) for hour in range(1, 4) for n in range(8)]
    assert len(opened.read(*unknown).body["quarantined"]) == len(unknown)
    assert_sound(opened)
