"""Records how far other applications' events were processed, beside what came of it.

To keep a view of your own, subclass `SqlTrackingRecorder` and write its rows within `tracked`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID, uuid4  # noqa: TID251 - the store is where randomness is drawn

from eventsourcing.persistence import (
    IntegrityError,
    ProcessRecorder,
    StoredEvent,
    Tracking,
    TrackingRecorder,
)
from sqlalchemy import Connection, Engine, Select, Table, select, text
from sqlalchemy.dialects import postgresql, sqlite

from adapters.store.application_tables import create_tables
from adapters.store.recorders import SqlApplicationRecorder
from adapters.store.transactions import reading, writing


class SqlTrackingRecorder(TrackingRecorder):
    """How far the events of other applications have been processed; a position never goes back."""

    def __init__(self, engine: Engine, *, tracking: Table) -> None:
        self.engine = engine
        self.tracking = tracking

    def create_table(self) -> None:
        create_tables(self.engine, [self.tracking])

    def insert_tracking(self, tracking: Tracking) -> None:
        with self.tracked(tracking):
            pass

    @contextmanager
    def tracked(self, tracking: Tracking) -> Iterator[Connection]:
        """Write a view's rows in the commit that says which event they come from."""

        def was_recorded(connection: Connection) -> bool:
            # Waits for a lost transaction that has not ended: its row is invisible, its lock not.
            if connection.dialect.name == "postgresql":
                name = connection.dialect.identifier_preparer.format_table(self.tracking)
                connection.execute(text(f"LOCK TABLE {name} IN SHARE MODE"))
            reached = connection.scalar(self._position_of(tracking.application_name))
            return reached is not None and reached >= tracking.notification_id

        with writing(self.engine, was_recorded) as connection:
            self._insert_tracking(connection, tracking)
            yield connection

    def max_tracking_id(self, application_name: str) -> int | None:
        with reading(self.engine) as connection:
            return connection.scalar(self._position_of(application_name))

    def _position_of(self, application_name: str) -> Select[int]:
        columns = self.tracking.c
        return select(columns.notification_id).where(columns.application_name == application_name)

    def _insert_tracking(self, connection: Connection, tracking: Tracking) -> None:
        columns = self.tracking.c
        upsert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(
            self.tracking
        )
        moved = connection.scalar(
            upsert.values(
                application_name=tracking.application_name,
                notification_id=tracking.notification_id,
            )
            .on_conflict_do_update(
                index_elements=[columns.application_name],
                set_={"notification_id": upsert.excluded.notification_id},
                where=columns.notification_id < upsert.excluded.notification_id,
            )
            .returning(columns.notification_id)
        )
        if moved is None:
            raise IntegrityError(
                f"{tracking.application_name} was already processed"
                f" up to {tracking.notification_id} or further."
            )


class SqlProcessRecorder(SqlTrackingRecorder, SqlApplicationRecorder, ProcessRecorder):
    """Events recorded in one commit with the position of the event that caused them."""

    def __init__(
        self,
        engine: Engine,
        *,
        events: Table,
        head: Table,
        tracking: Table,
        new_commit_id: Callable[[], UUID] = uuid4,
    ) -> None:
        SqlApplicationRecorder.__init__(
            self, engine, events=events, head=head, new_commit_id=new_commit_id
        )
        self.tracking = tracking

    def create_table(self) -> None:
        create_tables(self.engine, [self.events, self.head, self.tracking])

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        tracking: Tracking | None = None,
        **_: Any,  # noqa: ANN401 - the seam of the library
    ) -> Sequence[int] | None:
        if tracking is None:
            return self._record(stored_events)
        if not stored_events:
            self.insert_tracking(tracking)
            return None
        return self._record(stored_events, partial(self._insert_tracking, tracking=tracking))
