"""One kill switch (停电总闸): of a site, or of everything; while it is thrown nobody is cut off."""

from collections.abc import Callable
from typing import Any, ClassVar

from ledger.aggregates import Aggregate, Refused
from ledger.events import Event
from ledger.events.trips import TripsResumed, TripsSuspended


class TripSwitch(Aggregate):
    """Natural id is the name of its site, empty for all of them together."""

    KIND: ClassVar[str] = "trips"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    is_suspended: bool = False
    until_us: int = 0
    """0 where it lasts until somebody ends it."""

    def holds(self, now_us: int) -> bool:
        """Whether nobody is cut off at a time: one that has an end is over then, told or not."""
        return self.is_suspended and (self.until_us == 0 or now_us < self.until_us)

    def suspend(self, site: str, reason: str, until_us: int, now_us: int) -> TripsSuspended | None:
        """Let nobody be cut off; suspended as long before is silence, another end counts."""
        if until_us and until_us <= now_us:
            raise Refused("expires_in_the_past", "That would be over already.")
        if self.is_suspended and self.until_us == until_us:
            return None
        return TripsSuspended(site, reason, until_us)

    def resume(self, site: str, reason: str) -> TripsResumed | None:
        """Let people be cut off again; where that was never suspended, silence."""
        return TripsResumed(site, reason) if self.is_suspended else None


def _suspended(switch: TripSwitch, event: TripsSuspended, _at: int) -> None:
    switch.is_suspended = True
    switch.until_us = event.until_us


def _resumed(switch: TripSwitch, _event: TripsResumed, _at: int) -> None:
    switch.is_suspended = False
    switch.until_us = 0


TripSwitch.EVOLVERS.update({TripsSuspended: _suspended, TripsResumed: _resumed})
