"""What runs behind the doors: each feed on a thread of its own, in bounded batches."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Final

from adapters.store.checkpoints import Checkpoints
from adapters.views.feed import Feed
from ledger.projections.catalogue import DETAIL, FRONT
from ledger.projections.tail import Tail

POLL_S: Final = 0.05
"""A commit of this process wakes the feeds at once; those of others are found by polling."""
PAUSE_AFTER_ERROR_S: Final = 1.0
PACE_S: Final = {FRONT: 0.02, DETAIL: 0.25}
"""Least pause of each feed after a small batch: many payments are cheaper seen together."""
REST: Final = 4
"""So many times as long as its batch took it may pause: whoever waits for an answer goes first."""
REST_MAX_S: Final = 0.25
SMALL: Final = 1_000
"""Events; behind a larger batch there may be more, and nothing is waited for."""

log = logging.getLogger(__name__)


class Worker:
    """Runs feeds over all shards; an error pauses one feed and is tried again."""

    def __init__(self, feeds: Sequence[Feed], shards: int, tail: Tail | None = None) -> None:
        self._shards = shards
        self._tail = tail
        self._stopping = threading.Event()
        self._wake = {feed.spec.name: threading.Event() for feed in feeds}
        self._threads = [
            threading.Thread(
                target=self._run, args=(feed,), name=f"feed-{feed.spec.name}", daemon=True
            )
            for feed in feeds
        ]
        self._checkpoints = Checkpoints(feeds[0].engine)
        if tail is not None:
            tail.on_growth = self.wake

    def start(self) -> "Worker":
        """Begin to follow the log."""
        for thread in self._threads:
            thread.start()
        self._checkpoints.start()
        return self

    def wake(self) -> None:
        """Look at once."""
        for event in self._wake.values():
            event.set()

    def stop(self) -> None:
        """Finish the batch under way and stop."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join()
        self._checkpoints.stop()

    def _run(self, feed: Feed) -> None:
        wake = self._wake[feed.spec.name]
        while not self._stopping.is_set():
            wake.clear()
            began_s = time.monotonic()
            try:
                taken = sum(feed.step(shard) for shard in range(self._shards))
            except Exception:
                log.exception("The feed %s stopped at an error and tries again.", feed.spec.name)
                self._stopping.wait(PAUSE_AFTER_ERROR_S)
                continue
            if not taken:
                wake.wait(POLL_S)
            elif taken < SMALL:
                rest_s = min(REST * (time.monotonic() - began_s), REST_MAX_S)
                self._stopping.wait(max(rest_s, PACE_S[feed.spec.name]))
