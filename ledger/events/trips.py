"""Facts of the kill switch (停电总闸): whether anybody may be cut off, everywhere or at a site."""

from typing import ClassVar, Final

from ledger.events import Event


class TripsSuspended(Event, frozen=True):
    """Nobody is cut off from now on (暂停停电); `site` is empty where that holds everywhere."""

    TOPIC: ClassVar[str] = "trips.suspended.v1"
    site: str
    reason: str


class TripsResumed(Event, frozen=True):
    """Who owes may be cut off again; where another switch still says no, that one holds."""

    TOPIC: ClassVar[str] = "trips.resumed.v1"
    site: str
    reason: str


EVENTS: Final = (TripsSuspended, TripsResumed)
