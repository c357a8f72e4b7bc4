"""Totals of open accounts, brought along with every change of the accounts view.

Whoever looks at them reads a row per site and group, however many accounts there are.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Table,
    and_,
    case,
    delete,
    func,
    insert,
    select,
)

from adapters.store.dialects import any_of, insert_into, is_postgresql
from adapters.views.account_pages import has_point, within
from adapters.views.accounts import ACCOUNTS, Json
from adapters.views.tables import table_of
from ledger.access import Reach
from ledger.aggregates.account.state import LEVELS
from ledger.projections import Merge, Projection, Row, View, key_columns
from ledger.projections.account_totals import AccountTotals
from ledger.projections.accounts import Accounts
from ledger.projections.journal_totals import JournalTotals
from ledger.projections.postings import LIABILITY, RECEIVABLE
from ledger.values import shard_of

VIEW: Final = AccountTotals()
TOTALS: Final = table_of(VIEW, VIEW.name)
JOURNAL: Final = table_of(JournalTotals("UTC"), JournalTotals.name)
KEYS: Final = key_columns(VIEW)
SUMS: Final = tuple(column.name for column in VIEW.columns if column.merge is Merge.ADD)
TOLD: Final = LEVELS[1:]
"""Levels that are counted; accounts of none are the others."""


def kept_beside(projections: Sequence[Projection]) -> list[View]:
    """Views that change with some of these, told by the rows of theirs."""
    return [VIEW for projection in projections if projection.name == Accounts.name]


@contextmanager
def kept(connection: Connection, projection: Projection, rows: Sequence[Row]) -> Iterator[None]:
    """Bring the totals along while a batch of a shard's accounts is written in the block."""
    is_of_accounts = projection.name == Accounts.name
    moved = [row["account_no"] for row in rows if _is_moved(row)] if is_of_accounts else []
    if not moved:
        yield
        return
    shard: Any = rows[0]["shard"]
    these = (ACCOUNTS.c.shard == shard, any_of(connection, ACCOUNTS.c.account_no, moved))
    _add(connection, _counted(connection, ACCOUNTS, sign=-1).where(*these))
    yield
    _add(connection, _counted(connection, ACCOUNTS).where(*these))
    connection.execute(delete(TOTALS).where(TOTALS.c.shard == shard, TOTALS.c.accounts == 0))


def _is_moved(row: Row) -> bool:
    """Whether an account is counted elsewhere afterwards; mostly its readings alone change."""
    return "supply" in row or "status" in row or "user_group" in row


def _add(connection: Connection, counted: Select[Any]) -> None:
    made = insert_into(connection, TOTALS).from_select([*KEYS, *SUMS], counted)
    merged = {name: TOTALS.c[name] + made.excluded[name] for name in SUMS}
    connection.execute(made.on_conflict_do_update(index_elements=KEYS, set_=merged))


def recount(connection: Connection, accounts: str, into: str) -> None:
    """Fill an empty table of totals from a whole table of accounts."""
    counted = _counted(connection, table_of(Accounts(), accounts))
    connection.execute(insert(table_of(VIEW, into)).from_select([*KEYS, *SUMS], counted))


def _counted(connection: Connection, accounts: Table, sign: int = 1) -> Select[Any]:
    """The totals of open accounts, to be added or taken away."""
    supply, sums = accounts.c.supply, sign * func.count()
    is_at = {level: has_point(connection, supply, "level", level) for level in TOLD}
    keys = func.jsonb_object_keys if is_postgresql(connection) else func.json_each
    points = keys(supply).table_valued("key", joins_implicitly=True)
    each = (
        select(func.count()).select_from(points).scalar_subquery(),
        case((has_point(connection, supply, "intended", "off"), 1), else_=0),
        *(case((_is_highest(is_at, level), 1), else_=0) for level in TOLD),
    )
    by = [accounts.c[name] for name in KEYS]
    return (
        select(*by, sums, *(sign * func.sum(one) for one in each))
        .where(accounts.c.status == "open")
        .group_by(*by)
    )


def _is_highest(is_at: dict[str, ColumnElement[bool]], level: str) -> ColumnElement[bool]:
    higher = TOLD[TOLD.index(level) + 1 :]
    return and_(is_at[level], *(~is_at[other] for other in higher))


def totals(connection: Connection, reach: Reach, shards: int) -> Json:
    """Sums of everything in reach: accounts, points, money by currency, levels, supply."""
    seen = _in_reach(connection, reach, shards)
    sums = [func.sum(seen.c[name]).label(name) for name in SUMS]
    by_currency = select(seen.c.currency, *sums).group_by(seen.c.currency)
    rows = connection.execute(by_currency.order_by(seen.c.currency)).mappings().all()
    found = {name: sum(int(row[name]) for row in rows) for name in SUMS}
    told = {level: found[level] for level in TOLD}
    balances = _balances(connection, reach)
    return {
        "accounts": found["accounts"],
        "service_points": found["service_points"],
        "supply_off": found["supply_off"],
        "alert_levels": {LEVELS[0]: found["accounts"] - sum(told.values()), **told},
        "balances": [
            {"currency": row["currency"], "balance_minor": balances.get(row["currency"], 0)}
            for row in rows
        ],
    }


def _balances(connection: Connection, reach: Reach) -> dict[str, int]:
    """Sums by currency: of all from the books, which are few rows; of some from their accounts."""
    books, accounts = JOURNAL.c, ACCOUNTS.c
    if reach.is_everything:
        held = func.sum(books.credit_minor - books.debit_minor)
        found = select(books.currency, held).where(
            books.ledger_account.in_((LIABILITY, RECEIVABLE))
        )
        rows = connection.execute(found.group_by(books.currency))
    else:
        found = select(accounts.currency, func.sum(accounts.balance_minor))
        rows = connection.execute(found.where(*within(reach)).group_by(accounts.currency))
    return {currency: int(held) for currency, held in rows}


def accounts_by(connection: Connection, column: str, reach: Reach, shards: int) -> list[Json]:
    """How many open accounts there are of each `site` or `user_group`."""
    seen = _in_reach(connection, reach, shards)
    by = seen.c[column]
    rows = connection.execute(
        select(by.label("name"), func.sum(seen.c.accounts).label("accounts"))
        .group_by(by)
        .order_by(by)
    )
    return [{"name": row.name, "accounts": int(row.accounts)} for row in rows]


def _in_reach(connection: Connection, reach: Reach, shards: int) -> Subquery:
    """Rows of totals that somebody may see; those of one account are counted."""
    if reach.account_no is None:
        sites = () if reach.sites is None else (TOTALS.c.site.in_(sorted(reach.sites)),)
        return select(TOTALS).where(*sites).subquery()
    home = ACCOUNTS.c.shard == shard_of(reach.account_no, shards)
    counted = _counted(connection, ACCOUNTS).where(home, *within(reach))
    return counted.subquery()
