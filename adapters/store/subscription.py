"""Following an application's events by asking again; a wake-up only brings a question forward."""

import logging
from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from threading import Event

from eventsourcing.persistence import (
    ApplicationRecorder,
    InterfaceError,
    Notification,
    OperationalError,
    Subscription,
)


class FollowedRecorder(ApplicationRecorder):
    """A recorder that can be followed; writers of other processes are found by polling."""

    @abstractmethod
    def wake_on_append(self, woken: Event) -> None:
        """Set `woken` after each append through this recorder."""

    @abstractmethod
    def no_longer_wake(self, woken: Event) -> None:
        """Forget a wake-up."""


POLL_INTERVAL_S = 0.1
BATCH_MAX = 500
# A database that is away for about a minute does not end a subscription.
FAILURES_MAX = 20
FAILURE_PAUSE_MAX_S = 5.0

logger = logging.getLogger(__name__)


class PollingSubscription(Subscription[FollowedRecorder]):
    """Yields every event after `gt` in order and waits for more; no thread, no lost wake-up."""

    def __init__(
        self,
        recorder: FollowedRecorder,
        gt: int | None = None,
        topics: Sequence[str] = (),
    ) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._position = gt or 0
        self._batch: deque[Notification] = deque()
        self._failures = 0
        self._woken = Event()
        recorder.wake_on_append(self._woken)

    def stop(self) -> None:
        """End the iteration, also for a thread that is waiting in it."""
        super().stop()
        self._recorder.no_longer_wake(self._woken)
        self._woken.set()

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            if self._batch:
                return self._batch.popleft()
            # Cleared before the question: an append after it sets the flag again.
            self._woken.clear()
            pause_s = self._pull()
            if not self._batch and not self._has_been_stopped:
                self._woken.wait(pause_s)
        raise StopIteration

    def _pull(self) -> float:
        """Fetch the next batch; answer how many seconds to wait if there is none."""
        try:
            self._fetch()
        except (OperationalError, InterfaceError) as error:
            self._failures += 1
            if self._failures > FAILURES_MAX:
                raise
            logger.warning("Subscription cannot read (%s times): %s", self._failures, error)
            return min(POLL_INTERVAL_S * 2.0**self._failures, FAILURE_PAUSE_MAX_S)
        self._failures = 0
        return POLL_INTERVAL_S

    def _fetch(self) -> None:
        last = self._recorder.max_notification_id() or 0
        if last <= self._position:
            return
        found = self._recorder.select_notifications(
            self._position, BATCH_MAX, last, self._topics, inclusive_of_start=False
        )
        self._batch.extend(found)
        # Events of other topics are passed for good, not read again at each question.
        self._position = found[-1].id if len(found) == BATCH_MAX else last
