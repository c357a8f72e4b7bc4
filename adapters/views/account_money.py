"""Statements and usage of an account: what moved, and what was used, by month or day."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Label, cast, func, select

from adapters.views.accounts import Json
from adapters.views.tables import table_of
from ledger.commands.quantities import UNIT_TEXT, decimal_text
from ledger.projections import Merge
from ledger.projections.energy_by_day import EnergyByDay
from ledger.projections.statements import Statements

STATEMENTS: Final = table_of(Statements("UTC"), Statements.name)
ENERGY: Final = table_of(EnergyByDay("UTC"), EnergyByDay.name)
MOVED: Final = tuple(column.name for column in Statements.columns if column.merge is Merge.ADD)
"""What moves in an account, in signed sums of minor units, Wh and litres."""


def total(column: ColumnElement[Any]) -> Label[Any]:
    """The sum of a column under its own name; a sum of 64-bit integers stays one."""
    return cast(func.sum(column), BigInteger).label(str(column.key))


def paid_net(moved: Mapping[Any, int]) -> int:
    """What came into the paid wallet less what left it."""
    came = moved["recharged_minor"] - moved["reversed_minor"] + moved["adjusted_minor"]
    left = moved["charged_minor"] - moved["granted_used_minor"] - moved["units_used_minor"]
    return came - left - moved["units_bought_minor"]


def read_statement(
    connection: Connection, shard: int, account_no: str, first_month: str, last_month: str
) -> list[Json]:
    """Months from `first_month` to `last_month` in which anything moved; opening + in − out."""
    month_of = STATEMENTS.c.month
    rows = connection.execute(
        select(month_of, *(total(STATEMENTS.c[name]) for name in MOVED))
        .where(
            STATEMENTS.c.shard == shard,
            STATEMENTS.c.account_no == account_no,
            month_of <= last_month,
        )
        .group_by(month_of)
        .order_by(month_of)
    )
    months: list[Json] = []
    balance_minor = granted_minor = 0
    for row in rows.mappings():
        month = {
            "month": row["month"],
            "opening_minor": balance_minor,
            "recharged_minor": row["recharged_minor"],
            "reversed_minor": row["reversed_minor"],
            "charged_minor": row["charged_minor"],
            "adjusted_minor": row["adjusted_minor"],
            "granted_used_minor": row["granted_used_minor"],
            "units_bought_minor": row["units_bought_minor"],
            "units_used_minor": row["units_used_minor"],
        }
        balance_minor += paid_net(row)
        month |= {"closing_minor": balance_minor, "granted_opening_minor": granted_minor}
        granted_minor += row["granted_minor"] - row["granted_used_minor"]
        month |= {"granted_minor": row["granted_minor"], "granted_closing_minor": granted_minor}
        if row["month"] >= first_month:
            months.append(month)
    return months


def read_usage(
    connection: Connection, shard: int, account_no: str, by: str, first_day: str, last_day: str
) -> list[Json]:
    """Quantities by `day` or `month` of each service point and register, in order of time."""
    period = func.substr(ENERGY.c.day, 1, 7) if by == "month" else ENERGY.c.day
    rows = connection.execute(
        select(
            period.label("period"),
            ENERGY.c.point,
            ENERGY.c.register,
            func.min(ENERGY.c.unit).label("unit"),
            func.sum(ENERGY.c.quantity).label("quantity"),
        )
        .where(
            ENERGY.c.shard == shard,
            ENERGY.c.account_no == account_no,
            ENERGY.c.day.between(first_day, last_day),
        )
        .group_by(period, ENERGY.c.point, ENERGY.c.register)
        .order_by(period, ENERGY.c.point, ENERGY.c.register)
    )
    items: dict[tuple[str, str], Json] = {}
    totals: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.period, row.point)
        item = items.setdefault(
            key,
            {
                by: row.period,
                "service_point": row.point,
                "unit": UNIT_TEXT[row.unit],
                "registers": {},
            },
        )
        item["registers"][row.register] = decimal_text(int(row.quantity))
        totals[key] = totals.get(key, 0) + int(row.quantity)
    for key, item in items.items():
        item["quantity"] = decimal_text(totals[key])
    return list(items.values())
