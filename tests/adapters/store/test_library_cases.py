"""The cases by which `eventsourcing` judges a persistence module, against ours on both stores."""

import unittest
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from eventsourcing.persistence import InfrastructureFactory, Tracking
from eventsourcing.tests import application as application_cases
from eventsourcing.tests import persistence as cases
from eventsourcing.tests import projection as projection_cases
from eventsourcing.utils import Environment
from sqlalchemy import Column, Integer, MetaData, Table, Text, func, insert, select

from adapters.store.application_tables import create_tables
from adapters.store.factory import SqlFactory
from adapters.store.process_recorders import SqlProcessRecorder, SqlTrackingRecorder
from adapters.store.recorders import SqlAggregateRecorder, SqlApplicationRecorder

EVENT_COUNTS = Table(
    "event_counts",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
)


class Judged(unittest.TestCase):
    """A case of the library; `judge` below runs it, because pytest cannot give it a store."""

    __test__ = False
    url: ClassVar[str]

    def build(self) -> SqlFactory:
        keys = {"PERSISTENCE_MODULE": "adapters.store", "LEDGER_DATABASE_URL": self.url}
        factory = InfrastructureFactory[Any].construct(Environment("Judged", keys))
        assert isinstance(factory, SqlFactory)
        self.addCleanup(factory.close)
        return factory


class Aggregates(Judged, cases.AggregateRecorderTestCase):
    def create_recorder(self) -> SqlAggregateRecorder:
        return self.build().aggregate_recorder()


class Snapshots(Judged, cases.AggregateRecorderTestCase):
    def create_recorder(self) -> SqlAggregateRecorder:
        return self.build().aggregate_recorder("snapshots")


class Applications(Judged, cases.ApplicationRecorderTestCase[SqlApplicationRecorder]):
    def create_recorder(self) -> SqlApplicationRecorder:
        return self.build().application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class Commits(Judged, cases.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> SqlApplicationRecorder:
        return self.build().application_recorder()


class Trackings(Judged, cases.TrackingRecorderTestCase):
    def create_recorder(self) -> SqlTrackingRecorder:
        return self.build().tracking_recorder()


class Processes(Judged, cases.ProcessRecorderTestCase):
    def create_recorder(self) -> SqlProcessRecorder:
        return self.build().process_recorder()


class OtherTracking(SqlTrackingRecorder):
    """A class of somebody else, chosen by its topic."""


class Factories(Judged, cases.InfrastructureFactoryTestCase[SqlFactory]):
    def setUp(self) -> None:
        keys = {"PERSISTENCE_MODULE": "adapters.store", "LEDGER_DATABASE_URL": self.url}
        self.env = Environment("Judged", keys)
        super().setUp()

    def expected_factory_class(self) -> type[SqlFactory]:
        return SqlFactory

    def expected_aggregate_recorder_class(self) -> type[SqlAggregateRecorder]:
        return SqlAggregateRecorder

    def expected_application_recorder_class(self) -> type[SqlApplicationRecorder]:
        return SqlApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[SqlTrackingRecorder]:
        return SqlTrackingRecorder

    def tracking_recorder_subclass(self) -> type[SqlTrackingRecorder]:
        return OtherTracking

    def expected_process_recorder_class(self) -> type[SqlProcessRecorder]:
        return SqlProcessRecorder


class EventCounts(SqlTrackingRecorder, projection_cases.EventCountersView):
    """A view as a user writes one: its rows and its position in one commit."""

    def create_table(self) -> None:
        create_tables(self.engine, [self.tracking, EVENT_COUNTS])

    def get_created_event_counter(self) -> int:
        return self._count("created")

    def get_subsequent_event_counter(self) -> int:
        return self._count("subsequent")

    def incr_created_event_counter(self, tracking: Tracking) -> None:
        self._add("created", tracking)

    def incr_subsequent_event_counter(self, tracking: Tracking) -> None:
        self._add("subsequent", tracking)

    def _add(self, kind: str, tracking: Tracking) -> None:
        with self.tracked(tracking) as connection:
            connection.execute(insert(EVENT_COUNTS).values(kind=kind))

    def _count(self, kind: str) -> int:
        with self.engine.execution_options(read_only=True).connect() as connection:
            counted = select(func.count()).where(EVENT_COUNTS.c.kind == kind)
            return connection.scalar(counted) or 0


class Views(Judged, projection_cases.EventCountersViewTestCase):
    def construct_event_counters_view(self) -> EventCounts:
        return self.build().tracking_recorder(EventCounts)


class Projections(Judged, projection_cases.AggregateEventCountersProjectionTestCase):
    view_class = EventCounts


class EventSourcedProjections(Judged, projection_cases.EventSourcedProjectionTestCase):
    pass


class Examples(Judged, application_cases.ExampleApplicationTestCase):
    expected_factory_topic = "adapters.store.factory:SqlFactory"


def every_case() -> Iterator[tuple[type[Judged], str]]:
    for case in Judged.__subclasses__():
        for name in unittest.defaultTestLoader.getTestCaseNames(case):
            yield case, name


@pytest.mark.parametrize(
    ("case", "name"), list(every_case()), ids=lambda value: getattr(value, "__name__", value)
)
def test_the_judgement_of_the_library(
    case: type[Judged], name: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Cases that build whole applications find the store in the process's environment.
    monkeypatch.setenv("PERSISTENCE_MODULE", "adapters.store")
    monkeypatch.setenv("LEDGER_DATABASE_URL", database_url)
    monkeypatch.setattr(case, "url", database_url, raising=False)
    case(name).debug()  # runs set-up, case and clean-up, and lets errors through
