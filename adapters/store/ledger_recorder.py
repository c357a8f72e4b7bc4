"""The log's table behind the `eventsourcing` library's recorder interface, one shard at a time."""

import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    ProgrammingError,
    StoredEvent,
    Subscription,
)
from sqlalchemy import Engine, func, select

from adapters.store.eras import events_of, in_order
from adapters.store.past import newest_versions, save_snapshots
from adapters.store.selections import between, of_positions
from adapters.store.subscription import FollowedRecorder, PollingSubscription
from adapters.store.tables import events, snapshots
from ledger.ports import Snapshot
from ledger.store.history import Moment, StoredFact


class LedgerRecorder(FollowedRecorder):
    """Reads one shard of the log; notification id = position."""

    def __init__(self, engine: Engine, shard: int) -> None:
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        self._shard = shard

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **_: Any,  # noqa: ANN401 - the library's signature
    ) -> Sequence[int] | None:
        """Refuse: facts enter by decisions, which lock the shard, claim keys and hash leaves."""
        raise ProgrammingError(
            f"{len(stored_events)} event(s) were refused: the ledger takes commands, not events."
        )

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Facts of a stream in order of version."""
        asked = between(select(events), events.c.version, gt=gt, lte=lte)
        stream = str(originator_id)
        with self._reader.begin() as connection:
            rows = in_order(connection, self._shard, stream, asked, newest_first=desc, limit=limit)
            return [_fact(row) for row in rows]

    def facts(
        self, stream: str, after_version: int, until_version: int, valid_at_us: int
    ) -> Sequence[StoredFact]:
        """Facts of a stream between two versions that were true by a time, in order."""
        asked = select(events).where(
            events.c.version.between(after_version + 1, until_version),
            events.c.valid_at <= valid_at_us,
        )
        with self._reader.begin() as connection:
            return [_fact(row) for row in in_order(connection, self._shard, stream, asked)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Facts of the shard in order of position."""
        asked = of_positions(
            select(events).where(events.c.shard == self._shard),
            events.c.position,
            events.c.topic,
            start=start,
            stop=stop,
            topics=topics,
            inclusive_of_start=inclusive_of_start,
            limit=limit,
        )
        with self._reader.begin() as connection:
            return [
                Notification(
                    id=row.position,
                    originator_id=UUID(row.stream_id),
                    originator_version=row.version,
                    topic=row.topic,
                    state=row.payload.encode(),
                )
                for row in connection.execute(asked)
            ]

    def max_notification_id(self) -> int | None:
        """Last position of the shard; None when it is empty."""
        statement = select(func.max(events.c.position)).where(events.c.shard == self._shard)
        with self._reader.begin() as connection:
            last: int | None = connection.scalar(statement)
            return last

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Follow the shard by polling."""
        return PollingSubscription(self, gt=gt, topics=topics)

    def wake_on_append(self, woken: threading.Event) -> None:
        """Other processes write too: a subscription here only polls."""

    def no_longer_wake(self, woken: threading.Event) -> None:
        """Nothing to forget."""

    def version_known_at(self, stream: str, moment: Moment) -> int:
        """The stream's last version recorded by a moment: a bisection over its versions."""
        with self._reader.begin() as connection:
            newest = newest_versions(connection, self._shard, [stream]).get(stream, 0)
            low, high = 0, newest
            if moment.known_at_us == Moment().known_at_us == moment.known_position:
                return newest
            while low < high:
                middle = (low + high + 1) // 2
                fact = events_of(connection, [self._shard], [stream], low=middle, high=middle)
                recorded_at, position = connection.execute(
                    select(fact.c.recorded_at, fact.c.position)
                ).one()
                if recorded_at <= moment.known_at_us and position <= moment.known_position:
                    low = middle
                else:
                    high = middle - 1
            return low

    def snapshots(self, stream: str, until_version: int, fold_hash: str) -> Sequence[bytes]:
        """Folded states of a stream up to a version, oldest first."""
        statement = (
            select(snapshots.c.state)
            .where(
                snapshots.c.shard == self._shard,
                snapshots.c.stream_id == stream,
                snapshots.c.version <= until_version,
                snapshots.c.fold_hash == fold_hash,
            )
            .order_by(snapshots.c.version)
        )
        with self._reader.begin() as connection:
            return [state.encode() for state in connection.scalars(statement)]

    def save_snapshots(self, made: Sequence[Snapshot]) -> None:
        """Keep folded states."""
        with self._engine.begin() as connection:
            save_snapshots(connection, made)


def _fact(row: Any) -> StoredFact:  # noqa: ANN401 - a database row
    return StoredFact(
        originator_id=UUID(row.stream_id),
        originator_version=row.version,
        topic=row.topic,
        state=row.payload.encode(),
        shard=row.shard,
        position=row.position,
        recorded_at_us=row.recorded_at,
        valid_at_us=row.valid_at,
        command_id=row.command_id,
        metadata=row.metadata.encode(),
    )
