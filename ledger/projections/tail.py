"""The tail: what this process has just committed, so that feeds decode nothing twice.

A hint only: a feed that finds nothing here reads the log.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from ledger.events import Recorded

KEPT_MAX: Final = 60_000
"""Events kept per shard for feeds that fall behind for a moment."""


class Tail:
    """Recent commits of every shard in order of position."""

    def __init__(self, feeds: Sequence[str]) -> None:
        self._recent: dict[int, list[Recorded]] = {}
        self._passed: dict[tuple[str, int], int] = {}
        self._feeds = feeds
        self._lock = threading.Lock()
        self.on_growth: Callable[[], None] | None = None

    def add(self, recorded: Sequence[Recorded]) -> None:
        """Take the facts of a commit (called by the committer)."""
        by_shard: dict[int, list[Recorded]] = {}
        for event in recorded:
            by_shard.setdefault(event.shard, []).append(event)
        with self._lock:
            for shard, events in by_shard.items():
                recent = self._recent.get(shard)
                if not recent or recent[-1].position + 1 != events[0].position:
                    recent = []  # Another process wrote in between; the log has what is missing.
                recent += events
                self._recent[shard] = recent[-KEPT_MAX // 2 :] if len(recent) > KEPT_MAX else recent
        if self.on_growth is not None:
            self.on_growth()

    def after(self, shard: int, position: int, limit: int) -> Sequence[Recorded]:
        """Events right behind a position; empty where the tail does not reach back so far."""
        with self._lock:
            recent = self._recent.get(shard)
            if not recent or recent[0].position > position + 1:
                return ()
            start = position + 1 - recent[0].position
            return recent[start : start + limit]

    def passed(self, feed: str, shard: int, position: int) -> None:
        """Let go of what every feed has seen."""
        with self._lock:
            self._passed[feed, shard] = position
            seen = min(self._passed.get((name, shard), 0) for name in self._feeds)
            recent = self._recent.get(shard)
            if recent and recent[0].position <= seen:
                self._recent[shard] = recent[seen + 1 - recent[0].position :]
