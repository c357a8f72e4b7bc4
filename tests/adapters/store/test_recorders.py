import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    StoredEvent,
    Tracking,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from adapters.store.factory import SqlFactory
from tests.adapters.store.conftest import Build
from tests.harness.meanwhile import IsOver, going_on
from tests.harness.stored_events import a_stream, everything

SECONDS_MAX = 20


class InterruptedWorkError(Exception):
    """Stands for any failure of the work beside the events."""


def fail(_: Connection) -> None:
    raise InterruptedWorkError


def test_a_rollback_gives_its_positions_back(build: Build) -> None:
    recorder = build().application_recorder()
    first = a_stream(3)
    assert recorder.insert_events(first) == [1, 2, 3]
    with pytest.raises(IntegrityError):
        recorder.insert_events([*a_stream(5), first[0]])
    with pytest.raises(InterruptedWorkError):
        recorder._record(a_stream(4), fail)
    assert recorder.insert_events(a_stream(2)) == [4, 5]
    assert [stored.id for stored in everything(recorder)] == [1, 2, 3, 4, 5]


def test_positions_are_gapless_whoever_writes_and_whatever_fails(build: Build) -> None:
    build().application_recorder()
    disputed = uuid4()

    def write(writer: int) -> list[int]:
        recorder = build().application_recorder()
        acknowledged: list[int] = []
        for attempt in range(15):
            if attempt % 3 == 0:
                with pytest.raises(InterruptedWorkError):
                    recorder._record(a_stream(7), fail)
            length = 1 + (writer + attempt) % 5
            try:
                acknowledged += (
                    recorder.insert_events(
                        [*a_stream(length), StoredEvent(disputed, attempt, f"by.{writer}", b"")]
                    )
                    or ()
                )
            except IntegrityError:
                acknowledged += recorder.insert_events(a_stream(length)) or ()
        return acknowledged

    with ThreadPoolExecutor(6) as pool:
        acknowledged = [position for own in pool.map(write, range(6)) for position in own]
    recorder = build().application_recorder()
    found = [stored.id for stored in everything(recorder)]
    assert sorted(acknowledged) == found == list(range(1, len(found) + 1))
    assert len(recorder.select_events(disputed)) == 15


def test_a_tailing_reader_misses_nothing_and_sees_nothing_twice(build: Build) -> None:
    build().application_recorder()

    def write(_: int) -> None:
        recorder = build().application_recorder()
        for length in (1, 40, 2, 13, 1, 5) * 4:
            recorder.insert_events(a_stream(length))

    def tail(is_over: IsOver) -> list[int]:
        recorder = build().application_recorder()
        seen = [0]
        while not is_over() or recorder.max_notification_id() != seen[-1]:
            page = recorder.select_notifications(seen[-1], 7, inclusive_of_start=False)
            seen += [stored.id for stored in page]
        return seen[1:]

    with going_on(tail, tail) as tails, ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    for seen in tails:
        assert seen.result() == list(range(1, 4 * 4 * 62 + 1))


def test_a_slow_commit_is_never_overtaken(build: Build) -> None:
    """The race that makes readers skip events: a later position visible before an earlier one."""
    recorder = build().application_recorder()
    holding, release = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        holding.set()
        assert release.wait(SECONDS_MAX)

    def write_slowly() -> None:
        assert list(recorder._record(a_stream(2), hold)) == [1, 2]

    def write_quickly() -> None:
        assert build().application_recorder().insert_events(a_stream(2)) == [3, 4]

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(write_slowly)
        assert holding.wait(SECONDS_MAX)
        quick = pool.submit(write_quickly)
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            assert recorder.max_notification_id() is None
            assert not quick.done()
        release.set()
        slow.result(SECONDS_MAX)
        quick.result(SECONDS_MAX)
    assert [stored.id for stored in everything(recorder)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "state", [b"", bytes(range(256)), b"\x00" * 3, b'%s :x "quoted" \\', b"\xff" * 1_000_000]
)
def test_any_bytes_come_back_as_they_went(build: Build, state: bytes) -> None:
    recorder = build().application_recorder()
    stored = StoredEvent(uuid4(), 1, "any.bytes.v1", state)
    recorder.insert_events([stored])
    assert recorder.select_events(stored.originator_id) == [stored]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    topic=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=99),
    state=st.binary(max_size=300),
    version=st.integers(-(2**63), 2**63 - 1),
)
def test_any_topic_state_and_version_come_back(
    build: Build, topic: str, state: bytes, version: int
) -> None:
    recorder = build().application_recorder()
    stored = StoredEvent(uuid4(), version, topic, state)
    (position,) = recorder.insert_events([stored]) or ()
    assert recorder.select_events(stored.originator_id) == [stored]
    (notified,) = recorder.select_notifications(position, 1, topics=[topic])
    assert (notified.topic, notified.state, notified.id) == (topic, state, position)


@pytest.mark.parametrize(
    "id", ["meter-1", "", "电表/7", 'o\'hara "%s" \\', str(UUID(int=1)), "x" * 999]
)
def test_ids_may_be_text(build: Build, id: str) -> None:
    factory = build(ORIGINATOR_ID_TYPE="text")
    events = a_stream(2, id)
    assert factory.application_recorder().insert_events(events) == [1, 2]
    assert factory.application_recorder().select_events(id) == events
    assert {stored.originator_id for stored in everything(factory.application_recorder())} == {id}


def test_a_uuid_among_ids_of_text_is_kept_as_text(build: Build) -> None:
    recorder = build(ORIGINATOR_ID_TYPE="text").application_recorder()
    (stored,) = a_stream(1, id := uuid4())
    recorder.insert_events([stored])
    assert recorder.select_events(id) == [replace(stored, originator_id=str(id))]


@pytest.mark.parametrize(
    "unfit",
    [
        StoredEvent("not a UUID", 1, "topic", b""),
        StoredEvent(uuid4(), 2**63, "topic", b""),
        StoredEvent(uuid4(), 1, "lone \ud800 surrogate", b""),
    ],
    ids=["str as UUID", "version", "topic"],
)
def test_a_value_that_does_not_fit_is_refused_as_such(build: Build, unfit: StoredEvent) -> None:
    recorder = build().application_recorder()
    with pytest.raises(DataError):
        recorder.insert_events([*a_stream(2), unfit])
    assert recorder.insert_events(a_stream(1)) == [1]


def test_events_are_never_changed_deleted_replaced_or_truncated(build: Build) -> None:
    factory = build()
    recorder = factory.application_recorder()
    recorder.insert_events(a_stream(2))
    before = list(everything(recorder))
    statements = ["UPDATE meters_events SET topic = 'x'", "DELETE FROM meters_events"]
    if factory.engine.dialect.name == "sqlite":
        statements += ["REPLACE INTO meters_events SELECT * FROM meters_events"]
    else:
        statements += ["TRUNCATE meters_events"]
    for statement in statements:
        with pytest.raises(Exception, match="refused"), factory.engine.begin() as connection:
            connection.execute(text(statement))
    assert list(everything(recorder)) == before


def test_snapshots_are_a_cache_and_may_be_deleted(build: Build) -> None:
    factory = build()
    snapshots = factory.aggregate_recorder("snapshots")
    (snapshot,) = a_stream(1)
    snapshots.insert_events([snapshot])
    with factory.engine.begin() as connection:
        connection.execute(text("DELETE FROM meters_snapshots"))
    assert not snapshots.select_events(snapshot.originator_id)
    snapshots.insert_events([snapshot])
    assert snapshots.select_events(snapshot.originator_id) == [snapshot]


def test_a_recorder_of_aggregates_and_one_of_the_application_share_the_events(build: Build) -> None:
    factory = build()
    (stored,) = a_stream(1)
    assert factory.aggregate_recorder().insert_events([stored]) is None
    assert factory.application_recorder().select_events(stored.originator_id) == [stored]
    assert factory.application_recorder().insert_events(a_stream(1)) == [2]


def test_events_and_tracking_stand_or_fall_together(build: Build) -> None:
    recorder = build().process_recorder()
    recorder.insert_events(a_stream(1), tracking=Tracking("Upstream", 7))
    with pytest.raises(IntegrityError, match="already processed"):
        recorder.insert_events(a_stream(1), tracking=Tracking("Upstream", 7))
    (taken,) = everything(recorder)
    with pytest.raises(IntegrityError):
        recorder.insert_events(
            [StoredEvent(taken.originator_id, taken.originator_version, "topic", b"")],
            tracking=Tracking("Upstream", 8),
        )
    assert recorder.max_notification_id() == 1
    assert recorder.max_tracking_id("Upstream") == 7


def test_one_of_many_who_process_the_same_event_records_it(build: Build) -> None:
    build().process_recorder()

    def process(_: int) -> bool:
        try:
            build().process_recorder().insert_events(a_stream(2), tracking=Tracking("Upstream", 1))
        except IntegrityError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(process, range(6))) == 1
    assert build().process_recorder().max_notification_id() == 2


def test_a_missing_table_and_a_lost_head_are_named(build: Build) -> None:
    factory = build(CREATE_TABLE="no")
    recorder = factory.application_recorder()
    with pytest.raises(DatabaseError, match="meters_events_head"):
        recorder.insert_events(a_stream(1))
    recorder.create_table()
    with factory.engine.begin() as connection:
        connection.execute(text("DELETE FROM meters_events_head"))
    with pytest.raises(ProgrammingError, match="meters_events_head has lost its only row"):
        recorder.insert_events(a_stream(1))


def test_a_head_made_anew_goes_on_from_the_last_event(build: Build) -> None:
    factory = build()
    recorder = factory.application_recorder()
    recorder.insert_events(a_stream(3))
    with factory.engine.begin() as connection:
        connection.execute(text("DROP TABLE meters_events_head"))
    assert factory.application_recorder().insert_events(a_stream(1)) == [4]


def test_a_full_disk_refuses_the_write_and_leaves_no_gap(sqlite_url: str) -> None:
    with closing(SqlFactory({"LEDGER_DATABASE_URL": sqlite_url})) as factory:
        recorder = factory.application_recorder()
        disk_pages = [20]

        @event.listens_for(factory.engine, "checkout")
        def limit(connection: DBAPIConnection, *_: object) -> None:
            connection.cursor().execute(f"PRAGMA max_page_count = {disk_pages[0]}")

        with pytest.raises(OperationalError, match="full"):
            recorder.insert_events(a_stream(10_000))
        disk_pages[0] = 100_000
        assert recorder.insert_events(a_stream(2)) == [1, 2]
