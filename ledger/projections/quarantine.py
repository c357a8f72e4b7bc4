"""Quarantine: the readings that could not be charged, each with its reason, until it is settled."""

from collections.abc import Sequence
from typing import ClassVar

from ledger.events import Recorded
from ledger.events.meter import QuarantineSettled, ReadingQuarantined
from ledger.projections import Column, Merge, Row, Value


class Quarantine:
    """One row per reading kept aside; `settled` is how it ended, empty while it waits."""

    name: ClassVar[str] = "quarantine"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("position", "int", Merge.KEY),
        Column("meter_no", "text"),
        Column("account_no", "text"),
        Column("at_us", "int"),
        Column("registers", "json"),
        Column("code", "text"),
        Column("reason", "text"),
        Column("settled", "text"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The batch's readings in quarantine, and what became of them and of earlier ones."""
        rows: dict[int, dict[str, Value]] = {}
        for recorded in batch:
            event = recorded.event
            if type(event) is ReadingQuarantined:
                rows[recorded.position] = {
                    "shard": recorded.shard,
                    "position": recorded.position,
                    "meter_no": event.meter_no,
                    "account_no": event.account_no,
                    "at_us": recorded.valid_at_us,
                    "registers": dict(event.registers),
                    "code": event.code,
                    "reason": event.reason,
                }
            elif type(event) is QuarantineSettled:
                row = rows.setdefault(event.item, {"shard": recorded.shard, "position": event.item})
                row["settled"] = event.outcome
        return list(rows.values())
