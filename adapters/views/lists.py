"""Pages of the smaller views: alerts, quarantine, published documents."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, Table, and_, literal, select, tuple_

from adapters.views.account_pages import within
from adapters.views.accounts import ACCOUNTS, Json
from adapters.views.tables import table_of
from ledger.access import Reach
from ledger.commands.quantities import decimal_text
from ledger.projections.alerts import Alerts
from ledger.projections.documents import Documents
from ledger.projections.quarantine import Quarantine
from ledger.queries import LIMIT_MAX, Asked, Page, cursor_of, id_behind, key_of
from ledger.values import rfc3339

ALERTS: Final = table_of(Alerts(), Alerts.name)
QUARANTINE: Final = table_of(Quarantine(), Quarantine.name)
DOCUMENTS: Final = table_of(Documents(), Documents.name)


def page_of_alerts(connection: Connection, asked: Asked, reach: Reach) -> Page:
    """Levels that hold, the newest first, with the money of their accounts."""
    key = tuple_(-ALERTS.c.since_us, ALERTS.c.shard, ALERTS.c.account_no, ALERTS.c.point)
    statement = (
        select(
            ALERTS,
            ACCOUNTS.c.site,
            ACCOUNTS.c.user_group,
            ACCOUNTS.c.currency,
            (ACCOUNTS.c.balance_minor + ACCOUNTS.c.granted_minor).label("available_minor"),
        )
        .join(
            ACCOUNTS,
            and_(ACCOUNTS.c.shard == ALERTS.c.shard, ACCOUNTS.c.account_no == ALERTS.c.account_no),
        )
        .where(ALERTS.c.level != "none", *within(reach))
        .order_by(*key)
    )
    statement = _equal(statement, ALERTS, asked.where)
    if asked.cursor is not None:
        behind = key_of(asked.cursor, ALERTS.name, int, int, str, str)
        statement = statement.where(key > tuple_(*map(literal, behind)))
    limit = min(asked.limit, LIMIT_MAX)
    rows = connection.execute(statement.limit(limit)).all()
    last = rows[-1] if len(rows) == limit else None
    place = None if last is None else (-last.since_us, last.shard, last.account_no, last.point)
    cursor = None if place is None else cursor_of(ALERTS.name, *place)
    return Page([_alert(row) for row in rows], cursor)


def why(connection: Connection, shard: int, account_no: str) -> list[Json]:
    """The last decision at each point of an account, with its trace."""
    rows = connection.execute(
        select(ALERTS)
        .where(ALERTS.c.shard == shard, ALERTS.c.account_no == account_no)
        .order_by(ALERTS.c.point)
    )
    return [{**_decision(row), "trace": _trace(row)} for row in rows]


def page_of_quarantine(connection: Connection, asked: Asked, reach: Reach) -> Page:
    """Readings that wait, the newest first; one of no account is in nobody's bounded reach."""
    key = tuple_(-QUARANTINE.c.position, QUARANTINE.c.shard)
    waiting = select(QUARANTINE).where(QUARANTINE.c.settled.is_(None))
    statement = _equal(waiting, QUARANTINE, asked.where).order_by(*key)
    if not reach.is_everything:
        mine = select(ACCOUNTS.c.account_no).where(*within(reach))
        statement = statement.where(QUARANTINE.c.account_no.in_(mine))
    if asked.cursor is not None:
        behind = key_of(asked.cursor, QUARANTINE.name, int, int)
        statement = statement.where(key > tuple_(*map(literal, behind)))
    limit = min(asked.limit, LIMIT_MAX)
    rows = connection.execute(statement.limit(limit)).all()
    place = (-rows[-1].position, rows[-1].shard) if len(rows) == limit else None
    cursor = None if place is None else cursor_of(QUARANTINE.name, *place)
    return Page([_quarantined(row) for row in rows], cursor)


def page_of_documents(connection: Connection, kind: str, asked: Asked) -> Page:
    """Published documents in order of their ids, without their text."""
    limit = min(asked.limit, LIMIT_MAX)
    statement = (
        select(DOCUMENTS)
        .where(DOCUMENTS.c.kind == kind, DOCUMENTS.c.id > id_behind(asked.cursor, kind))
        .order_by(DOCUMENTS.c.id)
        .limit(limit)
    )
    items = [_document(row) for row in connection.execute(statement)]
    is_full = len(items) == limit
    return Page(items, cursor_of(kind, items[-1][f"{kind}_id"]) if is_full else None)


def read_document(connection: Connection, kind: str, document_id: str) -> Json | None:
    """One document with its text as it was published."""
    at = and_(DOCUMENTS.c.kind == kind, DOCUMENTS.c.id == document_id)
    row = connection.execute(select(DOCUMENTS).where(at)).first()
    return None if row is None else {**_document(row), "document": _json(row.document)}


def _equal(statement: Select[Any], table: Table, where: Mapping[str, str | int]) -> Select[Any]:
    return statement.where(*(table.c[name] == value for name, value in where.items()))


def _decision(row: Any) -> Json:  # noqa: ANN401 - a database row
    return {
        "account_no": row.account_no,
        "service_point": row.point,
        "level": row.level,
        "decision": row.topic,
        "since": rfc3339(row.since_us),
        "due": rfc3339(row.due_us) if row.due_us else None,
        "shard": row.shard,
        "position": row.position,
    }


def _alert(row: Any) -> Json:  # noqa: ANN401 - a database row
    return {
        **_decision(row),
        "site": row.site,
        "group": row.user_group,
        "available_minor": row.available_minor,
        "currency": row.currency,
    }


def _quarantined(row: Any) -> Json:  # noqa: ANN401 - a database row
    registers = _json(row.registers)
    return {
        "reading_id": f"{row.meter_no}@{rfc3339(row.at_us)}",
        "meter_no": row.meter_no,
        "account_no": row.account_no or None,
        "at": rfc3339(row.at_us),
        "registers": {name: decimal_text(value) for name, value in registers.items()},
        "code": row.code,
        "reason": row.reason,
        "shard": row.shard,
        "position": row.position,
    }


def _document(row: Any) -> Json:  # noqa: ANN401 - a database row
    return {
        f"{row.kind}_id": row.id,
        "version": row.version,
        "published_at": rfc3339(row.published_us),
        "sha256": row.sha256,
        "position": row.position,
    }


def _trace(row: Any) -> Json | None:  # noqa: ANN401 - a database row
    return None if row.trace is None else _json(row.trace)


def _json(value: Any) -> Json:  # noqa: ANN401 - text on SQLite, an object on PostgreSQL
    found: Json = msgspec.json.decode(value) if isinstance(value, str) else value
    return found
