"""Facts in their envelopes, as a feed hands them on."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ledger.events import Event, Recorded
from ledger.projections import Merge, Projection
from tests.harness.desk import at_us

RECORDED_US = at_us("2026-07-01T12:00")
View = dict[tuple[Any, ...], dict[str, Any]]
"""Rows by their keys."""


def recorded(
    *past: tuple[Event, int],
    stream_id: str = "s",
    first: int = 1,
    recorded_at_us: int = RECORDED_US,
) -> list[Recorded]:
    """Facts of one stream, recorded one after the other."""
    return [
        Recorded(
            shard=0,
            position=first + number,
            stream_id=stream_id,
            version=1 + number,
            recorded_at_us=recorded_at_us,
            valid_at_us=at,
            command_id=None,
            metadata=b"{}",
            event=event,
        )
        for number, (event, at) in enumerate(past)
    ]


def in_batches(items: Sequence[Recorded], sizes: Sequence[int]) -> Iterator[Sequence[Recorded]]:
    """The items cut into batches of these sizes, over and over."""
    start = number = 0
    while start < len(items):
        size = sizes[number % len(sizes)]
        yield items[start : start + size]
        start, number = start + size, number + 1


def view_of(projection: Projection, batches: Iterable[Sequence[Recorded]]) -> View:
    """The view that batches make, by the plainest reading of how its columns merge."""
    view: View = {}
    keys = [column.name for column in projection.columns if column.merge is Merge.KEY]
    for batch in batches:
        rows = projection.rows(batch)
        named = [tuple(row[key] for key in keys) for row in rows]
        assert len(set(named)) == len(named), "one row per key"
        for key, row in zip(named, rows, strict=True):
            stored = view.setdefault(key, {})
            for column in projection.columns:
                if column.name in row:
                    new = row[column.name]
                    stored[column.name] = _merged(stored.get(column.name), new, column.merge)
    return view


def _merged(old: Any, new: Any, merge: Merge) -> Any:  # noqa: ANN401 - values of any column
    if merge is Merge.ADD:
        return (old or 0) + new
    if merge is Merge.PATCH:
        return {key: value for key, value in {**(old or {}), **new}.items() if value is not None}
    return new
