"""How fast the customers of one gateway are cut: so many trips within a minute, and no more."""

from bisect import insort
from collections.abc import Iterable
from threading import Lock
from typing import Final, NamedTuple

MINUTE_US: Final = 60_000_000


class SentTrip(NamedTuple):
    """A trip that was sent to a gateway, and when."""

    gateway: str
    at_us: int


class TripRate:
    """Counts what was sent within the last minute, by whichever process; safe for threads."""

    def __init__(self, trips_a_minute: int, sent: Iterable[SentTrip] = ()) -> None:
        self._trips_a_minute = trips_a_minute
        self._sent: dict[str, list[int]] = {}
        self._lock = Lock()
        for trip in sent:
            insort(self._sent.setdefault(trip.gateway, []), trip.at_us)

    def take_turn(self, gateway: str, now_us: int) -> int:
        """0 where another trip may be sent now, which counts; else when to ask again."""
        with self._lock:
            sent = self._lately(gateway, now_us)
            if len(sent) >= self._trips_a_minute:
                return sent[-self._trips_a_minute] + MINUTE_US
            sent.append(now_us)
            return 0

    def give_back(self, gateway: str) -> None:
        """The turn taken last was not used."""
        with self._lock:
            sent = self._sent.get(gateway)
            if sent:
                sent.pop()

    def _lately(self, gateway: str, now_us: int) -> list[int]:
        sent = self._sent.setdefault(gateway, [])
        if sent and sent[-1] > now_us:  # The clock went back; the trips were sent all the same.
            sent[:] = [min(at_us, now_us) for at_us in sent]
        over = 0
        while over < len(sent) and sent[over] <= now_us - MINUTE_US:
            over += 1
        del sent[:over]
        return sent
