"""Totals of open accounts (合计) by site and group: what stands above every list."""

from typing import ClassVar

from ledger.projections import Column, Merge


class AccountTotals:
    """One row per site, group and currency that has open accounts.

    No fact tells them by itself, because it does not say what its account was before: they are
    kept beside the accounts view, from what its rows were and what they become. Money is not among
    them: every reading moves it, and the books tell its sums.
    """

    name: ClassVar[str] = "account_totals"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("site", "text", Merge.KEY),
        Column("user_group", "text", Merge.KEY),
        Column("currency", "text", Merge.KEY),
        Column("accounts", "int", Merge.ADD),
        Column("service_points", "int", Merge.ADD),
        Column("supply_off", "int", Merge.ADD),
        Column("remind", "int", Merge.ADD),
        Column("warn", "int", Merge.ADD),
        Column("trip", "int", Merge.ADD),
    )
