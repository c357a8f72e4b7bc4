import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eventsourcing.persistence import (
    InfrastructureFactory,
    InfrastructureFactoryError,
    OperationalError,
)
from eventsourcing.utils import Environment, get_topic
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect

import adapters.store
from adapters.store.application_tables import identifier
from adapters.store.factory import SqlFactory
from adapters.store.process_recorders import SqlProcessRecorder, SqlTrackingRecorder
from adapters.store.recorders import SqlApplicationRecorder
from tests.adapters.store.conftest import Build
from tests.harness.ledgers import WAIT_S
from tests.harness.ports import held_port
from tests.harness.stored_events import a_stream, everything


class OwnApplicationRecorder(SqlApplicationRecorder):
    """What a user chooses by topic."""


class OwnProcessRecorder(SqlProcessRecorder):
    """What a user chooses by topic."""


def test_the_module_holds_exactly_one_factory() -> None:
    held = [
        member
        for member in vars(adapters.store).values()
        if isinstance(member, type) and issubclass(member, InfrastructureFactory)
    ]
    assert held == [SqlFactory]


def test_each_application_has_its_own_tables(build: Build) -> None:
    meters, tariffs = build("Meters"), build("Tariffs")
    for factory in (meters, tariffs):
        factory.process_recorder()
        factory.aggregate_recorder("snapshots")
    assert set(inspect(meters.engine).get_table_names()) == {
        f"{name}_{table}"
        for name in ("meters", "tariffs")
        for table in ("events", "events_head", "snapshots", "snapshots_head", "tracking")
    }
    assert meters.application_recorder().insert_events(a_stream(2)) == [1, 2]
    assert tariffs.application_recorder().max_notification_id() is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Select",
        "Order-Book 2",
        "预付费",
        "x" * 300,
        "a\"b'c%sd:e;--",
        "7th",
        "_",
        "Bounded.Context",
        "lone \ud800",
    ],
)
def test_an_application_may_have_any_name(build: Build, name: str) -> None:
    factory = build(name)
    events = a_stream(2)
    assert factory.process_recorder().insert_events(events) == [1, 2]
    assert [stored.id for stored in everything(factory.application_recorder())] == [1, 2]
    snapshots = factory.aggregate_recorder("snapshots")
    snapshots.insert_events(events[1:])
    assert snapshots.select_events(events[0].originator_id) == events[1:]


def test_long_names_that_begin_alike_stay_apart(build: Build) -> None:
    one, other = (build("context_" * 10 + end).application_recorder() for end in ("a", "b"))
    one.insert_events(a_stream(1))
    assert other.max_notification_id() is None


@given(st.text(), st.text())
def test_names_are_plain_short_and_distinct(one: str, other: str) -> None:
    found = identifier(one)
    assert len(found) <= 40
    assert found.isascii()
    assert found.isidentifier()
    assert (found == identifier(other)) == (one.lower() == other.lower())


def test_many_may_make_the_tables_at_once(build: Build) -> None:
    together = threading.Barrier(6, timeout=WAIT_S)

    def start(_: int) -> None:
        factory = build()
        together.wait()
        factory.process_recorder().insert_events(a_stream(3))

    with ThreadPoolExecutor(together.parties) as pool:
        list(pool.map(start, range(together.parties)))
    found = [stored.id for stored in everything(build().application_recorder())]
    assert found == list(range(1, 19))


def test_tables_are_not_made_when_that_is_not_wanted(build: Build) -> None:
    factory = build(CREATE_TABLE="no")
    factory.process_recorder()
    assert not inspect(factory.engine).get_table_names()


def test_a_key_with_the_name_of_the_application_wins(build: Build, tmp_path: Path) -> None:
    factory = build("Meters", METERS_LEDGER_DATABASE_URL=f"sqlite:///{tmp_path}/own.db")
    factory.application_recorder().insert_events(a_stream(1))
    assert (tmp_path / "own.db").exists()


def test_recorder_classes_are_chosen_by_topic(build: Build) -> None:
    factory = build(
        APPLICATION_RECORDER_TOPIC=get_topic(OwnApplicationRecorder),
        PROCESS_RECORDER_TOPIC=get_topic(OwnProcessRecorder),
    )
    assert type(factory.application_recorder()) is OwnApplicationRecorder
    assert type(factory.process_recorder()) is OwnProcessRecorder


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({}, "LEDGER_DATABASE_URL does not name a database"),
        ({"ORIGINATOR_ID_TYPE": "int"}, "must be uuid or text, not int"),
        ({"APPLICATION_RECORDER_TOPIC": get_topic(SqlTrackingRecorder)}, "must name a Sql"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    sqlite_url: str, keys: dict[str, str], complaint: str
) -> None:
    given_keys = {"LEDGER_DATABASE_URL": sqlite_url, **keys} if keys else {}
    with pytest.raises(InfrastructureFactoryError, match=complaint):
        SqlFactory(Environment("Meters", given_keys)).application_recorder()


def test_a_database_that_is_away_is_an_operational_error() -> None:
    with held_port() as port:
        factory = SqlFactory({"LEDGER_DATABASE_URL": f"postgresql://nobody@127.0.0.1:{port}/x"})
        with pytest.raises(OperationalError, match="refused"):
            factory.application_recorder()
