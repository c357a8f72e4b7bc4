"""Stock applications, as a reader of the library's manual writes them, on both stores."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import (
    Aggregate,
    BaseAggregate,
    CanInitAggregate,
    CanMutateAggregate,
    event,
)
from eventsourcing.persistence import IntegrityError, Tracking
from eventsourcing.projection import ApplicationSubscription, Projection, ProjectionRunner
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from adapters.store.application_tables import create_tables
from adapters.store.process_recorders import SqlTrackingRecorder
from tests.harness.stored_events import everything

READINGS = Table(
    "readings", MetaData(), Column("id", Integer, primary_key=True), Column("wh", Integer)
)


class Meter(Aggregate):
    @event("Installed")
    def __init__(self, wh: int) -> None:
        self.wh = wh

    @event("Read")
    def read(self, wh: int) -> None:
        self.wh = wh


class Meters(Application[UUID]):
    snapshotting_intervals = {Meter: 5}  # noqa: RUF012 - the library's own way to set it

    def install(self) -> UUID:
        meter = Meter(wh=0)
        self.save(meter)
        return meter.id

    def read(self, id: UUID, wh: int) -> int:
        meter: Meter = self.repository.get(id)
        meter.read(wh)
        return self.save(meter)[-1].notification.id


@dataclass(frozen=True)
class SiteEvent(CanMutateAggregate[str]):
    originator_id: str
    originator_version: int
    timestamp: datetime


@dataclass(frozen=True)
class SiteOpened(SiteEvent, CanInitAggregate[str]):
    originator_topic: str
    name: str


class Site(BaseAggregate[str]):
    @staticmethod
    def create_id(name: str) -> str:
        return f"site/{name}"

    @event(SiteOpened)
    def __init__(self, name: str) -> None:
        self.name = name


class Readings(SqlTrackingRecorder):
    """Every reading, in the order in which it was recorded."""

    def create_table(self) -> None:
        create_tables(self.engine, [self.tracking, READINGS])

    def add(self, wh: int, tracking: Tracking) -> None:
        with self.tracked(tracking) as connection:
            connection.execute(insert(READINGS).values(wh=wh))

    def all(self) -> list[int]:
        with self.engine.execution_options(read_only=True).connect() as connection:
            return list(connection.scalars(select(READINGS.c.wh).order_by(READINGS.c.id)))


class ReadingsProjection(Projection[Readings]):
    name = "readings"

    @singledispatchmethod
    def process_event(self, _: Any, tracking: Tracking) -> None:  # noqa: ANN401 - the library's
        self.view.insert_tracking(tracking)

    @process_event.register
    def read(self, reading: Meter.Read, tracking: Tracking) -> None:  # type: ignore[name-defined]
        self.view.add(reading.wh, tracking)


@pytest.fixture
def env(database_url: str) -> dict[str, str]:
    return {"PERSISTENCE_MODULE": "adapters.store", "LEDGER_DATABASE_URL": database_url}


def test_aggregates_come_back_after_a_restart_at_every_version(env: dict[str, str]) -> None:
    with Meters(env) as meters:
        id_ = meters.install()
        for wh in range(1, 13):
            meters.read(id_, wh)
    with Meters(env) as meters:
        found: Meter = meters.repository.get(id_)
        assert (found.version, found.wh) == (13, 12)
        assert [meters.repository.get(id_, version=n).wh for n in (1, 5, 6, 11)] == [0, 4, 5, 10]
        assert meters.snapshots is not None
        assert [taken.originator_version for taken in meters.snapshots.get(id_)] == [5, 10]
        with pytest.raises(AggregateNotFoundError):
            meters.repository.get(uuid4())


def test_the_notification_log_is_paged_without_gaps(env: dict[str, str]) -> None:
    with Meters(env) as meters:
        for _ in range(25):
            meters.install()
        section = meters.notification_log["1,10"]
        ids = [item.id for item in section.items]
        while section.next_id:
            section = meters.notification_log[section.next_id]
            ids += [item.id for item in section.items]
    assert ids == list(range(1, 26))


def test_of_two_decisions_on_the_same_past_one_is_refused(env: dict[str, str]) -> None:
    with Meters(env) as meters, Meters(env) as others:
        id_ = meters.install()
        one: Meter = meters.repository.get(id_)
        other: Meter = others.repository.get(id_)
        one.read(1)
        other.read(2)
        meters.save(one)
        with pytest.raises(IntegrityError):
            others.save(other)
        assert others.repository.get(id_).wh == 1


def test_writers_of_many_aggregates_do_not_disturb_each_other(env: dict[str, str]) -> None:
    with Meters(env) as meters:

        def work(_: int) -> None:
            id_ = meters.install()
            for wh in range(1, 8):
                meters.read(id_, wh)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        items = list(everything(meters.recorder))
    assert [item.id for item in items] == list(range(1, 65))
    assert set(Counter(item.originator_id for item in items).values()) == {8}


def test_a_subscription_follows_the_application(env: dict[str, str]) -> None:
    with Meters(env) as meters:
        id_ = meters.install()
        with ApplicationSubscription(meters, gt=None) as subscription:
            meters.read(id_, 7)
            installed, installed_at = next(subscription)
            read, read_at = next(subscription)
    assert type(installed).__name__ == "Installed"
    assert read.originator_version == 2
    assert [installed_at, read_at] == [Tracking("Meters", 1), Tracking("Meters", 2)]


def test_a_projection_resumes_where_it_stopped(env: dict[str, str]) -> None:
    with Meters(env) as meters:
        id_ = meters.install()
        meters.read(id_, 1)
    for wh in (2, 3):
        with ProjectionRunner(
            application_class=Meters,
            projection_class=ReadingsProjection,
            view_class=Readings,
            env=env,
        ) as runner:
            runner.wait(runner.app.read(id_, wh), timeout=20)
            assert runner.projection.view.all() == list(range(1, wh + 1))


def test_ids_of_aggregates_may_be_text(env: dict[str, str]) -> None:
    with Application[str](env | {"ORIGINATOR_ID_TYPE": "text"}) as sites:
        sites.save(Site("north"))
        found: Site = sites.repository.get("site/north")
        assert found.name == "north"
