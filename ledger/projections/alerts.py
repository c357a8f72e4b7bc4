"""Alerts: the level that holds at each service point, with the decision that set it."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from ledger.events import Event, Recorded
from ledger.events import account as facts
from ledger.projections import Column, Merge, Row

TELLING: Final[frozenset[type[Event]]] = frozenset(
    {
        facts.AccountReminded,
        facts.AccountWarned,
        facts.WarningCancelled,
        facts.SupplyTripPostponed,
        facts.SupplyTripOrdered,
        facts.SupplyRestoreOrdered,
        facts.ServicePointRemoved,
    }
)


class Alerts:
    """One row per point that crossed a line or went; level `none` when nothing holds now.

    `due_us` is when a trip is decided anew that was put off; null where none was.
    """

    name: ClassVar[str] = "alerts"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("account_no", "text", Merge.KEY),
        Column("point", "text", Merge.KEY),
        Column("level", "text"),
        Column("topic", "text"),
        Column("since_us", "int"),
        Column("due_us", "int"),
        Column("position", "int"),
        Column("trace", "json"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest decision of each point in the batch."""
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for recorded in batch:
            event: Any = recorded.event
            if type(event) not in TELLING:
                continue
            row = rows.setdefault((event.account_no, event.point), {})
            row |= {
                "shard": recorded.shard,
                "account_no": event.account_no,
                "point": event.point,
                "level": "none",
                "topic": event.TOPIC,
                "since_us": recorded.valid_at_us,
                "due_us": getattr(event, "due_us", None),
                "position": recorded.position,
            }
            if type(event) is not facts.ServicePointRemoved:
                row["level"] = event.trace.level_after
                row["trace"] = msgspec.to_builtins(event.trace)
        return list(rows.values())
