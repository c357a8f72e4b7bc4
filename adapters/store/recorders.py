"""Records the events of aggregates and applications, for SQLite and PostgreSQL alike."""

from collections.abc import Callable, Sequence
from threading import Event
from typing import Any
from uuid import UUID, uuid4  # noqa: TID251 - the store is where randomness is drawn

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    Notification,
    ProgrammingError,
    StoredEvent,
    Subscription,
)
from sqlalchemy import Connection, Engine, Table, func, insert, select, update

from adapters.store.application_tables import create_tables
from adapters.store.selections import of_positions, of_versions
from adapters.store.subscription import FollowedRecorder, PollingSubscription
from adapters.store.transactions import reading, refusing_unfit_values, writing


class SqlAggregateRecorder(AggregateRecorder):
    """The events of aggregates, or their snapshots, each in its place in its own sequence."""

    def __init__(
        self,
        engine: Engine,
        *,
        events: Table,
        head: Table,
        new_commit_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self.engine = engine
        self.events = events
        self.head = head
        self.new_commit_id = new_commit_id

    def create_table(self) -> None:
        create_tables(self.engine, [self.events, self.head])

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **_: Any,  # noqa: ANN401 - the seam of the library
    ) -> Sequence[int] | None:
        self._record(stored_events)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        columns = self.events.c
        version = columns.originator_version
        of_sequence = select(columns.originator_id, version, columns.topic, columns.state).where(
            columns.originator_id == originator_id
        )
        query = of_versions(of_sequence, version, gt=gt, lte=lte, desc=desc, limit=limit)
        with reading(self.engine) as connection:
            return [StoredEvent(*row) for row in connection.execute(query)]

    def _record(
        self,
        stored_events: Sequence[StoredEvent],
        beside: Callable[[Connection], None] | None = None,
    ) -> Sequence[int]:
        """Write the events, and what `beside` adds to them, in one commit."""
        commit_id = self.new_commit_id()
        positions: Sequence[int] = []

        def was_recorded(connection: Connection) -> bool:
            # The head's lock waits for a lost transaction that has not ended yet.
            connection.execute(select(self.head).with_for_update())
            columns = self.events.c
            found = select(columns.commit_id).where(columns.position == positions[-1])
            return connection.scalar(found) == commit_id

        if stored_events:
            with writing(self.engine, was_recorded) as connection:
                positions = self._append(connection, stored_events, commit_id)
                if beside:
                    beside(connection)
        return positions

    def _append(
        self, connection: Connection, stored_events: Sequence[StoredEvent], commit_id: UUID
    ) -> Sequence[int]:
        """Give out the next positions and write the events there; both stand or fall together."""
        size = len(stored_events)
        advance = update(self.head).values(position=self.head.c.position + size)
        last = connection.scalar(advance.returning(self.head.c.position))
        if last is None:
            raise ProgrammingError(f"The table {self.head.name} has lost its only row.")
        positions = range(last - size + 1, last + 1)
        rows = [
            {
                "position": position,
                "originator_id": stored.originator_id,
                "originator_version": stored.originator_version,
                "topic": stored.topic,
                "state": stored.state,
                "commit_id": commit_id,
            }
            for position, stored in zip(positions, stored_events, strict=True)
        ]
        with refusing_unfit_values():
            connection.execute(insert(self.events), rows)
        return list(positions)


class SqlApplicationRecorder(SqlAggregateRecorder, FollowedRecorder):
    """The events of an application in one sequence, gapless and in the order of their commits."""

    def __init__(
        self,
        engine: Engine,
        *,
        events: Table,
        head: Table,
        new_commit_id: Callable[[], UUID] = uuid4,
    ) -> None:
        super().__init__(engine, events=events, head=head, new_commit_id=new_commit_id)
        self._listeners: set[Event] = set()

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **_: Any,  # noqa: ANN401 - the seam of the library
    ) -> Sequence[int] | None:
        return self._record(stored_events)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        columns = self.events.c
        of_all = select(
            columns.originator_id,
            columns.originator_version,
            columns.topic,
            columns.state,
            columns.position,
        )
        query = of_positions(
            of_all,
            columns.position,
            columns.topic,
            start=start,
            stop=stop,
            topics=topics,
            inclusive_of_start=inclusive_of_start,
            limit=limit,
        )
        with reading(self.engine) as connection:
            return [Notification(*row) for row in connection.execute(query)]

    def max_notification_id(self) -> int | None:
        with reading(self.engine) as connection:
            last: int | None = connection.scalar(select(func.max(self.events.c.position)))
            return last

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        return PollingSubscription(recorder=self, gt=gt, topics=topics)

    def wake_on_append(self, woken: Event) -> None:
        self._listeners.add(woken)

    def no_longer_wake(self, woken: Event) -> None:
        self._listeners.discard(woken)

    def _record(
        self,
        stored_events: Sequence[StoredEvent],
        beside: Callable[[Connection], None] | None = None,
    ) -> Sequence[int]:
        positions = super()._record(stored_events, beside)
        for woken in tuple(self._listeners):
            woken.set()
        return positions
