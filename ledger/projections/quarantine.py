"""Quarantine: the readings that could not be charged, each with its reason."""

from collections.abc import Sequence
from typing import ClassVar

from ledger.events import Recorded
from ledger.events.meter import ReadingQuarantined
from ledger.projections import Column, Merge, Row


class Quarantine:
    """One row per reading kept aside."""

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
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The batch's readings in quarantine."""
        return [
            {
                "shard": recorded.shard,
                "position": recorded.position,
                "meter_no": event.meter_no,
                "account_no": event.account_no,
                "at_us": recorded.valid_at_us,
                "registers": dict(event.registers),
                "code": event.code,
                "reason": event.reason,
            }
            for recorded in batch
            if isinstance(event := recorded.event, ReadingQuarantined)
        ]
