"""The prepaid account (预付费账户): money in by payment, out by reading; the supply follows."""

from ledger.aggregates.account import evolve, supply, units
from ledger.aggregates.account.state import Account, Point

__all__ = ["Account", "Point", "evolve", "supply", "units"]
