"""Rows of a rebuild, merged in memory before they are written: most are then written once."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from ledger.projections import Merge, Projection, Row, key_columns

PATCHES: Final = (Merge.PATCH, Merge.EXTEND)


class Pile:
    """One view's rows by key; a row met again is merged as its columns declare."""

    def __init__(self, projection: Projection) -> None:
        self.view = projection
        columns = projection.columns
        self._key = itemgetter(*key_columns(projection))
        self._added = {c.name for c in columns if c.merge is Merge.ADD}
        self._patched = {c.name for c in columns if c.merge in PATCHES}
        self._rows: dict[Any, Any] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Merge rows into those that lie here."""
        piled, key_of = self._rows, self._key
        for row in rows:
            key = key_of(row)
            known = piled.get(key)
            if known is None:
                piled[key] = row  # A projection makes its rows anew: this one is ours.
            else:
                self._merge(known, row)

    def take(self) -> list[Row]:
        """All rows; none is left."""
        taken: list[Row] = [*self._rows.values()]
        self._rows = {}
        return taken

    def __len__(self) -> int:
        return len(self._rows)

    def _merge(self, known: dict[str, Any], row: Row) -> None:
        for name, value in row.items():
            if name in self._added:
                if value or name not in known:
                    known[name] = known.get(name, 0) + value
            elif name in self._patched and name in known:
                known[name].update(value)
            else:
                known[name] = value
