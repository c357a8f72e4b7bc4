"""Folding a span of the log for some views at once: its rows go aside, in runs."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine

from adapters.views.feed import parked_streams
from adapters.views.pile import Pile
from adapters.views.runs import Run, write_run
from adapters.views.stretch import pile_up, read_stretch
from adapters.views.workers import Counted
from ledger.projections import Projection

READ_MAX: Final = 5_000
PILED_MAX: Final = 300_000
"""Rows kept in memory, about 1 KB each, before the largest pile is written."""


class Difference(NamedTuple):
    """A row that the live view has and the log does not tell (`live`), or the reverse (`log`).

    Where the log holds an event that the live view took and that cannot be folded now, it is told
    in place of a row; nothing is swapped then.
    """

    view: str
    side: str
    row: dict[str, Any]


class Of(NamedTuple):
    """Views to be made anew, and the feed that keeps them: it has passed over some streams."""

    feed: str
    projections: tuple[Projection, ...]


class Span(NamedTuple):
    """Events of a shard behind a position, up to another."""

    shard: int
    after: int
    until: int


class Folded(NamedTuple):
    """Runs of each view in the order of the log, and events that could not be folded."""

    runs: dict[str, list[Run]]
    poisons: list[Difference]


def fold_span(engine: Engine, counted: Counted, job: tuple[Sequence[Of], Span, Path]) -> Folded:
    """Read a span once, fold it for every view, and leave the rows in a folder."""
    wanted, span, folder = job
    piles = Piles(wanted)
    folded = Folded({p.name: [] for of in wanted for p in of.projections}, [])
    at = span.after
    with without_collector(), engine.execution_options(read_only=True).connect() as connection:
        while at < span.until:
            with connection.begin():
                count, at = piles.fold(connection, span._replace(after=at), folded.poisons)
            if len(piles) > PILED_MAX:
                _write(piles.largest(), span.shard, at, folder, folded)
            counted(count)
    for pile in piles:
        _write(pile, span.shard, at, folder, folded)
    return folded


def _write(pile: Pile, shard: int, position: int, folder: Path, folded: Folded) -> None:
    if rows := pile.take():
        run = write_run(folder, pile.view, rows, shard, position)
        folded.runs[pile.view.name].append(run)


class Piles:
    """A pile for each view of some feeds."""

    def __init__(self, wanted: Sequence[Of]) -> None:
        self._of = [(of, [Pile(projection) for projection in of.projections]) for of in wanted]

    def fold(
        self, connection: Connection, span: Span, poisons: list[Difference]
    ) -> tuple[int, int]:
        """Pile up what the next batch makes; how many events it held, and the last position."""
        shard, after, until = span
        stretch = read_stretch(connection, shard, after, READ_MAX, until)
        parked = [parked_streams(connection, shard, of.feed) for of, _ in self._of]
        for part in stretch.parts():
            for (of, piles), set_aside in zip(self._of, parked, strict=True):
                for poison in pile_up(piles, part, set_aside):
                    row = {"shard": shard, **poison._asdict()}
                    poisons += [Difference(p.name, "log", row) for p in of.projections]
        return len(stretch), stretch.position if stretch else until  # A log may have lost its end.

    def largest(self) -> Pile:
        """The pile of most rows; the others go on gathering what falls on theirs."""
        return max(self, key=len)

    def __iter__(self) -> Iterator[Pile]:
        return (pile for _, piles in self._of for pile in piles)

    def __len__(self) -> int:
        return sum(map(len, self))


@contextmanager
def without_collector() -> Iterator[None]:
    """Facts and rows by the million hold no cycles; looking for some costs more than folding."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
