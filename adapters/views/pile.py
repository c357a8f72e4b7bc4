"""Rows of a rebuild, merged in memory before a table sees them: most are then written once."""

from collections.abc import Sequence
from typing import Any

from ledger.projections import Merge, Projection, Row, key_columns


class Pile:
    """One view's rows by key; a row met again is merged as its columns declare."""

    def __init__(self, projection: Projection) -> None:
        self._keys = key_columns(projection)
        self._added = {c.name for c in projection.columns if c.merge is Merge.ADD}
        self._patched = {
            c.name for c in projection.columns if c.merge in {Merge.PATCH, Merge.EXTEND}
        }
        self._rows: dict[tuple[Any, ...], dict[str, Any]] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Merge rows into those that lie here."""
        piled, keys = self._rows, self._keys
        for row in rows:
            key = tuple([row[name] for name in keys])
            known = piled.get(key)
            if known is None:
                piled[key] = dict(row)
            else:
                self._merge(known, row)

    def take(self) -> list[Row]:
        """All rows in order of their keys, as an index holds them; none is left."""
        taken: list[Row] = [self._rows[key] for key in sorted(self._rows)]
        self._rows.clear()
        return taken

    def __len__(self) -> int:
        return len(self._rows)

    def _merge(self, known: dict[str, Any], row: Row) -> None:
        for name, value in row.items():
            if name in self._added and name in known:
                known[name] += value
            elif name in self._patched and name in known:
                known[name] = {**known[name], **value}  # type: ignore[dict-item] # an object
            else:
                known[name] = value
