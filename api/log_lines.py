"""Lines of the log on their way out: many in one write, and no request waits for the terminal.

Each write of a request's own would give the interpreter away in the middle of answering, and under
load a request gets it back a few milliseconds later.
"""

import atexit
import contextlib
import threading
import time
from collections import deque
from typing import Any, BinaryIO, Final

PACE_S: Final = 0.02
"""So long lines gather before they are written."""
WAITING_MAX: Final = 100_000
"""Behind a reader that has stopped, the oldest lines go."""


class LogLines:
    """A logger of structlog: takes lines of any thread, and writes them on a thread of its own."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._waiting: deque[bytes] = deque(maxlen=WAITING_MAX)
        self._rung = threading.Event()
        self._writing = threading.Lock()
        threading.Thread(target=self._run, name="log", daemon=True).start()
        atexit.register(self.write)

    def __call__(self, *_names: Any) -> "LogLines":  # noqa: ANN401 - as structlog asks for a logger
        """The one logger there is."""
        return self

    def msg(self, line: bytes) -> None:
        """Take a line."""
        self._waiting.append(line)
        if not self._rung.is_set():
            self._rung.set()

    debug = info = warning = error = critical = exception = msg

    def write(self) -> None:
        """Write what has gathered; a reader that is gone is no reason to stop."""
        with self._writing, contextlib.suppress(OSError, ValueError):
            lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if lines:
                self._out.write(b"\n".join((*lines, b"")))
                self._out.flush()

    def _run(self) -> None:
        while self._rung.wait():
            time.sleep(PACE_S)
            self._rung.clear()  # First: a line that comes from here on rings again.
            self.write()
