"""Following the log for a few topics: what policies and the dispatcher react to."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, select, text

from adapters.store.tables import events, log_heads
from adapters.views.feed import FIRST_POSITION
from adapters.views.stretch import COLUMNS, Batch, recorded_or_unreadable
from adapters.views.tables import feed_positions

WINDOW: Final = 50_000
"""Positions looked through at once for the few that matter."""
LIMIT: Final = 500
SAVE_EVERY: Final = 20_000
"""A position that nothing was done at is saved this rarely."""
SAVE: Final = text(
    "UPDATE feed_positions SET position = :position "
    "WHERE shard = :shard AND feed = :feed AND position < :position"
)


class Following:
    """The events of some topics in one shard, in order, behind a position of its own."""

    def __init__(self, engine: Engine, shard: int, topics: Collection[str], position: int) -> None:
        self.shard = shard
        self.position = position
        self._reader = engine.execution_options(read_only=True)
        self._topics = sorted(topics)

    def next(self, head: int) -> tuple[Batch, int]:
        """What comes next up to the log's head, and the position behind it.

        Call `went_to` when it was dealt with. What this release cannot read is marked.
        """
        until = min(head, self.position + WINDOW)
        if until <= self.position:
            return [], self.position
        with self._reader.begin() as connection:
            rows = _matching(connection, self.shard, self.position, until, self._topics)
        reached = rows[-1][1] if len(rows) == LIMIT else until
        return [recorded_or_unreadable(row) for row in rows], reached

    def went_to(self, position: int) -> None:
        """Everything up to here was dealt with."""
        self.position = position


class RememberedFollowing(Following):
    """The same, whose position outlives the process: at least once, whoever falls over."""

    def __init__(self, engine: Engine, shard: int, topics: Collection[str], name: str) -> None:
        self._engine = engine
        self._about: dict[str, Any] = {"shard": shard, "feed": name}
        with engine.begin() as connection:
            connection.execute(FIRST_POSITION, self._about)
            saved = connection.execute(
                select(feed_positions.c.position).where(
                    feed_positions.c.shard == shard, feed_positions.c.feed == name
                )
            ).scalar_one()
        super().__init__(engine, shard, topics, int(saved))
        self._saved = self.position

    def went_to(self, position: int) -> None:
        """The same; saved when it is worth a write."""
        super().went_to(position)
        if position - self._saved >= SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Keep the position; one that another process brought further stays."""
        if self.position > self._saved:
            with self._engine.begin() as connection:
                connection.execute(SAVE, {**self._about, "position": self.position})
            self._saved = self.position


def heads(engine: Engine) -> dict[int, int]:
    """Last position of each shard."""
    with engine.execution_options(read_only=True).begin() as connection:
        found = connection.execute(select(log_heads.c.shard, log_heads.c.position))
        return {row.shard: row.position for row in found}


def _matching(
    connection: Connection, shard: int, after: int, until: int, topics: Sequence[str]
) -> Sequence[Any]:
    found = connection.execute(
        select(*COLUMNS)
        .where(
            events.c.shard == shard,
            events.c.position > after,
            events.c.position <= until,
            events.c.topic.in_(topics),
        )
        .order_by(events.c.position)
        .limit(LIMIT)
    )
    rows: Sequence[Any] = found.cursor.fetchall()
    return rows
