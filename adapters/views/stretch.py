"""A stretch of the log, decoded part by part."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, Text, cast, select

from adapters.store.tables import events
from adapters.views.pile import Pile
from ledger.events import Recorded
from ledger.events.registry import decode
from ledger.projections import Projection
from ledger.projections.batch import Poison, Projected, Unreadable, project

IN_CACHE: Final = 100
"""Events that are decoded at once: every view looks at them while they are near the processor, and
the next take their room. With thousands, folding takes twice as long."""
COLUMNS: Final = (
    events.c.shard,
    events.c.position,
    cast(events.c.stream_id, Text),  # The driver would make an object of each UUID.
    events.c.version,
    events.c.recorded_at,
    events.c.valid_at,
    events.c.command_id,
    events.c.metadata,
    events.c.topic,
    events.c.payload,
)
"""What an event is decoded from, in the order of `recorded_or_unreadable`."""

END: Final = 2**63 - 1
"""No position lies behind it."""

Batch = Sequence[Recorded | Unreadable]


def recorded_or_unreadable(row: Any) -> Recorded | Unreadable:  # noqa: ANN401 - a database row
    """The event of a row of `COLUMNS`, marked where it cannot be decoded."""
    try:
        event = decode(row[8], row[9])
    except Exception as error:  # noqa: BLE001 - the reason is kept, the stream is parked
        return Unreadable(row[0], row[1], row[2], f"{type(error).__name__}: {error}")
    return Recorded(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7].encode(), event)


class Stretch:
    """Events of one shard in order, as they were stored or as they were just committed."""

    def __init__(self, rows: Sequence[Any] = (), recorded: Sequence[Recorded] = ()) -> None:
        self._rows = rows
        self._recorded = recorded
        self.position: int = 0
        """Of the last of them."""
        if rows:
            self.position = rows[-1][1]
        elif recorded:
            self.position = recorded[-1].position

    def parts(self) -> Iterator[Batch]:
        """All of them, `IN_CACHE` at a time; keep none longer than you need it."""
        for start in range(0, len(self._recorded), IN_CACHE):
            yield self._recorded[start : start + IN_CACHE]
        for start in range(0, len(self._rows), IN_CACHE):
            yield [recorded_or_unreadable(row) for row in self._rows[start : start + IN_CACHE]]

    def whole(self) -> Batch:
        """All of them at once."""
        return list(chain.from_iterable(self.parts()))

    def __len__(self) -> int:
        return len(self._rows) + len(self._recorded)


def read_stretch(
    connection: Connection, shard: int, after: int, limit: int, until: int = END
) -> Stretch:
    """Events behind a position, and none behind another."""
    found = connection.execute(
        select(*COLUMNS)
        .where(events.c.shard == shard, events.c.position > after, events.c.position <= until)
        .order_by(events.c.position)
        .limit(limit)
    )
    # The driver's own tuples: wrapping each costs as much as decoding it.
    return Stretch(rows=found.cursor.fetchall())


def fold(
    projections: Sequence[Projection], stretch: Stretch, parked: Mapping[str, int]
) -> Projected:
    """What each view makes of a stretch, as `project` of all of it at once would tell."""
    piles = [Pile(projection) for projection in projections]
    poisons: list[Poison] = []
    set_aside = dict(parked)
    for part in stretch.parts():
        found = pile_up(piles, part, set_aside)
        set_aside |= {poison.stream_id: poison.position for poison in found}
        poisons += found
    return Projected([pile.take() for pile in piles], poisons)


def pile_up(piles: Sequence[Pile], part: Batch, parked: Mapping[str, int]) -> list[Poison]:
    """Add what each view makes of a part to its pile; what could not be folded."""
    projected = project([pile.view for pile in piles], part, parked)
    for pile, rows in zip(piles, projected.rows, strict=True):
        pile.add(rows)
    return projected.poisons
