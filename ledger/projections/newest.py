"""Rows that keep the newest of what each fact says: one fold for every small view."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ledger.events import Event, Recorded
from ledger.projections import Row

Change = dict[str, Any]
Changes = Mapping[type[Event], Callable[[Any, Recorded], Change]]
"""What each fact changes in its row; the row's key is part of it. One of no row changes nothing."""


def newest(batch: Sequence[Recorded], changes: Changes, keys: Sequence[str]) -> list[Row]:
    """One row per key of the batch, later facts over earlier ones."""
    rows: dict[tuple[Any, ...], Change] = {}
    for recorded in batch:
        change_of = changes.get(type(recorded.event))
        if change_of is None:
            continue
        told = change_of(recorded.event, recorded)
        if not told:
            continue
        change = {"shard": recorded.shard, **told}
        key = tuple([change[name] for name in keys])
        known = rows.get(key)
        rows[key] = change if known is None else {**known, **change}
    return list(rows.values())
