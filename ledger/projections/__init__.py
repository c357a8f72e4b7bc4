"""Views: what the counter, the app and the auditor see, folded from the feed in bounded batches.

A projection is pure: it turns a batch of recorded facts into rows, at most one per key. How a row
meets the one that is stored is said by its columns, so that one writer serves every view.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import ClassVar, NamedTuple, Protocol

from ledger.events import Recorded

Value = int | str | None | dict[str, object]
Row = Mapping[str, Value]
"""Column -> value; only the columns that the facts speak of."""


class Merge(Enum):
    """How a new value meets the stored one."""

    KEY = "key"
    REPLACE = "replace"
    ADD = "add"
    PATCH = "patch"
    """A JSON object: its keys replace the stored ones, the others stay; null takes a key away."""
    EXTEND = "extend"
    """A patch that takes no key away."""


class Column(NamedTuple):
    """A column of a view: its name, `int`, `text` or `json`, and its way of merging."""

    name: str
    kind: str
    merge: Merge = Merge.REPLACE


class View(Protocol):
    """What a view's table is. A new meaning of its rows is a new `version`."""

    name: ClassVar[str]
    version: ClassVar[int]
    columns: ClassVar[tuple[Column, ...]]


class Projection(View, Protocol):
    """A view whose rows the facts themselves tell."""

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """Rows that a batch of facts of one shard adds up to, one per key."""


def key_columns(view: View) -> tuple[str, ...]:
    """Names of the columns that identify a row; the shard first."""
    return tuple(column.name for column in view.columns if column.merge is Merge.KEY)
