"""Facts of the kill switch (停电总闸): whether anybody may be cut off, everywhere or at a site."""

from typing import ClassVar, Final

from ledger.events import Event


class TripsSuspended(Event, frozen=True, omit_defaults=True):
    """Nobody is cut off from now on (暂停停电); `site` is empty where that holds everywhere.

    It ends by itself at `until_us` (区域保电); with 0 it lasts until somebody ends it.
    """

    TOPIC: ClassVar[str] = "trips.suspended.v1"
    site: str
    reason: str
    until_us: int = 0


class TripsResumed(Event, frozen=True):
    """Who owes may be cut off again; where another switch still says no, that one holds."""

    TOPIC: ClassVar[str] = "trips.resumed.v1"
    site: str
    reason: str


EVENTS: Final = (TripsSuspended, TripsResumed)
