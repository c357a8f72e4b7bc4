"""One kill switch (停电总闸): of a site, or of everything; while it is thrown nobody is cut off."""

from collections.abc import Callable
from typing import Any, ClassVar

from ledger.aggregates import Aggregate
from ledger.events import Event
from ledger.events.trips import TripsResumed, TripsSuspended


class TripSwitch(Aggregate):
    """Natural id is the name of its site, empty for all of them together."""

    KIND: ClassVar[str] = "trips"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    is_suspended: bool = False

    def suspend(self, site: str, reason: str) -> TripsSuspended | None:
        """Let nobody be cut off; suspended before is silence."""
        return None if self.is_suspended else TripsSuspended(site, reason)

    def resume(self, site: str, reason: str) -> TripsResumed | None:
        """Let people be cut off again; where that was never suspended, silence."""
        return TripsResumed(site, reason) if self.is_suspended else None


def _suspended(switch: TripSwitch, _event: TripsSuspended, _at: int) -> None:
    switch.is_suspended = True


def _resumed(switch: TripSwitch, _event: TripsResumed, _at: int) -> None:
    switch.is_suspended = False


TripSwitch.EVOLVERS.update({TripsSuspended: _suspended, TripsResumed: _resumed})
