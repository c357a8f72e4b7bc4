"""Pages of the accounts view: filtered, in order, by key; sums over all that may be seen."""

from collections.abc import Sequence
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
    text,
    tuple_,
)

from adapters.store.dialects import is_postgresql
from adapters.store.tables import claims
from adapters.views.accounts import ACCOUNTS, Json, TariffOf, account_body
from adapters.views.tables import table_of
from ledger.access import Reach
from ledger.aggregates import Refused
from ledger.aggregates.account.state import DAYS_MAX, LEVELS
from ledger.projections.alerts import Alerts
from ledger.queries import LIMIT_MAX, AccountsAsked, Order, Page, cursor_of, key_of

ALERTS: Final = table_of(Alerts(), Alerts.name)
METERS_FOUND_MAX: Final = 1_000
_AVAILABLE: Final = ACCOUNTS.c.balance_minor + ACCOUNTS.c.granted_minor
_DAYS_LEFT: Final = case(
    (_AVAILABLE <= 0, 0),
    (
        and_(ACCOUNTS.c.week_minor > 0, _AVAILABLE * 7 < DAYS_MAX * ACCOUNTS.c.week_minor),
        (_AVAILABLE * 7).op("/", return_type=Integer())(ACCOUNTS.c.week_minor),
    ),
    else_=DAYS_MAX,
)
_SORTS: Final[dict[Order, ColumnElement[Any]]] = {
    "balance": ACCOUNTS.c.balance_minor,
    "-balance": -ACCOUNTS.c.balance_minor,
    "days_left": _DAYS_LEFT,
}


def page_of_accounts(
    connection: Connection, asked: AccountsAsked, reach: Reach, tariff_of: TariffOf
) -> Page:
    """One page; in order of shard and number its cursor is the last account's number."""
    statement = select(ACCOUNTS).where(*_filters(connection, asked), *within(reach))
    limit = min(asked.limit, LIMIT_MAX)
    if asked.sort == "account_no":
        return _by_number(connection, statement, asked.cursor, limit, tariff_of)
    return _by_value(connection, statement, asked, limit, tariff_of)


def within(reach: Reach) -> list[ColumnElement[bool]]:
    """What keeps a query of accounts inside somebody's reach."""
    bounds: list[ColumnElement[bool]] = []
    if reach.account_no is not None:
        bounds.append(ACCOUNTS.c.account_no == reach.account_no)
    if reach.sites is not None:
        bounds.append(ACCOUNTS.c.site.in_(sorted(reach.sites)))
    return bounds


def accounts_numbered(
    connection: Connection, numbers: Sequence[str], tariff_of: TariffOf
) -> list[Json]:
    """The accounts with these numbers."""
    statement = select(ACCOUNTS).where(ACCOUNTS.c.account_no.in_(numbers))
    return [account_body(row, tariff_of) for row in connection.execute(statement)]


def _by_number(
    connection: Connection,
    statement: Select[Any],
    cursor: str | None,
    limit: int,
    tariff_of: TariffOf,
) -> Page:
    key = tuple_(ACCOUNTS.c.shard, ACCOUNTS.c.account_no)
    if cursor is not None:
        home = select(ACCOUNTS.c.shard).where(ACCOUNTS.c.account_no == cursor)
        shard = connection.scalar(home)
        if shard is None:
            raise Refused("cursor_invalid", "This cursor does not belong to this list; begin anew.")
        statement = statement.where(key > tuple_(literal(shard), literal(cursor)))
    rows = connection.execute(statement.order_by(*key).limit(limit)).all()
    items = [account_body(row, tariff_of) for row in rows]
    return Page(items, items[-1]["account_no"] if len(items) == limit else None)


def _by_value(
    connection: Connection,
    statement: Select[Any],
    asked: AccountsAsked,
    limit: int,
    tariff_of: TariffOf,
) -> Page:
    value = _SORTS[asked.sort]
    key = tuple_(value, ACCOUNTS.c.shard, ACCOUNTS.c.account_no)
    if asked.cursor is not None:
        behind = key_of(asked.cursor, int, int, str)
        statement = statement.where(key > tuple_(*map(literal, behind)))
    ordered = statement.add_columns(value.label("sorted_by")).order_by(*key).limit(limit)
    rows = connection.execute(ordered).all()
    items = [account_body(row, tariff_of) for row in rows]
    is_full = len(rows) == limit
    last = rows[-1] if is_full else None
    return Page(items, last and cursor_of(last.sorted_by, last.shard, last.account_no))


def _filters(connection: Connection, asked: AccountsAsked) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if asked.q:
        filters.append(_matches(asked.q))
    if asked.site:
        filters.append(ACCOUNTS.c.site == asked.site)
    if asked.group:
        filters.append(ACCOUNTS.c.user_group == asked.group)
    if asked.alert_level:
        filters += _at_level(connection, asked.alert_level)
    if asked.supply:
        filters.append(_has_point(connection, "intended", asked.supply))
    return filters


def _matches(wanted: str) -> ColumnElement[bool]:
    """Part of the account's number, or of a number of a meter that counts for it."""
    lowered = wanted.lower()
    owners = (
        select(claims.c.owner)
        .where(
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
    higher = [~_has_point(connection, "level", other) for other in LEVELS[index + 1 :]]
    return higher if index == 0 else [_has_point(connection, "level", level), *higher]


def _has_point(connection: Connection, particular: str, value: str) -> ColumnElement[bool]:
    """Whether any service point of an account has this in its supply."""
    if is_postgresql(connection):
        path = func.format(f'$.*."{particular}" ? (@ == "%s")', value)
        return func.jsonb_path_exists(ACCOUNTS.c.supply, text("CAST(:path AS jsonpath)").bindparams()) if False else func.jsonb_path_exists(ACCOUNTS.c.supply, cast(path, _JSONPATH))
    each = func.json_each(ACCOUNTS.c.supply).table_valued("value")
    return exists(
        select(literal(1)).where(func.json_extract(each.c.value, f"$.{particular}") == value)
    )
