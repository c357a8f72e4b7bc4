"""Sums over all accounts, reckoned once for all who look at the same of them at the same time."""

import threading
from typing import Any, Final, NamedTuple

from ledger.access import Reach
from ledger.projections.catalogue import FRONT
from ledger.queries import Queries

Json = dict[str, Any]
REACHES_MAX: Final = 1_000


class Sums(NamedTuple):
    """What stands above every list."""

    totals: Json
    groups: list[Json]
    sites: list[Json]


class SumBook:
    """Keeps the sums of each reach for as long as the views stand still."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._kept: dict[Reach, tuple[dict[int, int], Sums]] = {}
        self._lock = threading.Lock()

    def of(self, reach: Reach) -> Sums:
        """The sums of what somebody may see, never older than the views."""
        with self._lock:  # Whoever comes meanwhile is given the same.
            reached = self._queries.reached(FRONT)
            at, known = self._kept.get(reach, ({}, None))
            if known is None or at != reached:
                if len(self._kept) >= REACHES_MAX:
                    self._kept.clear()
                known = self._reckoned(reach)
                self._kept[reach] = (reached, known)
            return known

    def _reckoned(self, reach: Reach) -> Sums:
        queries = self._queries
        return Sums(queries.totals(reach), queries.groups(reach), queries.sites(reach))
