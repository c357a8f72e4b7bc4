"""Rebuild a view beside the live one, from event 1, and swap only when both say the same."""

# ruff: noqa: S608 - statements are made of the names that projections declare

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, insert, select, text

from adapters.store.dialects import is_postgresql
from adapters.store.tables import log_heads
from adapters.views.account_totals import kept_beside, recount
from adapters.views.feed import lock_position, parked_streams, read_batch
from adapters.views.grants import keep_grants
from adapters.views.pile import Pile
from adapters.views.tables import create_view, view_versions
from adapters.views.writer import write_rows
from ledger.projections import Projection, View, key_columns
from ledger.projections.accounts import Accounts
from ledger.projections.batch import project

READ_MAX = 20_000
PILED_MAX = 300_000
"""Rows kept in memory, about 1 KB each, before they are written."""
SHOWN_MAX = 20
_ROOM_TO_JOIN: Final = """SELECT set_config('work_mem', '256MB', true),
set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)"""
Progress = Callable[[int, int], None]
"""Called with (events folded, events in all)."""


def _no_progress(_done: int, _all: int) -> None:
    pass


class Difference(NamedTuple):
    """A row that the live view has and the log does not tell (`live`), or the reverse (`log`).

    Where the log holds an event that the live view took and that cannot be folded now, it is told
    in place of a row; nothing is swapped then.
    """

    view: str
    side: str
    row: dict[str, Any]


class Rebuilt(NamedTuple):
    """What a rebuild found: events folded, rows made, and how the live view differed."""

    view: str
    events: int
    rows: int
    differences: list[Difference]
    swapped: bool


class Rebuild:
    """One pass over the log that builds some views of a feed beside the live ones."""

    def __init__(self, engine: Engine, feed: str, projections: Sequence[Projection]) -> None:
        self._engine = engine
        self._feed = feed
        self._projections = projections
        self._reached: dict[int, int] = {}
        self._poisons: list[Difference] = []
        self._piles = [Pile(projection) for projection in projections]

    def run(
        self, *, swap: bool, accept: bool = False, on_progress: Progress = _no_progress
    ) -> list[Rebuilt]:
        """Build, compare at equal position, and swap where the rows are equal (or accepted)."""
        total = self._begin()
        for shard in self._reached:
            while self._batch(shard) == READ_MAX:
                on_progress(sum(self._reached.values()), total)
        with self._engine.begin() as connection:
            for shard in self._reached:
                live = lock_position(connection, shard, self._feed)
                while self._reached[shard] < live:
                    self._fold(connection, shard, live)
            self._write(connection)
            on_progress(total, total)
            views = [*self._projections, *self._kept_beside(connection)]
            return [self._finish(connection, view, swap=swap, accept=accept) for view in views]

    def _begin(self) -> int:
        with self._engine.begin() as connection:
            for projection in self._projections:
                _create_beside(connection, projection)
            heads = connection.execute(select(log_heads).order_by(log_heads.c.shard)).all()
        self._reached = {head.shard: 0 for head in heads}
        return sum(head.position for head in heads)

    def _batch(self, shard: int) -> int:
        """Fold one batch that the live feed has passed already; how many events it held."""
        with self._engine.begin() as connection:
            live = lock_position(connection, shard, self._feed)
            return self._fold(connection, shard, live)

    def _fold(self, connection: Connection, shard: int, until: int) -> int:
        limit = min(READ_MAX, until - self._reached[shard])
        if limit <= 0:
            return 0
        batch = read_batch(connection, shard, self._reached[shard], limit)
        parked = parked_streams(connection, shard, self._feed)
        projected = project(self._projections, batch, parked)
        for poison in projected.poisons:
            row = {"shard": shard, **poison._asdict()}
            self._poisons += [Difference(p.name, "log", row) for p in self._projections]
        for pile, rows in zip(self._piles, projected.rows, strict=True):
            pile.add(rows)
        if sum(map(len, self._piles)) > PILED_MAX:
            self._write(connection)
        self._reached[shard] = batch[-1].position
        return len(batch)

    def _write(self, connection: Connection) -> None:
        for projection, pile in zip(self._projections, self._piles, strict=True):
            if rows := pile.take():
                write_rows(connection, projection, beside(projection), rows, is_filled=True)

    def _kept_beside(self, connection: Connection) -> list[View]:
        """Views that are counted from those that were folded."""
        views = kept_beside(self._projections)
        for view in views:
            _create_beside(connection, view)
            recount(connection, beside(Accounts()), beside(view))
        return views

    def _finish(self, connection: Connection, view: View, *, swap: bool, accept: bool) -> Rebuilt:
        name, new = view.name, beside(view)
        poisons = [poison for poison in self._poisons if poison.view == name]
        differences = poisons + compare(connection, view, new)
        rows = connection.scalar(text(f"SELECT count(*) FROM {new}")) or 0
        is_known = _version(connection, name) == view.version
        do_swap = swap and not poisons and (accept or (is_known and not differences))
        if do_swap:
            keep_grants(connection, name, new)
            connection.execute(text(f"DROP TABLE {name}"))
            connection.execute(text(f"ALTER TABLE {new} RENAME TO {name}"))
            connection.execute(delete(view_versions).where(view_versions.c.view == name))
            versions = insert(view_versions).values(view=name, version=view.version)
            connection.execute(versions)
        else:
            connection.execute(text(f"DROP TABLE {new}"))
        return Rebuilt(name, sum(self._reached.values()), int(rows), differences, do_swap)


def beside(view: View) -> str:
    """Name of the table that a view is rebuilt in."""
    return f"{view.name}__next"


def _create_beside(connection: Connection, view: View) -> None:
    connection.execute(text(f"DROP TABLE IF EXISTS {beside(view)}"))
    create_view(connection, view, beside(view))


def compare(connection: Connection, view: View, other: str) -> list[Difference]:
    """Rows in which the live view and another table of it differ; a few of each side."""
    is_server = is_postgresql(connection)
    pairs = _joined(connection, view, other) if is_server else _subtracted(connection, view, other)
    sides = zip(("live", "log"), pairs, strict=True)
    return [Difference(view.name, side, row) for side, rows in sides for row in rows]


Sides = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def _joined(connection: Connection, view: View, other: str) -> Sides:
    """Both sides in one pass: sorting millions of rows for each would take longer than folding."""
    connection.execute(text(_ROOM_TO_JOIN))
    names = [column.name for column in view.columns]
    live, log = ([f"{side}.{name}" for name in names] for side in ("live", "log"))
    keys = key_columns(view)
    match = " AND ".join(f"live.{key} = log.{key}" for key in keys)
    found = connection.execute(
        text(
            f"SELECT {', '.join(live + log)} "
            f"FROM {view.name} live FULL JOIN {other} log ON {match} "
            f"WHERE ({', '.join(live)}) IS DISTINCT FROM ({', '.join(log)}) LIMIT {SHOWN_MAX}"
        )
    )
    pairs = [(tuple(row[: len(names)]), tuple(row[len(names) :])) for row in found]
    key = names.index(keys[0])
    of_live, of_log = (
        [dict(zip(names, pair[side], strict=True)) for pair in pairs if pair[side][key] is not None]
        for side in (0, 1)
    )
    return of_live, of_log


def _subtracted(connection: Connection, view: View, other: str) -> Sides:
    names = ", ".join(column.name for column in view.columns)
    of_live, of_log = (
        [
            dict(row)
            for row in connection.execute(
                text(
                    f"SELECT {names} FROM {have} EXCEPT SELECT {names} FROM {lack} "
                    f"LIMIT {SHOWN_MAX}"
                )
            ).mappings()
        ]
        for have, lack in ((view.name, other), (other, view.name))
    )
    return of_live, of_log


def _version(connection: Connection, name: str) -> int | None:
    versions = select(view_versions.c.version).where(view_versions.c.view == name)
    return connection.execute(versions).scalar_one_or_none()
