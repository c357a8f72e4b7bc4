"""The time in the park: it may run faster than ours, and never backward."""

import time
from collections.abc import Callable


class ParkClock:
    """UTC microseconds that begin at `start_us` and run `speed` times as fast as real time."""

    def __init__(
        self,
        start_us: int,
        speed: int = 1,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._start_us = start_us
        self._began_ns = monotonic_ns()
        self._speed = speed

    def now_us(self) -> int:
        """The time in the park (UTC microseconds)."""
        passed_ns = self._monotonic_ns() - self._began_ns
        return self._start_us + passed_ns * self._speed // 1000

    @property
    def speed(self) -> int:
        """Seconds in the park that pass in one of ours."""
        return self._speed

    def run_at(self, speed: int) -> None:
        """Go on from now at another speed."""
        self._start_us = self.now_us()
        self._began_ns = self._monotonic_ns()
        self._speed = speed

    def skip(self, microseconds: int) -> None:
        """Let time pass at once."""
        self._start_us += microseconds
