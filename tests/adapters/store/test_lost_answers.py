"""The connection breaks while COMMIT is under way: did the commit take place?"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from eventsourcing.persistence import OperationalError, Tracking
from sqlalchemy import Connection, text

from adapters.store import transactions
from adapters.store.factory import SqlFactory
from adapters.store.process_recorders import SqlTrackingRecorder
from adapters.store.transactions import OutcomeUnknownError
from tests.harness.chaos_proxy import ChaosProxy
from tests.harness.postgres import Postgres
from tests.harness.stored_events import a_stream, everything

pytestmark = pytest.mark.postgres
UPSTREAM = "Upstream"
SLOW_COMMIT = (
    """CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$""",
    """CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION be_slow()""",
)


@dataclass
class Line:
    """One application seen from two sides: through a faulty network, and directly."""

    proxy: ChaosProxy
    far: SqlFactory
    near: SqlFactory

    def lose_the_answer_to_commit(self) -> None:
        self.proxy.faults.lose_answer_to = b"COMMIT"

    def lose_commit(self, _: Connection) -> None:
        """From now on nothing reaches the server, and shortly the connection is gone."""
        self.proxy.faults.drop_up = True
        threading.Timer(0.2, self._break).start()

    def _break(self) -> None:
        self.proxy.heal()
        self.proxy.cut()


@pytest.fixture
def line(postgres: Postgres, postgres_url: str) -> Iterator[Line]:
    with ChaosProxy(postgres.port) as proxy:
        far = SqlFactory({"LEDGER_DATABASE_URL": proxy.route(postgres_url)})
        near = SqlFactory({"LEDGER_DATABASE_URL": postgres_url})
        near.process_recorder()
        yield Line(proxy, far, near)
        far.close()
        near.close()


def test_events_whose_answer_was_lost_are_acknowledged_once(line: Line) -> None:
    far, near = line.far.application_recorder(), line.near.application_recorder()
    acknowledged: list[int] = []
    for attempt in range(20):
        line.lose_the_answer_to_commit()
        acknowledged += far.insert_events(a_stream(1 + attempt % 3)) or ()
        acknowledged += near.insert_events(a_stream(1)) or ()
    assert acknowledged == [stored.id for stored in everything(near)]
    assert acknowledged == list(range(1, len(acknowledged) + 1))


def test_tracking_whose_answer_was_lost_is_acknowledged_once(line: Line) -> None:
    process = line.far.process_recorder()
    view: SqlTrackingRecorder = line.far.tracking_recorder()
    line.lose_the_answer_to_commit()
    assert process.insert_events(a_stream(2), tracking=Tracking(UPSTREAM, 1)) == [1, 2]
    line.lose_the_answer_to_commit()
    process.insert_events([], tracking=Tracking(UPSTREAM, 2))
    line.lose_the_answer_to_commit()
    view.insert_tracking(Tracking(UPSTREAM, 3))
    assert line.near.process_recorder().max_tracking_id(UPSTREAM) == 3
    assert line.near.process_recorder().max_notification_id() == 2


def test_a_snapshot_whose_answer_was_lost_is_stored_once(line: Line) -> None:
    (snapshot,) = a_stream(1)
    far = line.far.aggregate_recorder("snapshots")
    line.lose_the_answer_to_commit()
    far.insert_events([snapshot])
    near = line.near.aggregate_recorder("snapshots")
    assert near.select_events(snapshot.originator_id) == [snapshot]


def test_a_commit_that_never_arrived_is_an_error_and_left_nothing(line: Line) -> None:
    far, near = line.far.application_recorder(), line.near.application_recorder()
    with pytest.raises(OperationalError) as caught:
        far._record(a_stream(3), line.lose_commit)
    assert not isinstance(caught.value, OutcomeUnknownError)
    assert near.max_notification_id() is None
    assert near.insert_events(a_stream(1)) == [1]


def test_tracking_that_never_arrived_is_an_error_and_left_nothing(line: Line) -> None:
    view: SqlTrackingRecorder = line.far.tracking_recorder()
    view.insert_tracking(Tracking(UPSTREAM, 4))
    with pytest.raises(OperationalError), view.tracked(Tracking(UPSTREAM, 5)) as connection:
        line.lose_commit(connection)
    assert line.near.tracking_recorder().max_tracking_id(UPSTREAM) == 4
    view.insert_tracking(Tracking(UPSTREAM, 5))


def test_the_same_events_of_somebody_else_are_not_taken_for_ours(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    far, near = line.far.application_recorder(), line.near.application_recorder()
    disputed = a_stream(2)
    monkeypatch.setattr(
        "adapters.store.transactions.time.sleep", lambda _: near.insert_events(disputed)
    )
    with pytest.raises(OperationalError):
        far._record(disputed, line.lose_commit)
    assert [stored.id for stored in everything(near)] == [1, 2]


@pytest.mark.parametrize("table", ["stored_events", "notification_tracking"])
def test_a_lost_transaction_that_is_still_at_work_is_waited_for(line: Line, table: str) -> None:
    with line.near.engine.begin() as connection:  # a COMMIT that outlives its connection
        for statement in SLOW_COMMIT:
            connection.execute(text(statement.format(table=table)))
    recorder = line.far.process_recorder()
    threading.Timer(0.3, line.proxy.cut).start()
    if table == "stored_events":
        assert recorder.insert_events(a_stream(1)) == [1]
    else:
        recorder.insert_tracking(Tracking(UPSTREAM, 1))
    near = line.near.process_recorder()
    assert [near.max_notification_id(), near.max_tracking_id(UPSTREAM)].count(1) == 1


def test_nobody_to_ask_is_said_and_not_guessed(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "SETTLING_PAUSES_S", (0.0, 0.01))
    far = line.far.application_recorder()

    def vanish(_: Connection) -> None:
        line.lose_the_answer_to_commit()
        line.proxy.faults.refuse = True

    with pytest.raises(OutcomeUnknownError):
        far._record(a_stream(1), vanish)
    assert line.near.application_recorder().max_notification_id() == 1


def test_a_connection_lost_before_commit_recorded_nothing(line: Line) -> None:
    far, near = line.far.application_recorder(), line.near.application_recorder()

    def break_now(connection: Connection) -> None:
        line.proxy.cut()
        connection.execute(text("SELECT 1"))

    with pytest.raises(OperationalError):
        far._record(a_stream(3), break_now)
    assert near.insert_events(a_stream(1)) == [1]
