"""Rebuild views beside the live ones, from event 1, and swap only when both say the same.

The log is cut into spans, which are folded side by side (`folding.py`); what they leave is merged
into new tables (`loading.py`). Then the new tables follow the live feed until they stand where it
does.
"""

# ruff: noqa: S608 - statements are made of the names that projections declare

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, insert, select, text

from adapters.store.tables import log_heads
from adapters.views.account_totals import kept_beside, recount
from adapters.views.comparing import compare
from adapters.views.feed import lock_position
from adapters.views.folding import READ_MAX, Difference, Of, Piles, Span, fold_span
from adapters.views.grants import keep_grants
from adapters.views.loading import load_view
from adapters.views.runs import Run
from adapters.views.tables import create_view, feed_positions, view_versions
from adapters.views.workers import Workers, workers
from adapters.views.writer import write_rows
from ledger.projections import View
from ledger.projections.accounts import Accounts

LONG: Final = 200_000
"""So many events are worth the start of processes, and of another round."""
APPROACHED: Final = 100_000
"""Events of a shard that are folded at once while the live feed goes on."""
SPANS: Final = 2
"""Spans for each worker: one that is over early takes another."""
Progress = Callable[[int, int], None]
"""Called with (events done, events in all); half of an event is folding it, half is its rows."""


class Rebuilt(NamedTuple):
    """What a rebuild found: events folded, rows made, and how the live view differed."""

    view: str
    events: int
    rows: int
    differences: list[Difference]
    swapped: bool


def rebuild(
    engine: Engine,
    wanted: Sequence[Of],
    *,
    swap: bool,
    accept: bool = False,
    on_progress: Progress = lambda _done, _total: None,
) -> list[Rebuilt]:
    """Build, compare at equal position, and swap where the rows are equal (or accepted)."""
    with (
        TemporaryDirectory(prefix="wattledger-rebuild-") as folder,
        workers(engine, is_long=_length(engine) >= LONG) as crew,
    ):
        building = _Building(engine, wanted, crew, Path(folder), on_progress)
        building.fold()
        building.load()
    reached, poisons = building.reached, building.poisons
    rebuilt = [
        each
        for of in wanted
        for each in _Following(engine, of, reached, poisons).run(swap=swap, accept=accept)
    ]
    total = sum(reached.values())
    on_progress(total, total)
    return rebuilt


def beside(view: View) -> str:
    """Name of the table that a view is rebuilt in."""
    return f"{view.name}__next"


def _length(engine: Engine) -> int:
    with engine.execution_options(read_only=True).begin() as connection:
        return int(connection.scalar(select(func.sum(log_heads.c.position))) or 0)


class _Building:
    """New tables, from the first event to somewhere near the live ones."""

    def __init__(
        self,
        engine: Engine,
        wanted: Sequence[Of],
        crew: Workers,
        folder: Path,
        on_progress: Progress,
    ) -> None:
        self.reached: dict[int, int] = {}
        self.poisons: list[Difference] = []
        self._engine = engine
        self._wanted = wanted
        self._crew = crew
        self._folder = folder
        self._on_progress = on_progress
        self._runs: dict[str, list[Run]] = {p.name: [] for of in wanted for p in of.projections}
        self._total = self._folded = self._loaded = self._rows = 0

    def fold(self) -> None:
        """Fold what the live feeds have passed; what is written meanwhile in another round."""
        while spans := self._spans():
            jobs = [(self._wanted, span, self._folder) for span in spans]
            for folded in self._crew.do(fold_span, jobs, self._tell_folded):
                self.poisons += folded.poisons
                for name, runs in folded.runs.items():
                    self._runs[name] += runs
            self.reached |= {span.shard: span.until for span in spans}

    def _spans(self) -> list[Span]:
        live = _live(self._engine, [of.feed for of in self._wanted])
        self.reached = dict.fromkeys(live, 0) | self.reached
        behind = {shard: live[shard] - after for shard, after in self.reached.items()}
        if sum(behind.values()) < (LONG if any(self.reached.values()) else 1):
            return []
        self._total = sum(live.values())
        parts = -(-SPANS * self._crew.count // len(behind))
        return [
            span
            for shard, after in self.reached.items()
            for span in _cut(shard, after, live[shard], parts)
        ]

    def load(self) -> None:
        """Merge the runs into new tables, the largest first."""
        self._rows = sum(run.rows for runs in self._runs.values() for run in runs)
        jobs: list[tuple[View, str, Sequence[Run]]] = [
            (projection, beside(projection), self._runs[projection.name])
            for of in self._wanted
            for projection in of.projections
        ]
        jobs.sort(key=lambda job: -sum(run.rows for run in job[2]))
        self._crew.do(load_view, jobs, self._tell_loaded)

    def _tell_folded(self, events: int) -> None:
        self._folded += events
        self._on_progress(self._folded // 2, self._total)

    def _tell_loaded(self, rows: int) -> None:
        self._loaded += rows
        half = self._total // 2
        self._on_progress(half + half * self._loaded // max(1, self._rows), self._total)


def _cut(shard: int, after: int, until: int, parts: int) -> list[Span]:
    """Spans of about one length, none shorter than a batch but the last."""
    length = max(READ_MAX, -(-(until - after) // parts))
    starts = range(after, until, length)
    return [Span(shard, start, min(start + length, until)) for start in starts]


def _live(engine: Engine, feeds: Sequence[str]) -> dict[int, int]:
    """How far the slowest of some feeds has come in each shard."""
    with engine.execution_options(read_only=True).begin() as connection:
        shards = connection.scalars(select(log_heads.c.shard).order_by(log_heads.c.shard)).all()
        rows = connection.execute(select(feed_positions)).all()
    position = {(row.shard, row.feed): row.position for row in rows}
    return {shard: min(position.get((shard, feed), 0) for feed in feeds) for shard in shards}


class _Following:
    """New tables of one feed's views: brought to where the live ones stand, and compared."""

    def __init__(
        self, engine: Engine, of: Of, reached: dict[int, int], poisons: Sequence[Difference]
    ) -> None:
        self._engine = engine
        self._feed, self._projections = of
        self._piles = Piles([of])
        self._reached = dict(reached)
        self._poisons = list(poisons)

    def run(self, *, swap: bool, accept: bool) -> list[Rebuilt]:
        """Follow as feeds do; the last batch, the comparison and the swap under their lock."""
        while self._approach():
            with self._engine.begin() as connection:
                self._write(connection)
        with self._engine.begin() as connection:
            for shard in self._reached:
                self._fold(connection, shard, lock_position(connection, shard, self._feed))
            self._write(connection)
            views = [*self._projections, *self._kept_beside(connection)]
            return [self._finish(connection, view, swap=swap, accept=accept) for view in views]

    def _approach(self) -> bool:
        """Fold a part of what lies between, but for less than a batch; whether there was more."""
        live = _live(self._engine, [self._feed])
        with self._engine.execution_options(read_only=True).begin() as connection:
            for shard, after in self._reached.items():
                if live[shard] - after > READ_MAX:
                    self._fold(connection, shard, min(live[shard], after + APPROACHED))
        return len(self._piles) > 0

    def _fold(self, connection: Connection, shard: int, until: int) -> None:
        while (after := self._reached[shard]) < until:
            span = Span(shard, after, until)
            _, self._reached[shard] = self._piles.fold(connection, span, self._poisons)

    def _write(self, connection: Connection) -> None:
        for pile in self._piles:
            if rows := pile.take():
                write_rows(connection, pile.view, beside(pile.view), rows)

    def _kept_beside(self, connection: Connection) -> list[View]:
        """Views that are counted from those that were folded."""
        views = kept_beside(self._projections)
        for view in views:
            connection.execute(text(f"DROP TABLE IF EXISTS {beside(view)}"))
            create_view(connection, view, beside(view))
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


def _version(connection: Connection, name: str) -> int | None:
    versions = select(view_versions.c.version).where(view_versions.c.view == name)
    return connection.execute(versions).scalar_one_or_none()
