"""The kill switches: where nobody is cut off for now, since when, by whom and why."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import msgspec

from ledger.events import Metadata, Recorded
from ledger.events.trips import TripsResumed, TripsSuspended
from ledger.projections import Column, Merge, Row
from ledger.projections.newest import Change, Changes, newest

_metadata: Final = msgspec.json.Decoder(Metadata).decode


class TripSwitches:
    """One row per site that was ever switched, in the catalogue's shard; empty means everywhere."""

    name: ClassVar[str] = "trip_switches"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("site", "text", Merge.KEY),
        Column("is_suspended", "int"),
        Column("since_us", "int"),
        Column("until_us", "int"),
        Column("actor", "text"),
        Column("reason", "text"),
        Column("position", "int"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest of each switch in the batch."""
        return newest(batch, _CHANGES, ("site",))


def _turned(*, is_suspended: bool) -> Callable[[Any, Recorded], Change]:
    def change(event: TripsSuspended | TripsResumed, recorded: Recorded) -> Change:
        return {
            "site": event.site,
            "is_suspended": int(is_suspended),
            "since_us": recorded.recorded_at_us,
            "until_us": getattr(event, "until_us", 0),
            "actor": _metadata(recorded.metadata).actor,
            "reason": event.reason,
            "position": recorded.position,
        }

    return change


_CHANGES: Final[Changes] = {
    TripsSuspended: _turned(is_suspended=True),
    TripsResumed: _turned(is_suspended=False),
}
