"""Energy by day (日电量): what each register of a point counted on each local day."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

from ledger.events import Recorded
from ledger.events.account import AccountCharged, ChargeCorrected, MeteredInterval
from ledger.projections import Column, Merge, Row
from ledger.values import EPOCH_DAY, MICROS_PER_DAY, local_us

Key = tuple[str, str, str, int]
Counted = tuple[int, int, dict[str, tuple[int, int, int]], int]
"""From, to, registers, and whether it is added or taken away."""


class EnergyByDay:
    """One row per account, point, register and day, in Wh or litres after the multiplier.

    An interval over several days is spread in a straight line; whole units are given to the days so
    that their sum is the interval's.
    """

    name: ClassVar[str] = "energy_by_day"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("account_no", "text", Merge.KEY),
        Column("point", "text", Merge.KEY),
        Column("register", "text", Merge.KEY),
        Column("day", "text", Merge.KEY),
        Column("unit", "text"),
        Column("quantity", "int", Merge.ADD),
    )

    def __init__(self, timezone: str) -> None:
        self._timezone = timezone

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """Sums of the batch by register and day."""
        rows: dict[Key, dict[str, Any]] = {}
        days: dict[int, str] = {}
        for recorded in batch:
            event = recorded.event
            whole: Sequence[Counted]
            if type(event) is AccountCharged:
                whole = ((event.from_us, recorded.valid_at_us, event.registers, 1),)
            elif type(event) is ChargeCorrected:
                whole = [_counted(each, -1) for each in event.replaced]
                whole += [_counted(each, 1) for each in event.intervals]
            else:
                continue
            for from_us, to_us, registers, sign in whole:
                for register, (_, _, quantity) in registers.items():
                    for day, part in self._spread(from_us, to_us, quantity):
                        key = (event.account_no, event.point, register, day)
                        row = rows.get(key)
                        if row is not None:
                            row["unit"] = event.unit
                            row["quantity"] += sign * part
                            continue
                        if day not in days:
                            days[day] = date.fromordinal(day).isoformat()
                        rows[key] = {
                            "shard": recorded.shard,
                            "account_no": event.account_no,
                            "point": event.point,
                            "register": register,
                            "day": days[day],
                            "unit": event.unit,
                            "quantity": sign * part,
                        }
        return list(rows.values())

    def _spread(self, from_us: int, to_us: int, quantity: int) -> Sequence[tuple[int, int]]:
        """Whole units of each local day; a midnight closes the day before."""
        start, end = local_us(self._timezone, from_us), local_us(self._timezone, to_us)
        first, last = start // MICROS_PER_DAY, (end - 1) // MICROS_PER_DAY
        if last <= first:
            return ((EPOCH_DAY + max(first, last), quantity),)
        parts, given = [], 0
        for day in range(first, last + 1):
            passed = min(end, (day + 1) * MICROS_PER_DAY) - start
            reached = quantity * passed // (end - start)
            if reached > given:
                parts.append((EPOCH_DAY + day, reached - given))
            given = reached
        return parts


def _counted(interval: MeteredInterval, sign: int) -> Counted:
    return interval.from_us, interval.to_us, interval.registers, sign
