"""What does not follow from the log is named: a decision left out, a state, a claim."""

import msgspec
import pytest
from sqlalchemy import insert, select, update

from adapters.store.tables import claims, snapshots
from adapters.views import verify
from ledger.aggregates.account import Account
from ledger.audit.auditor import KINDS
from ledger.commands.late_readings import Reading
from ledger.events.account import AccountCharged, AccountWarned, SupplyTripOrdered
from ledger.events.registry import EVENT_TYPES, encode
from ledger.store import Session
from ledger.store.folding import FOLD_HASH
from ledger.values import stream_id
from tests.harness.busy_day import busy_day
from tests.harness.desk import Desk, Json, at_us, point
from tests.harness.documents import policy
from tests.harness.tampering import smuggle

A1 = stream_id(Account.KIND, "A1")


def checks(desk: Desk) -> list[tuple[str, str]]:
    return [(item["check"], item["message"]) for item in desk.views.verify()]


@pytest.fixture
def paid(desk: Desk) -> Desk:
    """An account with money and a few charges."""
    desk.open("A1", point("M1"))
    desk.recharge("A1", 100_00)
    desk.read_all(*(Reading("M1", at_us(f"2026-01-0{day}"), {"total": day}) for day in (2, 3)))
    return desk


def test_every_fact_that_the_ledger_knows_is_re_derived() -> None:
    assert set(KINDS) == set(EVENT_TYPES.values())


def test_a_busy_day_leaves_nothing_to_find_in_one_pass_or_in_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy_day(desk)
    assert desk.views.verify() == []
    monkeypatch.setattr(verify, "STREAMS_MAX", 7)
    monkeypatch.setattr(verify, "READ_MAX", 13)
    told: list[tuple[int, int]] = []
    found = list(verify.verify_log(desk.engine, lambda done, total: told.append((done, total))))
    assert found == []
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_several_passes_find_what_one_finds(paid: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2, 30):
        paid.open(f"A{number}", point(f"M{number}"))
        paid.recharge(f"A{number}", 10_00 + number)
    shard = paid.ledger.shard_of("A1")
    smuggle(paid, shard, A1, "account.adjusted.v1", adjusted(paid.account("A1"), 5, 9_00))
    smuggle(paid, shard, stream_id("meter", "M1"), "meter.painted.v1", "{}")
    whole = list(verify.verify_log(paid.engine, lambda *_: None))
    assert sorted(item.check for item in whole) == ["balance", "payload"]
    monkeypatch.setattr(verify, "STREAMS_MAX", 5)
    assert sorted(verify.verify_log(paid.engine, lambda *_: None)) == sorted(whole)


def adjusted(account: Account, amount_minor: int, balance_minor: int) -> str:
    """The payload of an adjustment that comes to a balance."""
    body: Json = {
        "account_no": account.account_no,
        "wallet": "paid",
        "currency": "CNY",
        "amount_minor": amount_minor,
        "reason": "by hand",
        "balance_after_minor": balance_minor,
        "granted_after_minor": account.granted_minor,
    }
    return msgspec.json.encode(body).decode()


@pytest.mark.parametrize("is_followed", [True, False])
def test_a_decision_that_was_left_out_is_found(
    paid: Desk, monkeypatch: pytest.MonkeyPatch, *, is_followed: bool
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Session, "decide_levels", lambda *_: None)
        paid.read("M1", "2026-01-09", 200_000)
    if is_followed:
        paid.recharge("A1", 200_00)
    found = checks(paid)
    left_out = "what had to follow was left out: electricity: account.supply_trip_ordered.v1"
    assert found == [("control", left_out)]
    (charge,) = [
        item
        for item in paid.recorded()
        if isinstance(item.event, AccountCharged) and item.valid_at_us == at_us("2026-01-09")
    ]
    assert [item["position"] for item in paid.views.verify()] == [charge.position]


def test_a_decision_that_the_next_charge_of_a_batch_did_not_wait_for_is_found(
    paid: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner, left = Session.decide_levels, [1]

    def once_forgetful(self: Session, account: Account, at: int) -> None:
        if left:
            left.pop()
            return
        inner(self, account, at)

    monkeypatch.setattr(Session, "decide_levels", once_forgetful)
    paid.read_all(
        Reading("M1", at_us("2026-01-08"), {"total": 198_000}),
        Reading("M1", at_us("2026-01-09"), {"total": 250_000}),
    )
    assert [check for check, _ in checks(paid)] == ["control"]


def test_a_policy_that_was_published_since_is_no_reason_to_doubt_the_past(paid: Desk) -> None:
    paid.read("M1", "2026-01-09", 150_000)
    assert not any(isinstance(fact, AccountWarned) for fact in paid.facts("A1"))
    paid.clock.pass_by(hours=1)
    paid.publish(policy(remind=90_00, warn=80_00))
    paid.clock.pass_by(hours=1)
    assert checks(paid) == []
    paid.recharge("A1", 1_00)
    assert any(isinstance(fact, AccountWarned) for fact in paid.facts("A1"))
    paid.replace("A1", "2026-01-10", {"total": "250"}, "M2", {"total": "0"})
    assert any(isinstance(fact, SupplyTripOrdered) for fact in paid.facts("A1"))
    assert checks(paid) == []


def test_a_snapshot_of_any_version_is_what_the_events_fold_to(paid: Desk) -> None:
    account = paid.account("A1")
    shard, version = account.shard, account.version
    row = {"shard": shard, "stream_id": A1, "version": version, "fold_hash": FOLD_HASH}
    with paid.engine.begin() as connection:
        connection.execute(insert(snapshots), [{**row, "state": encode(account).decode()}])
    assert checks(paid) == []
    account.balance_minor += 1
    with paid.engine.begin() as connection:
        connection.execute(update(snapshots).values(state=encode(account).decode()))
    message = f"the snapshot of version {version} is not what the events fold to"
    assert checks(paid) == [("snapshot", message)]
    with paid.engine.begin() as connection:
        connection.execute(update(snapshots).values(version=version + 7))
    message = f"there is a snapshot of version {version + 7}, and no event"
    assert checks(paid) == [("snapshot", message)]


def test_a_claim_whose_fingerprint_was_changed_is_found(paid: Desk) -> None:
    paid.recharge("A1", 5_00, "T-now")
    paid.recharge("A1", 5_00, "T-then", paid_at="2026-01-05T12:00:00.123456+08:00")
    assert checks(paid) == []
    with paid.engine.begin() as connection:
        prints = select(claims.c.fingerprint).where(claims.c.kind == "payment")
        assert len(set(connection.scalars(prints))) == 3
        then = claims.c.key == "cash/T-then"
        connection.execute(update(claims).where(then).values(fingerprint="0" * 64))
    message = "payment cash/T-then: its fingerprint is not that of the payment that was booked"
    assert checks(paid) == [("claim", message)]
