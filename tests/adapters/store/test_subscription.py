import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from eventsourcing.persistence import Notification, OperationalError

from adapters.store import subscription as subscriptions
from adapters.store.factory import SqlFactory
from adapters.store.recorders import SqlApplicationRecorder
from adapters.store.subscription import PollingSubscription
from tests.adapters.store.conftest import Build
from tests.harness.chaos_proxy import ChaosProxy
from tests.harness.postgres import Postgres
from tests.harness.stored_events import a_stream

SECONDS_MAX = 20


@pytest.fixture
def recorder(build: Build) -> SqlApplicationRecorder:
    return build().application_recorder()


def take(count: int, subscription: Iterator[Notification]) -> list[int]:
    return [next(subscription).id for _ in range(count)]


def test_events_written_before_and_after_arrive_in_order(recorder: SqlApplicationRecorder) -> None:
    recorder.insert_events(a_stream(3))
    with recorder.subscribe(gt=1) as subscription:
        assert take(2, subscription) == [2, 3]
        recorder.insert_events(a_stream(2))
        assert take(2, subscription) == [4, 5]


def test_more_events_than_one_page_arrive(
    recorder: SqlApplicationRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "BATCH_MAX", 4)
    recorder.insert_events(a_stream(11))
    with recorder.subscribe() as subscription:
        assert take(11, subscription) == list(range(1, 12))


def test_an_event_written_by_another_process_arrives_without_a_wake_up(
    recorder: SqlApplicationRecorder, build: Build
) -> None:
    with ThreadPoolExecutor(1) as pool, recorder.subscribe() as subscription:
        waiting = pool.submit(take, 1, subscription)
        time.sleep(0.05)
        build().application_recorder().insert_events(a_stream(1))
        assert waiting.result(SECONDS_MAX) == [1]


def test_an_event_written_by_this_process_wakes_its_readers(
    recorder: SqlApplicationRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "POLL_INTERVAL_S", 2.0 * SECONDS_MAX)
    with ThreadPoolExecutor(1) as pool, recorder.subscribe() as subscription:
        waiting = pool.submit(take, 1, subscription)
        time.sleep(0.2)
        recorder.insert_events(a_stream(1))
        assert waiting.result(SECONDS_MAX) == [1]


def test_stop_ends_a_waiting_iteration_and_leaves_nothing_behind(
    recorder: SqlApplicationRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "POLL_INTERVAL_S", 2.0 * SECONDS_MAX)
    threads = threading.active_count()
    with ThreadPoolExecutor(1) as pool:
        subscription = recorder.subscribe()
        waiting = pool.submit(list, subscription)
        time.sleep(0.2)
        subscription.stop()
        assert waiting.result(SECONDS_MAX) == []
    assert threading.active_count() <= threads  # One of an earlier test may have ended meanwhile.
    assert not recorder._listeners


def test_events_of_other_topics_are_passed_once_and_for_all(
    recorder: SqlApplicationRecorder,
) -> None:
    recorder.insert_events(a_stream(9))
    subscription = PollingSubscription(recorder, topics=["other.v1"])
    subscription._pull()
    assert subscription._position == 9
    subscription.stop()


@pytest.mark.postgres
def test_a_subscription_outlives_an_outage(postgres: Postgres, postgres_url: str) -> None:
    writer = SqlFactory({"LEDGER_DATABASE_URL": postgres_url})
    with ChaosProxy(postgres.port) as proxy, ThreadPoolExecutor(1) as pool:
        reader = SqlFactory({"LEDGER_DATABASE_URL": proxy.route(postgres_url)})
        with reader.application_recorder().subscribe() as subscription:
            waiting = pool.submit(take, 2, subscription)
            writer.application_recorder().insert_events(a_stream(1))
            time.sleep(0.2)
            proxy.faults.refuse = True
            proxy.cut()
            time.sleep(0.5)
            writer.application_recorder().insert_events(a_stream(1))
            assert not waiting.done()
            proxy.heal()
            assert waiting.result(SECONDS_MAX) == [1, 2]
        reader.close()
    writer.close()


@pytest.mark.postgres
def test_an_outage_without_end_is_raised_at_last(
    postgres: Postgres, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "FAILURES_MAX", 2)
    monkeypatch.setattr(subscriptions, "FAILURE_PAUSE_MAX_S", 0.01)
    with ChaosProxy(postgres.port) as proxy:
        reader = SqlFactory({"LEDGER_DATABASE_URL": proxy.route(postgres_url)})
        with reader.application_recorder().subscribe() as subscription:
            proxy.faults.refuse = True
            proxy.cut()
            with pytest.raises(OperationalError):
                next(subscription)
        reader.close()
