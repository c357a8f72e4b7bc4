"""Statements (账单): what moved in each account, by day of booking and month of supply."""

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
    """One row per account, day of booking and month; mostly a day has one month.

    A day is that of recording, as in the journal: once over it never changes, and the wallets at
    its end are those after its last fact. A month is that of the fact's own time: a late reading
    belongs to the month of its supply, while the window that it changes is open. Opening and
    closing of a month are running sums over the months.
    `adjusted_minor` and `granted_minor` are signed, the others count in their column's direction.
    What a purchase of units bore itself is charged with it; what the units were bought for leaves
    the wallet with it, and is charged when they are used.
    """

    name: ClassVar[str] = "statements"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("account_no", "text", Merge.KEY),
        Column("day", "text", Merge.KEY),
        Column("month", "text", Merge.KEY),
        Column("recharged_minor", "int", Merge.ADD),
        Column("reversed_minor", "int", Merge.ADD),
        Column("charged_minor", "int", Merge.ADD),
        Column("adjusted_minor", "int", Merge.ADD),
        Column("granted_minor", "int", Merge.ADD),
        Column("granted_used_minor", "int", Merge.ADD),
        Column("units_bought_minor", "int", Merge.ADD),
        Column("units_used_minor", "int", Merge.ADD),
        Column("quantity_wh", "int", Merge.ADD),
        Column("quantity_l", "int", Merge.ADD),
        Column("balance_after_minor", "int"),
        Column("granted_after_minor", "int"),
        Column("position", "int"),
    )
    _empty: ClassVar[dict[str, Any]] = {column.name: 0 for column in columns}

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone
        self._months: dict[int, str] = {}

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """Sums of the batch by account, day of booking and month."""
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        booked, booked_us = "", -1
        for recorded in batch:
            event: Any = recorded.event
            column = COLUMN_OF.get(type(event))
            if column is None:
                continue
            if recorded.recorded_at_us != booked_us:  # Once for all facts of a commit.
                booked_us = recorded.recorded_at_us
                booked = date.fromordinal(local_day(self._timezone, booked_us)).isoformat()
            is_of_day = column in BY_DAY
            day = event.day if is_of_day else local_day(self._timezone, recorded.valid_at_us)
            key = (event.account_no, booked, self._month(day))
            row = rows.get(key)
            if row is None:
                row = rows[key] = self._empty.copy()
                row["shard"] = recorded.shard
                row["account_no"], row["day"], row["month"] = key
            row["balance_after_minor"] = event.balance_after_minor
            row["granted_after_minor"] = event.granted_after_minor
            row["position"] = recorded.position
            _add(row, column, event)
        return list(rows.values())

    def _month(self, day: int) -> str:
        month = self._months.get(day)
        if month is None:
            month = self._months[day] = date.fromordinal(day).isoformat()[:7]
        return month


def _add(row: dict[str, Any], column: str, event: Any) -> None:  # noqa: ANN401 - of eight topics
    if column == "units_bought_minor":
        _add_units(row, event)
        return
    if column == "charged_minor":
        row["granted_used_minor"] += event.granted_used_minor
        if type(event) is not facts.FixedFeeCharged:
            row[f"quantity_{event.unit}"] += _quantity(event)
            if event.units is not None:
                row["units_used_minor"] += event.units.paid_minor
    elif column == "adjusted_minor" and event.wallet == "granted":
        column = "granted_minor"
    row[column] += event.amount_minor


def _quantity(event: facts.AccountCharged | facts.ChargeCorrected) -> int:
    """What is charged now, less what was charged for the same span before."""
    if isinstance(event, facts.AccountCharged):
        return _counted(event)
    return sum(map(_counted, event.intervals)) - sum(map(_counted, event.replaced))


def _counted(interval: facts.AccountCharged | facts.MeteredInterval) -> int:
    return sum(quantity for _, _, quantity in interval.registers.values())


def _add_units(row: dict[str, Any], event: facts.UnitsSold | facts.UnitsReturned) -> None:
    sign = 1 if isinstance(event, facts.UnitsSold) else -1
    row["charged_minor"] += sum(line.amount_minor for line in event.lines)
    row["units_bought_minor"] += sign * sum(line.amount_minor for line in event.units.lines)
