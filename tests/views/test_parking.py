"""An event that cannot be folded parks its own stream; everybody else goes on."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from adapters.store.engine import create_engine
from adapters.views import Views
from adapters.views.feed import Feed, StillPoisonedError
from ledger.events import registry
from ledger.events.account import AccountAdjusted, AccountOpened
from ledger.projections.accounts import Accounts
from ledger.projections.catalogue import feeds
from ledger.projections.statements import Statements
from ledger.values import shard_of, stream_id
from tests.harness.desk import Desk, Json, point
from tests.harness.reckoning import check_all
from tests.harness.tampering import smuggle

UNHEARD_OF = "account.promoted.v1"


def poison(desk: Desk, account_no: str, topic: str = UNHEARD_OF, payload: str = "{}") -> int:
    """Smuggle an event into an account's stream."""
    shard = shard_of(account_no, desk.terms.shards)
    return smuggle(desk, shard, stream_id("account", account_no), topic, payload)


def balances(desk: Desk) -> dict[str, int]:
    return {body["account_no"]: body["balance_minor"] for body in desk.views.accounts()}


def small_batches(desk: Desk, size: int) -> None:
    desk.views.feeds = {
        spec.name: Feed(desk.engine, spec._replace(batch_max=size))
        for spec in feeds("Asia/Shanghai")
    }


@pytest.fixture
def two(desk: Desk) -> Desk:
    """Two accounts of one shard with money, and feeds that take a few events at once."""
    small_batches(desk, 4)
    for account_no in ("A0", "A3"):
        desk.open(account_no, point(f"M-{account_no}"))
        desk.recharge(account_no, 50_00)
    assert {shard_of(account_no, 3) for account_no in ("A0", "A3", "A7")} == {1}
    return desk


@pytest.fixture
def know(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let a later release know the topic: as a correction, whatever it says."""

    def know() -> None:
        def as_adjusted(payload: bytes) -> AccountAdjusted:
            amount: int = msgspec.json.decode(payload)["amount_minor"]
            return AccountAdjusted("A0", "paid", "CNY", amount, "promoted", 50_00 + amount, 0)

        monkeypatch.setitem(registry._decoders, UNHEARD_OF, as_adjusted)

    return know


def test_an_unknown_topic_parks_its_stream_and_no_other(two: Desk) -> None:
    desk = two
    position = poison(desk, "A0")
    desk.views.catch_up()
    desk.recharge("A3", 7_00)
    desk.views.catch_up()
    assert balances(desk) == {"A0": 50_00, "A3": 57_00}
    assert desk.views.lag() == {"front": 0, "detail": 0}
    parked = desk.views.parked()
    assert {(item["feed"], item["position"]) for item in parked} == {
        ("front", position),
        ("detail", position),
    }
    assert {item["stream_id"] for item in parked} == {stream_id("account", "A0")}
    assert all(UNHEARD_OF in item["reason"] for item in parked)


def test_a_parked_stream_is_passed_over_until_it_is_unparked(
    two: Desk, know: Callable[[], None]
) -> None:
    desk = two
    poison(desk, "A0", payload='{"amount_minor":300}')
    for amount in (1_00, 2_00):
        _credit(desk, "A0", amount)
        desk.views.catch_up()
    assert balances(desk)["A0"] == 50_00
    with pytest.raises(StillPoisonedError, match=UNHEARD_OF):
        desk.views.unpark("A0")
    assert balances(desk)["A0"] == 50_00
    know()
    assert desk.views.unpark("A0") == 2 * 3
    assert desk.views.parked() == []
    assert balances(desk) == {"A0": 56_00, "A3": 50_00}
    assert desk.views.differences() == []
    assert desk.views.unpark("A0") == 0


def _credit(desk: Desk, account_no: str, amount_minor: int) -> None:
    """Money for a stream that this release can no longer fold, as a newer one would book it."""
    before = 53_00 if amount_minor == 1_00 else 54_00
    payload = {
        "account_no": account_no, "wallet": "paid", "currency": "CNY",
        "amount_minor": amount_minor, "reason": "goodwill",
        "balance_after_minor": before + amount_minor, "granted_after_minor": 0,
    }  # fmt: skip
    encoded = msgspec.json.encode(payload).decode()
    poison(desk, account_no, AccountAdjusted.TOPIC, encoded)


def test_a_rebuild_passes_over_what_is_parked(two: Desk) -> None:
    desk = two
    poison(desk, "A0")
    _credit(desk, "A0", 1_00)
    desk.views.catch_up()
    for name in desk.views.names():
        rebuilt = desk.views.rebuild(name)
        assert (rebuilt.differences, rebuilt.swapped) == ([], True)
    assert balances(desk) == {"A0": 50_00, "A3": 50_00}


def test_a_payload_that_is_no_event_parks_its_stream(two: Desk) -> None:
    desk = two
    poison(desk, "A0", AccountAdjusted.TOPIC, '{"amount_minor":"much"}')
    desk.views.catch_up()
    assert len(desk.views.parked()) == 2
    assert balances(desk) == {"A0": 50_00, "A3": 50_00}


def test_a_view_that_breaks_parks_the_stream_in_its_own_feed_only(
    two: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, sound = two, Statements.rows

    def broken(self: Statements, batch: Any) -> Any:  # noqa: ANN401 - as the view has it
        assert not any(getattr(item.event, "amount_minor", 0) == 13 for item in batch)
        return sound(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Statements, "rows", broken)
        desk.adjust("A0", 13)
        desk.adjust("A0", 1)
        desk.adjust("A3", 7)
        desk.views.catch_up()
        (parked,) = desk.views.parked()
        assert (parked["feed"], parked["reason"][:14]) == ("detail", "AssertionError")
        assert balances(desk) == {"A0": 50_14, "A3": 50_07}
        with pytest.raises(StillPoisonedError):
            desk.views.unpark("A0")
    assert desk.views.unpark("A0") == 2
    check_all(desk)
    assert desk.views.differences() == []


@pytest.mark.parametrize("payload", [{"site": "a\0b"}, {"group": "\0"}])
def test_what_no_table_takes_parks_its_stream(two: Desk, payload: Json) -> None:
    desk = two
    opened = {
        "account_no": "A7", "currency": "CNY", "timezone": "Asia/Shanghai", "site": "",
        "group": "", "attributes": {}, "personal": {}, **payload,
    }  # fmt: skip
    poison(desk, "A7", AccountOpened.TOPIC, msgspec.json.encode(opened).decode())
    desk.recharge("A0", 7_00)
    desk.views.catch_up()
    parked = [(item["feed"], item["stream_id"]) for item in desk.views.parked()]
    assert desk.views.lag() == {"front": 0, "detail": 0}
    if desk.engine.dialect.name == "sqlite":  # It takes every text.
        assert (parked, balances(desk)) == ([], {"A0": 57_00, "A3": 50_00, "A7": 0})
        return
    assert parked == [("front", stream_id("account", "A7"))]
    assert balances(desk) == {"A0": 57_00, "A3": 50_00}
    with pytest.raises(StillPoisonedError):
        desk.views.unpark("A7")


def test_a_number_that_no_table_takes_parks_its_stream(two: Desk) -> None:
    desk = two
    adjusted = {
        "account_no": "A0", "wallet": "paid", "currency": "CNY", "amount_minor": 1,
        "reason": "goodwill", "balance_after_minor": 2**63, "granted_after_minor": 0,
    }  # fmt: skip
    poison(desk, "A0", AccountAdjusted.TOPIC, msgspec.json.encode(adjusted).decode())
    desk.recharge("A3", 7_00)
    desk.views.catch_up()
    assert {item["stream_id"] for item in desk.views.parked()} == {stream_id("account", "A0")}
    assert balances(desk) == {"A0": 50_00, "A3": 57_00}


def test_the_stream_of_a_meter_is_parked_and_unparked_by_its_name(two: Desk) -> None:
    desk = two
    meter = stream_id("meter", "M-A0")
    shard = shard_of("A0", 3)
    smuggle(desk, shard, meter, "meter.painted.v1", "{}")
    desk.views.catch_up()
    assert {item["stream_id"] for item in desk.views.parked()} == {meter}
    for name in ("meter/M-A0", meter, meter.upper()):
        with pytest.raises(StillPoisonedError):
            desk.views.unpark(name)
    for name in ("A0", "M-A0", "payment/M-A0", stream_id("meter", "M-A3")):
        assert desk.views.unpark(name) == 0
    desk.read("M-A0", "2026-01-02", 1_000)
    desk.views.catch_up()
    assert balances(desk)["A0"] == 49_50


def test_what_cannot_be_folded_anew_is_told_and_swaps_nothing(
    two: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = two
    desk.views.catch_up()

    def broken(_self: Accounts, batch: Any) -> Any:  # noqa: ANN401 - as the view has it
        if batch:
            raise ValueError(f"{len(batch)} events")
        return []

    monkeypatch.setattr(Accounts, "rows", broken)
    rebuilt = desk.views.rebuild("accounts", accept=True)
    assert not rebuilt.swapped
    assert {item.side for item in rebuilt.differences} == {"live", "log"}
    assert any("ValueError" in str(item.row.get("reason")) for item in rebuilt.differences)
    monkeypatch.undo()
    assert balances(desk) == {"A0": 50_00, "A3": 50_00}
    with desk.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM accounts")) == 2


def test_a_table_that_is_missing_stops_the_feed_and_parks_nobody(two: Desk) -> None:
    two.views.catch_up()
    with two.engine.begin() as connection:
        connection.execute(text("ALTER TABLE accounts RENAME TO gone"))
    two.recharge("A0", 1_00)
    with pytest.raises(DBAPIError, match="accounts"):
        two.views.catch_up()
    assert two.views.parked() == []
    with two.engine.begin() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO accounts"))
    two.views.catch_up()
    assert balances(two) == {"A0": 51_00, "A3": 50_00}


@pytest.mark.postgres
def test_a_right_that_is_missing_stops_the_feed_and_parks_nobody(
    on_both: tuple[Desk, Desk],
) -> None:
    _, desk = on_both
    desk.open("A0", point("M0"))
    role = f"clerk_{desk.engine.url.database}"
    with desk.engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(
            text(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}")
        )
        connection.execute(text(f"REVOKE UPDATE ON accounts FROM {role}"))
    served = create_engine(desk.engine.url.set(username=role).render_as_string())
    views = Views(served, desk.terms)
    desk.recharge("A0", 1_00)
    with pytest.raises(DBAPIError, match="permission denied"):
        views.catch_up()
    assert views.parked() == []
    served.dispose()
    with desk.engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))
