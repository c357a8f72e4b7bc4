"""First come, first served: the writers of one process take turns at SQLite's one write lock.

Whoever waits for that lock asks for it now and then and may miss it each time, while another takes
it again and again: behind batches without a pause a small write can wait until it is given up.
"""

from collections import deque
from threading import Event, Lock


class Turnstile:
    """Lets one through at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[Event] = deque()
        self._is_taken = False

    def enter(self, timeout_s: float) -> bool:
        """Wait for one's turn; False where it did not come in time."""
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return True
            turn = Event()
            self._waiting.append(turn)
        if turn.wait(timeout_s):
            return True
        with self._lock:
            if turn.is_set():  # It came at the last moment.
                return True
            self._waiting.remove(turn)
        return False

    def leave(self) -> None:
        """Let the next one through."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_taken = False
