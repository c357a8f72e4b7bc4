"""The daily report: what each account held, moved and was charged for on days of booking."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from adapters.store.dialects import any_of
from adapters.views.account_lines import account_line
from adapters.views.account_money import MOVED, STATEMENTS, paid_net, total
from adapters.views.account_pages import within
from adapters.views.accounts import ACCOUNTS, Json
from ledger.access import Reach
from ledger.commands.quantities import decimal_text
from ledger.queries import LIMIT_MAX, DailyAsked, Page, cursor_of, key_of
from ledger.values import shard_of

Moved = Mapping[Any, int]
LIST: Final = "daily"
CLOSING: Final = ("closing_minor", "granted_closing_minor")
SHOWN: Final = tuple(name for name in MOVED if name.endswith("_minor"))
WORST: Final = ("off", "unknown", "on")
"""An account with several points is told by the one that is worst off."""

_number: Final = tuple_(ACCOUNTS.c.shard, ACCOUNTS.c.account_no)
_own: Final = and_(
    STATEMENTS.c.shard == ACCOUNTS.c.shard, STATEMENTS.c.account_no == ACCOUNTS.c.account_no
)


def page_of_days(connection: Connection, asked: DailyAsked, reach: Reach, shards: int) -> Page:
    """One page of accounts that were booked to by then, each over all of the days."""
    limit = min(asked.limit, LIMIT_MAX)
    statement = _told(asked, reach).order_by(*_number).limit(limit)
    if asked.cursor is not None:
        (number,) = key_of(asked.cursor, LIST, str)
        behind = tuple_(literal(shard_of(number, shards)), literal(number))
        statement = statement.where(_number > behind)
    rows = connection.execute(statement).all()
    moved = _moved(connection, rows, asked)
    items = [_item(row, moved.get(row.account_no), asked) for row in rows]
    is_full = len(items) == limit
    return Page(items, cursor_of(LIST, items[-1]["account_no"]) if is_full else None)


def sums_of_days(connection: Connection, asked: DailyAsked, reach: Reach) -> list[Json]:
    """The same of all accounts together, by currency."""
    told = _told(asked, reach).subquery()
    closing = select(
        told.c.currency,
        func.count().label("accounts"),
        *(total(told.c[name]) for name in CLOSING),
    ).group_by(told.c.currency)
    moving = (
        select(ACCOUNTS.c.currency, *(total(STATEMENTS.c[name]) for name in MOVED))
        .join(STATEMENTS, _own)
        .where(_days(asked), *_filters(asked), *within(reach))
        .group_by(ACCOUNTS.c.currency)
    )
    moved = {row["currency"]: row for row in connection.execute(moving).mappings()}
    return [
        {"currency": row.currency, "accounts": row.accounts, **_sums(row, moved.get(row.currency))}
        for row in connection.execute(closing.order_by(told.c.currency))
    ]


def _told(asked: DailyAsked, reach: Reach) -> Select[Any]:
    """Accounts with what their wallets held at the end of the days."""
    closing = [_last(asked, name) for name in ("balance_after_minor", "granted_after_minor")]
    holds = [held != 0 for held in closing]
    in_days = exists().where(_own, _days(asked))
    return select(
        ACCOUNTS, *(held.label(name) for held, name in zip(closing, CLOSING, strict=True))
    ).where(
        exists().where(_own, STATEMENTS.c.day <= asked.last_day),
        or_(ACCOUNTS.c.status == "open", *holds, in_days),
        *_filters(asked),
        *within(reach),
    )


def _filters(asked: DailyAsked) -> list[ColumnElement[bool]]:
    given = ((ACCOUNTS.c.site, asked.site), (ACCOUNTS.c.user_group, asked.group))
    return [column == wanted for column, wanted in given if wanted]


def _days(asked: DailyAsked) -> ColumnElement[bool]:
    return STATEMENTS.c.day.between(asked.first_day, asked.last_day)


def _last(asked: DailyAsked, column: str) -> ScalarSelect[Any]:
    """A wallet after the last fact that was booked to the account until then."""
    return (
        select(STATEMENTS.c[column])
        .where(_own, STATEMENTS.c.day <= asked.last_day)
        .order_by(STATEMENTS.c.day.desc(), STATEMENTS.c.position.desc())
        .limit(1)
        .correlate(ACCOUNTS)
        .scalar_subquery()
    )


def _moved(connection: Connection, rows: Sequence[Any], asked: DailyAsked) -> dict[str, Moved]:
    """Sums of those accounts of a page in which anything moved, a question for each shard."""
    found: dict[str, Any] = {}
    for shard, of_shard in groupby(rows, key=lambda row: row.shard):
        numbers = [row.account_no for row in of_shard]
        statement = (
            select(STATEMENTS.c.account_no, *(total(STATEMENTS.c[name]) for name in MOVED))
            .where(
                STATEMENTS.c.shard == shard,
                any_of(connection, STATEMENTS.c.account_no, numbers),
                _days(asked),
            )
            .group_by(STATEMENTS.c.account_no)
        )
        found |= {row["account_no"]: row for row in connection.execute(statement).mappings()}
    return found


def _item(row: Any, moved: Moved | None, asked: DailyAsked) -> Json:  # noqa: ANN401 - a database row
    line = account_line(row)
    return {
        "account_no": row.account_no,
        "site": row.site,
        "group": row.user_group,
        "status": row.status,
        "currency": row.currency,
        "from": asked.first_day,
        "to": asked.last_day,
        **_sums(row, moved),
        "alert_level": line["alert_level"],
        "supply_intended": _worst(line["supplies"], "intended"),
        "supply_actual": _worst(line["supplies"], "actual"),
    }


def _sums(row: Any, moved: Moved | None) -> Json:  # noqa: ANN401 - a database row
    """Opening is what is left when all that moved is taken from the closing."""
    sums = dict.fromkeys(MOVED, 0) if moved is None else {name: moved[name] for name in MOVED}
    granted_net = sums["granted_minor"] - sums["granted_used_minor"]
    return {
        "opening_minor": row.closing_minor - paid_net(sums),
        **{name: sums[name] for name in SHOWN},
        "closing_minor": row.closing_minor,
        "granted_opening_minor": row.granted_closing_minor - granted_net,
        "granted_closing_minor": row.granted_closing_minor,
        "quantity_kwh": decimal_text(sums["quantity_wh"]),
        "quantity_m3": decimal_text(sums["quantity_l"]),
    }


def _worst(supplies: Sequence[Json], particular: str) -> str:
    """Empty where nothing is supplied."""
    return min((supply[particular] for supply in supplies), key=WORST.index, default="")
