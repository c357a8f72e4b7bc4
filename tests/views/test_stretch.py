"""A stretch that is folded part by part makes the rows that it makes as a whole."""

from collections.abc import Sequence
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.views import stretch
from adapters.views.pile import Pile
from adapters.views.stretch import Stretch, fold
from ledger.events import Recorded
from ledger.events.supply import DisputeReleased
from ledger.projections import Column, Merge, Row
from ledger.projections.batch import project


class Seen:
    """How many facts of a stream were seen, and the newest; a negative time breaks it."""

    name: ClassVar[str] = "seen"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("stream", "text", Merge.KEY),
        Column("facts", "int", Merge.ADD),
        Column("newest", "int"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """One row a fact: what falls on the same row is brought together elsewhere."""
        pile = Pile(self)
        for item in batch:
            if item.valid_at_us < 0:
                raise ValueError("no such time")
            pile.add([{"stream": item.stream_id, "facts": 1, "newest": item.position}])
        return pile.take()


FACTS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from((1, 1, 1, -1))), max_size=12)
PARKED = st.dictionaries(st.sampled_from("abc"), st.integers(1, 12), max_size=2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=FACTS, parked=PARKED, size=st.integers(1, 5))
def test_parts_come_to_the_same_as_the_whole(
    facts: list[tuple[str, int]],
    parked: dict[str, int],
    size: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded = [
        Recorded(0, at, name, at, 0, valid_us, None, b"", DisputeReleased("A1", "main", "agreed"))
        for at, (name, valid_us) in enumerate(facts, start=1)
    ]
    monkeypatch.setattr(stretch, "IN_CACHE", size)
    views = [Seen()]
    in_parts = fold(views, Stretch(recorded=recorded), parked)
    whole = project(views, recorded, parked)
    assert in_parts.poisons == sorted(whole.poisons, key=lambda poison: poison.position)
    assert in_parts.rows == whole.rows
