"""An event that breaks a view sets its own stream aside, and nothing else."""

from collections.abc import Sequence
from typing import ClassVar

from ledger.events import Recorded
from ledger.projections import Column, Merge, Row
from ledger.projections.batch import Poison, Unreadable, project
from tests.harness.envelopes import recorded
from tests.harness.past import paid


class Positions:
    """A view of positions that breaks at some of them."""

    name: ClassVar[str] = "positions"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("position", "int", Merge.KEY),
    )

    def __init__(self, *breaks_at: int) -> None:
        self._breaks_at = breaks_at

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        for item in batch:
            if item.position in self._breaks_at:
                raise ValueError(f"position {item.position}")
        return [{"shard": 0, "position": item.position} for item in batch]


def item(position: int, stream_id: str) -> Recorded:
    (made,) = recorded((paid(1, 1), 0), stream_id=stream_id, first=position)
    return made


def unreadable(position: int, stream_id: str) -> Unreadable:
    return Unreadable(0, position, stream_id, "no such topic")


BATCH = [item(1, "a"), item(2, "b"), item(3, "a"), item(4, "b"), item(5, "a")]


def positions(rows: Sequence[Row]) -> list[object]:
    return [row["position"] for row in rows]


def test_a_sound_batch_is_handed_to_every_view() -> None:
    made = project((Positions(), Positions()), BATCH, {})
    assert [positions(rows) for rows in made.rows] == [[1, 2, 3, 4, 5]] * 2
    assert made.poisons == []


def test_a_view_that_breaks_sets_the_stream_aside_for_all_views() -> None:
    made = project((Positions(), Positions(3)), BATCH, {})
    assert [positions(rows) for rows in made.rows] == [[1, 2, 4]] * 2
    assert made.poisons == [Poison("a", 3, "ValueError: position 3")]


def test_each_stream_that_breaks_is_named_once_at_its_first_event() -> None:
    made = project((Positions(3, 5), Positions(2)), BATCH, {})
    assert [positions(rows) for rows in made.rows] == [[1]] * 2
    assert [(poison.stream_id, poison.position) for poison in made.poisons] == [("b", 2), ("a", 3)]


def test_what_cannot_be_read_sets_its_stream_aside() -> None:
    batch: list[Recorded | Unreadable] = [
        item(1, "a"),
        unreadable(2, "a"),
        item(3, "b"),
        item(4, "a"),
        unreadable(5, "a"),
    ]
    made = project((Positions(),), batch, {})
    assert positions(made.rows[0]) == [1, 3]
    assert made.poisons == [Poison("a", 2, "no such topic")]


def test_the_first_of_two_reasons_counts() -> None:
    batch: list[Recorded | Unreadable] = [item(1, "a"), item(2, "a"), unreadable(3, "a")]
    made = project((Positions(2),), batch, {})
    assert positions(made.rows[0]) == [1]
    assert made.poisons == [Poison("a", 2, "ValueError: position 2")]


def test_a_stream_that_was_set_aside_before_is_passed_over_from_there_on() -> None:
    made = project((Positions(4, 5),), BATCH, {"a": 3, "b": 4})
    assert positions(made.rows[0]) == [1, 2]
    assert made.poisons == []
