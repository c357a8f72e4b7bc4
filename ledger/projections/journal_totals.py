"""Journal totals: debit and credit of every ledger account by booking day."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

from ledger.events import Recorded
from ledger.projections import Column, Merge, Row
from ledger.projections.postings import postings
from ledger.values import local_day


class JournalTotals:
    """One row per day of recording, ledger account and currency; lines are derived on demand."""

    name: ClassVar[str] = "journal_totals"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("day", "text", Merge.KEY),
        Column("ledger_account", "text", Merge.KEY),
        Column("currency", "text", Merge.KEY),
        Column("debit_minor", "int", Merge.ADD),
        Column("credit_minor", "int", Merge.ADD),
    )

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """Sums of the batch's postings."""
        totals: dict[tuple[int, str, str], list[int]] = {}
        day, day_of_us = 0, -1
        for recorded in batch:
            event: Any = recorded.event
            entries = postings(event)
            if not entries:
                continue
            if recorded.recorded_at_us != day_of_us:  # Once for all facts of a commit.
                day_of_us = recorded.recorded_at_us
                day = local_day(self._timezone, day_of_us)
            for account, amount in entries:
                key = (day, account, event.currency)
                total = totals.get(key)
                if total is None:
                    total = totals[key] = [0, 0]
                if amount >= 0:
                    total[0] += amount
                else:
                    total[1] -= amount
        shard = batch[0].shard if batch else 0
        return [
            {
                "shard": shard,
                "day": date.fromordinal(day).isoformat(),
                "ledger_account": account,
                "currency": currency,
                "debit_minor": debit,
                "credit_minor": credit,
            }
            for (day, account, currency), (debit, credit) in totals.items()
        ]
