"""Pages of the accounts view: filtered, in order, by key; sums over all that may be seen."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONPATH

from adapters.store.dialects import by_shard, is_postgresql
from adapters.store.tables import claims
from adapters.views.accounts import ACCOUNTS, Json
from ledger.access import Reach
from ledger.aggregates.account.state import DAYS_MAX, LEVELS
from ledger.queries import LIMIT_MAX, AccountsAsked, Order, Page, cursor_of, key_of
from ledger.values import claim_shard, shard_of

Shown = Callable[[Any], Json]
"""How much of a row is told."""
_number: Final = tuple_(ACCOUNTS.c.shard, ACCOUNTS.c.account_no)
METERS_FOUND_MAX: Final = 1_000
_available: Final = ACCOUNTS.c.balance_minor + ACCOUNTS.c.granted_minor
_days_left: Final = case(
    (_available <= 0, 0),
    (
        and_(ACCOUNTS.c.week_minor > 0, ACCOUNTS.c.week_minor * DAYS_MAX > _available * 7),
        (_available * 7).op("/", return_type=Integer())(ACCOUNTS.c.week_minor),
    ),
    else_=DAYS_MAX,
)
_SORTS: Final[dict[Order, ColumnElement[Any]]] = {
    "balance": ACCOUNTS.c.balance_minor,
    "-balance": -ACCOUNTS.c.balance_minor,
    "days_left": _days_left,
}


def page_of_accounts(
    connection: Connection, asked: AccountsAsked, reach: Reach, shards: int, shown: Shown
) -> Page:
    """One page; in order of shard and number its cursor holds the last account's number."""
    statement = select(ACCOUNTS).where(*_filters(connection, asked, shards), *within(reach))
    limit = min(asked.limit, LIMIT_MAX)
    if asked.sort == "account_no":
        if asked.cursor is not None:
            (number,) = key_of(asked.cursor, asked.sort, str)
            behind = tuple_(literal(shard_of(number, shards)), literal(number))
            statement = statement.where(_number > behind)
        rows = connection.execute(statement.order_by(*_number).limit(limit))
        items = [shown(row) for row in rows]
        is_full = len(items) == limit
        return Page(items, cursor_of(asked.sort, items[-1]["account_no"]) if is_full else None)
    return _by_value(connection, statement, asked, limit, shown)


def numbers_of_accounts(
    connection: Connection, asked: AccountsAsked, reach: Reach, shards: int
) -> list[str]:
    """Numbers of the accounts that a filter finds, as many as its limit says."""
    statement = select(ACCOUNTS.c.account_no).where(
        *_filters(connection, asked, shards), *within(reach)
    )
    return list(connection.scalars(statement.order_by(*_number).limit(asked.limit)))


def within(reach: Reach) -> list[ColumnElement[bool]]:
    """What keeps a query of accounts inside somebody's reach."""
    bounds: list[ColumnElement[bool]] = []
    if reach.account_no is not None:
        bounds.append(ACCOUNTS.c.account_no == reach.account_no)
    if reach.sites is not None:
        bounds.append(ACCOUNTS.c.site.in_(sorted(reach.sites)))
    return bounds


def accounts_numbered(
    connection: Connection, numbers: Sequence[str], shards: int, shown: Shown
) -> list[Json]:
    """The accounts with these numbers."""
    statement = select(ACCOUNTS).where(_among(connection, numbers, shards))
    return [shown(row) for row in connection.execute(statement)]


def owners_of_meters(
    connection: Connection, meter_nos: Sequence[str], shards: int
) -> dict[str, str]:
    """Numbers of the accounts that these meters count for now."""
    wanted = [(claim_shard("meter", number, shards), number) for number in meter_nos]
    rows = connection.execute(
        select(claims.c.key, claims.c.owner).where(
            claims.c.kind == "meter", by_shard(connection, claims.c.shard, claims.c.key, wanted)
        )
    )
    return {row.key: row.owner for row in rows}


def sites_of_accounts(
    connection: Connection, numbers: Sequence[str], shards: int
) -> dict[str, str]:
    """Sites of accounts by their numbers; one that is not there is left out."""
    among = _among(connection, numbers, shards)
    statement = select(ACCOUNTS.c.account_no, ACCOUNTS.c.site).where(among)
    return {row.account_no: row.site for row in connection.execute(statement)}


def _among(connection: Connection, numbers: Sequence[str], shards: int) -> ColumnElement[bool]:
    wanted = [(shard_of(number, shards), number) for number in numbers]
    return by_shard(connection, ACCOUNTS.c.shard, ACCOUNTS.c.account_no, wanted)


def _by_value(
    connection: Connection,
    statement: Select[Any],
    asked: AccountsAsked,
    limit: int,
    shown: Shown,
) -> Page:
    value = _SORTS[asked.sort]
    key = tuple_(value, ACCOUNTS.c.shard, ACCOUNTS.c.account_no)
    if asked.cursor is not None:
        behind = key_of(asked.cursor, asked.sort, int, int, str)
        statement = statement.where(key > tuple_(*map(literal, behind)))
    ordered = statement.add_columns(value.label("sorted_by")).order_by(*key).limit(limit)
    rows = connection.execute(ordered).all()
    items = [shown(row) for row in rows]
    is_full = len(rows) == limit
    last = rows[-1] if is_full else None
    onwards = None if last is None else (last.sorted_by, last.shard, last.account_no)
    return Page(items, None if onwards is None else cursor_of(asked.sort, *onwards))


def _filters(
    connection: Connection, asked: AccountsAsked, shards: int
) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if asked.q:
        filters.append(_matches(asked.q, shards))
    if asked.site:
        filters.append(ACCOUNTS.c.site == asked.site)
    if asked.group:
        filters.append(ACCOUNTS.c.user_group == asked.group)
    if asked.alert_level:
        filters += _at_level(connection, asked.alert_level)
    if asked.supply:
        filters.append(has_point(connection, ACCOUNTS.c.supply, "intended", asked.supply))
    return filters


def _matches(wanted: str, shards: int) -> ColumnElement[bool]:
    """Part of the account's number, or of a number of a meter that counts for it."""
    lowered = wanted.lower()
    owners = (
        select(claims.c.owner)
        .where(
            claims.c.shard.in_(range(shards)),  # The key begins with it: payments are passed over.
            claims.c.kind == "meter",
            func.lower(claims.c.key).contains(lowered, autoescape=True),
        )
        .limit(METERS_FOUND_MAX)
    )
    number = func.lower(ACCOUNTS.c.account_no).contains(lowered, autoescape=True)
    return or_(number, ACCOUNTS.c.account_no.in_(owners))


def _at_level(connection: Connection, level: str) -> list[ColumnElement[bool]]:
    """Accounts whose highest level is this one."""
    index = LEVELS.index(level)
    higher = [
        ~has_point(connection, ACCOUNTS.c.supply, "level", other) for other in LEVELS[index + 1 :]
    ]
    return (
        higher
        if index == 0
        else [has_point(connection, ACCOUNTS.c.supply, "level", level), *higher]
    )


def has_point(
    connection: Connection, supply: ColumnElement[Any], particular: str, value: str
) -> ColumnElement[bool]:
    """Whether the supply of any service point of an account says this."""
    if is_postgresql(connection):
        path = f'$.*.{particular} ? (@ == "{value}")'
        return func.jsonb_path_exists(supply, cast(path, JSONPATH))
    point = func.json_each(supply).table_valued("value", joins_implicitly=True)
    says = func.json_extract(point.c.value, f"$.{particular}") == value
    # A look for the letters is cheap: most rows need not be taken apart.
    is_written = func.instr(supply, f'"{particular}":"{value}"') > 0
    return and_(is_written, exists(select(literal(1)).select_from(point).where(says)))
