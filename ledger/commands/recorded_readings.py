"""What the log recorded for a meter at a time, found without reading an account's whole past.

A meter is charged in order of time, so the facts of one meter ascend through the stream of its
account, whatever stands between them. Where two of them are known, what lies between them in time
lies between them in the stream; the place is guessed from the times, and every guess narrows it.
All searches of a batch go side by side: each round asks the log once for what they want next.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from ledger.events import Event
from ledger.events.account import AccountCharged, MeterReplaced, ServicePointAdded
from ledger.events.registry import decode
from ledger.ports import LogWriter, Span

Recorded = dict[tuple[str, int], list[dict[str, int]]]
"""(meter, time) -> register values recorded for it."""
TELLING: Final = {AccountCharged.TOPIC, ServicePointAdded.TOPIC, MeterReplaced.TOPIC}
END: Final = 2
"""Versions read at either end of a stream, to guess by."""
WIDTH: Final = 8
"""Versions read around the first guess; twice as many around each further one."""
WIDTH_MAX: Final = 512


class _Named(msgspec.Struct, gc=False):
    """As much of a fact as it takes to know whose it is; decoded in a fifth of the time."""

    meter_no: str = ""
    new_meter_no: str = ""


_named: Final = msgspec.json.Decoder(_Named).decode


class Place(NamedTuple):
    """A meter at a time, and the account's stream that it counted in."""

    shard: int
    stream: str
    meter_no: str
    at_us: int
    is_cancelled: bool = False
    """A cancelled reading stands before earlier ones: it is looked for from the end back."""


def find(writer: LogWriter, places: Iterable[Place]) -> Recorded:
    """What the log holds of meters at exactly these times."""
    by_shard: dict[int, list[Place]] = {}
    for place in places:
        by_shard.setdefault(place.shard, []).append(place)
    recorded: Recorded = {}
    for shard, wanted in by_shard.items():
        _find_in(writer, shard, wanted, recorded)
    return recorded


def tell(recorded: Recorded, event: Event, at_us: int) -> None:
    """Enter what an event tells of a meter at its time, if it tells anything."""
    match event:
        case AccountCharged(meter_no=meter_no, registers=registers):
            values = {name: after for name, (_, after, _) in registers.items()}
        case ServicePointAdded(meter_no=meter_no, registers=values):
            pass
        case MeterReplaced(new_meter_no=meter_no, registers=values):
            pass
        case _:
            return
    recorded.setdefault((meter_no, at_us), []).append(values)


def _find_in(writer: LogWriter, shard: int, places: Sequence[Place], recorded: Recorded) -> None:
    newest = writer.newest_versions(shard, sorted({place.stream for place in places}))
    pasts = {stream: _Past(stream, version) for stream, version in newest.items()}
    searches = [
        _Search(place, pasts[place.stream]) for place in set(places) if place.stream in pasts
    ]
    for search in searches:
        search.past.searches += 1
    spans = [span for past in pasts.values() for span in past.ends()]
    while spans:
        for index, version, at_us, topic, payload in writer.facts_between(shard, spans):
            if topic in TELLING:
                pasts[spans[index][0]].learn(version, at_us, topic, payload)
        for past in pasts.values():
            past.read |= past.asked
        searches = [search for search in searches if not search.is_over(recorded)]
        spans = [span for search in searches if (span := search.wanted()) is not None]


class _Past:
    """As much of an account's stream as was read so far."""

    def __init__(self, stream: str, newest: int) -> None:
        self.newest = newest
        self.searches = 0
        self.asked: set[int] = set()
        self.read: set[int] = set()
        self.known: dict[str, list[tuple[int, int, str, bytes]]] = {}
        """Meter -> (time, version, topic, payload), ascending in time and version."""
        self._stream = stream

    def ends(self) -> list[Span]:
        """Where to begin: at both ends, or with all of it where much is sought in little."""
        if self.newest <= WIDTH * (self.searches + 1):
            return [self.ask(1, self.newest)]
        return [self.ask(1, END), self.ask(self.newest - END + 1, self.newest)]

    def ask(self, first: int, last: int) -> Span:
        """Note versions as asked for."""
        self.asked.update(range(first, last + 1))
        return self._stream, first, last

    def learn(self, version: int, at_us: int, topic: str, payload: bytes) -> None:
        """Keep a fact of a meter."""
        named = _named(payload)
        meter_no = named.new_meter_no or named.meter_no
        insort(self.known.setdefault(meter_no, []), (at_us, version, topic, payload))


class _Search:
    """One place that is looked for, between the nearest facts that are known of its meter."""

    __slots__ = ("_at_us", "_high", "_is_cancelled", "_low", "_meter_no", "_width", "past")

    def __init__(self, place: Place, past: _Past) -> None:
        self.past = past
        self._meter_no, self._at_us = place.meter_no, place.at_us
        self._is_cancelled = place.is_cancelled
        self._width = WIDTH
        self._low: tuple[int | None, int] = (None, 0)
        self._high: tuple[int | None, int] = (None, past.newest + 1)
        """Time and version of the last known fact before, and of the first one after."""

    def is_over(self, recorded: Recorded) -> bool:
        """Whether nothing unread can tell of the place; what was found is entered then."""
        known, at_us = self.past.known.get(self._meter_no, []), self._at_us
        first = behind = bisect_left(known, (at_us,))
        while behind < len(known) and known[behind][0] == at_us:
            behind += 1
        if not self._is_cancelled:
            if first:
                self._low = known[first - 1][:2]
            if behind < len(known):
                self._high = known[behind][:2]
        if not (self._is_cancelled and first < behind) and self._may_be_unread():
            return False
        for _, _, topic, payload in known[first:behind]:
            tell(recorded, decode(topic, payload), at_us)
        return True

    def _may_be_unread(self) -> bool:
        """Whether a version in which the place may be was not read yet."""
        read = self.past.read
        return not read.issuperset(range(self._low[1] + 1, self._high[1]))

    def wanted(self) -> Span | None:
        """What to read next; None where others of this round have asked for it."""
        asked, guess = self.past.asked, self._guess()
        if guess in asked:
            return None
        half = self._width // 2
        self._width = min(self._width * 2, WIDTH_MAX)
        first = max(self._low[1] + 1, guess - half)
        last = min(self._high[1] - 1, guess + half - 1)
        while first in asked:
            first += 1
        while last in asked:
            last -= 1
        return self.past.ask(first, last)

    def _guess(self) -> int:
        """An unread version where the place may be: by its time at first, then by halves."""
        (low_us, low), (high_us, high) = self._low, self._high
        guess = high - 1 if self._is_cancelled else (low + high) // 2
        if low_us is not None and high_us is not None and self._width < WIDTH_MAX:
            guess = low + (high - low) * (self._at_us - low_us) // (high_us - low_us)
        guess = min(max(guess, low + 1), high - 1)
        read = self.past.read
        unread = (version for version in range(guess, high) if version not in read)
        earlier = (version for version in range(guess, low, -1) if version not in read)
        return next(unread, 0) or next(earlier)
