"""Statements (账单): what moved in each account by month of its supply or payment."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Final

from ledger.events import Event, Recorded
from ledger.events import account as facts
from ledger.projections import Column, Merge, Row
from ledger.values import local_day

COLUMN_OF: Final[dict[type[Event], str]] = {
    facts.AccountCharged: "charged_minor",
    facts.ChargeCorrected: "charged_minor",
    facts.FixedFeeCharged: "charged_minor",
    facts.UnitsSold: "units_bought_minor",
    facts.UnitsReturned: "units_bought_minor",
    facts.AccountCredited: "recharged_minor",
    facts.CreditReversed: "reversed_minor",
    facts.AccountAdjusted: "adjusted_minor",
}


BY_DAY: Final = frozenset({"charged_minor", "units_bought_minor"})
"""Of facts that say themselves to which day they belong."""


class Statements:
    """One row per account and month; opening and closing are running sums over the months.

    A month is that of the fact's own time: a late reading belongs to the month of its supply, while
    the window that it changes is open.
    `adjusted_minor` and `granted_minor` are signed, the others count in their column's direction.
    What a purchase of units bore itself is charged with it; what the units were bought for leaves
    the wallet with it, and is charged when they are used.
    """

    name: ClassVar[str] = "statements"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("account_no", "text", Merge.KEY),
        Column("month", "text", Merge.KEY),
        Column("recharged_minor", "int", Merge.ADD),
        Column("reversed_minor", "int", Merge.ADD),
        Column("charged_minor", "int", Merge.ADD),
        Column("adjusted_minor", "int", Merge.ADD),
        Column("granted_minor", "int", Merge.ADD),
        Column("granted_used_minor", "int", Merge.ADD),
        Column("units_bought_minor", "int", Merge.ADD),
        Column("units_used_minor", "int", Merge.ADD),
    )
    _sums: ClassVar[tuple[str, ...]] = tuple(
        column.name for column in columns if column.merge is Merge.ADD
    )

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone
        self._months: dict[int, str] = {}

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """Sums of the batch by account and month."""
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for recorded in batch:
            event: Any = recorded.event
            column = COLUMN_OF.get(type(event))
            if column is None:
                continue
            charged = column in BY_DAY
            day = event.day if charged else local_day(self._timezone, recorded.valid_at_us)
            key = (event.account_no, self._month(day))
            row = rows.get(key)
            if row is None:
                row = rows[key] = {"shard": recorded.shard, "account_no": key[0], "month": key[1]}
                row.update(dict.fromkeys(self._sums, 0))
            if column == "units_bought_minor":
                _add_units(row, event)
                continue
            if charged:
                row["granted_used_minor"] += event.granted_used_minor
                if type(event) is not facts.FixedFeeCharged and event.units is not None:
                    row["units_used_minor"] += event.units.paid_minor
            elif column == "adjusted_minor" and event.wallet == "granted":
                column = "granted_minor"
            row[column] += event.amount_minor
        return list(rows.values())

    def _month(self, day: int) -> str:
        month = self._months.get(day)
        if month is None:
            month = self._months[day] = date.fromordinal(day).isoformat()[:7]
        return month


def _add_units(row: dict[str, Any], event: facts.UnitsSold | facts.UnitsReturned) -> None:
    sign = 1 if isinstance(event, facts.UnitsSold) else -1
    row["charged_minor"] += sum(line.amount_minor for line in event.lines)
    row["units_bought_minor"] += sign * sum(line.amount_minor for line in event.units.lines)
