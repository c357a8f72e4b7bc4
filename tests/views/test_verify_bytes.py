"""A single byte of a recorded event that was changed past the guards is found, wherever it is."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from sqlalchemy import select, text, update

from adapters.store.tables import events
from adapters.views.verify import verify_log
from ledger.audit.chain import Finding
from ledger.events.account import AccountCharged
from tests.harness.desk import Desk, point


def next_letter(value: str) -> str:
    return value[:-2] + chr(ord(value[-2]) ^ 1) + value[-1]


def other_bit(value: bytes) -> bytes:
    return bytes(value)[:-1] + bytes((bytes(value)[-1] ^ 1,))


CHANGES: Final[dict[str, Callable[[Any], Any]]] = {
    "stream_id": lambda value: f"{str(value)[:-1]}{'0' if str(value)[-1] != '0' else '1'}",
    "version": lambda value: value + 100,
    "topic": next_letter,
    "recorded_at": lambda value: value ^ 1,
    "valid_at": lambda value: value ^ 1,
    "command_id": next_letter,
    "metadata": lambda value: value.replace("clerk-1", "clerk-0"),
    "payload": lambda value: value.replace('"amount_minor":500', '"amount_minor":501'),
    "salt": other_bit,
    "leaf_hash": other_bit,
}


def found_in(desk: Desk) -> list[Finding]:
    return list(verify_log(desk.engine, lambda _done, _total: None))


@pytest.fixture
def unguarded(desk: Desk) -> Desk:
    """A log with a charge, of which the guards were taken away."""
    desk.open("A1", point("M1"))
    desk.recharge("A1", 100_00)
    desk.read("M1", "2026-01-02", 10_000)
    is_server = desk.engine.dialect.name == "postgresql"
    away = (
        "ALTER TABLE events DISABLE TRIGGER USER" if is_server else "DROP TRIGGER events_no_update"
    )
    with desk.engine.begin() as connection:
        connection.execute(text(away))
    assert found_in(desk) == []
    return desk


def test_a_changed_byte_of_any_column_is_found_with_its_place(unguarded: Desk) -> None:
    kept = {column.name for column in events.columns} - {"shard", "position"}
    assert set(CHANGES) == kept
    is_charge = events.c.topic == AccountCharged.TOPIC
    with unguarded.engine.begin() as connection:
        row = connection.execute(select(events).where(is_charge)).one()
    at = (events.c.shard == row.shard) & (events.c.position == row.position)
    for name, change in CHANGES.items():
        before = getattr(row, name)
        after = change(before)
        assert after != before, name
        with unguarded.engine.begin() as connection:
            connection.execute(update(events).where(at).values({name: after}))
        found = found_in(unguarded)
        places = {(each.shard, each.position) for each in found}
        assert (row.shard, row.position) in places, (name, found)
        with unguarded.engine.begin() as connection:
            connection.execute(update(events).where(at).values({name: before}))
    assert found_in(unguarded) == []
