"""Pages of what moves meters: device commands, work orders, gateways."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, literal, select, tuple_

from adapters.views.account_pages import within
from adapters.views.accounts import ACCOUNTS, Json
from adapters.views.tables import table_of
from ledger.access import Reach
from ledger.projections.commands import ENDED, Commands
from ledger.projections.holds import Holds
from ledger.projections.lines import Gateways, Meters
from ledger.projections.trip_switches import TripSwitches
from ledger.projections.work_orders import WorkOrders
from ledger.queries import LIMIT_MAX, Asked, Page, cursor_of, id_behind, key_of
from ledger.values import rfc3339

COMMANDS: Final = table_of(Commands(), Commands.name)
WORK_ORDERS: Final = table_of(WorkOrders(), WorkOrders.name)
GATEWAYS: Final = table_of(Gateways(), Gateways.name)
METERS: Final = table_of(Meters(), Meters.name)
HOLDS: Final = table_of(Holds(), Holds.name)
SWITCHES: Final = table_of(TripSwitches(), TripSwitches.name)
UNDER_WAY: Final = "open"
"""A status to ask for: every one of which more will come by itself."""


def page_of_commands(connection: Connection, asked: Asked, reach: Reach) -> Page:
    """Commands, the newest first; by `status`, `kind`, `account_no` or `meter_no`."""
    where = dict(asked.where)
    statement = select(COMMANDS)
    if where.get("status") == UNDER_WAY:
        del where["status"]
        statement = statement.where(COMMANDS.c.status.not_in(sorted(ENDED)))
    key = (-COMMANDS.c.requested_us, COMMANDS.c.shard, COMMANDS.c.command_id)
    return _page(connection, statement, COMMANDS, key, asked._replace(where=where), reach, _command)


def page_of_work_orders(connection: Connection, asked: Asked, reach: Reach) -> Page:
    """Work orders, the newest first; by `status`, `code` or `account_no`."""
    key = (-WORK_ORDERS.c.opened_us, WORK_ORDERS.c.shard, WORK_ORDERS.c.work_order_no)
    return _page(connection, select(WORK_ORDERS), WORK_ORDERS, key, asked, reach, _work_order)


def page_of_gateways(connection: Connection, asked: Asked, reach: Reach) -> Page:
    """Gateways in order of their ids, each with the number of its meters."""
    limit = min(asked.limit, LIMIT_MAX)
    meters = (
        select(func.count())
        .where(METERS.c.gateway_id == GATEWAYS.c.gateway_id, METERS.c.account_no != "")
        .scalar_subquery()
    )
    statement = select(GATEWAYS, meters.label("meters")).where(
        GATEWAYS.c.gateway_id > id_behind(asked.cursor, GATEWAYS.name),
        *(GATEWAYS.c[name] == value for name, value in asked.where.items()),
    )
    if reach.sites is not None:
        statement = statement.where(GATEWAYS.c.site.in_(sorted(reach.sites)))
    if reach.account_no is not None:
        return Page([])
    rows = connection.execute(statement.order_by(GATEWAYS.c.gateway_id).limit(limit)).all()
    items = [
        {
            "gateway_id": row.gateway_id,
            "url": row.url,
            "site": row.site,
            "meters": row.meters,
            "registered_at": rfc3339(row.registered_us),
        }
        for row in rows
    ]
    is_full = len(items) == limit
    return Page(items, cursor_of(GATEWAYS.name, items[-1]["gateway_id"]) if is_full else None)


def holds_of(connection: Connection, shard: int, account_no: str) -> list[Json]:
    """What protects the points of an account now, and the open cases of their supply."""
    rows = connection.execute(
        select(HOLDS)
        .where(HOLDS.c.shard == shard, HOLDS.c.account_no == account_no, HOLDS.c.is_active == 1)
        .order_by(HOLDS.c.point, HOLDS.c.kind)
    )
    return [
        {
            "service_point": row.point,
            "kind": row.kind,
            "reason": row.reason,
            "since": rfc3339(row.since_us),
            "until": rfc3339(row.until_us) if row.until_us else None,
        }
        for row in rows
    ]


def suspended_trips(connection: Connection, reach: Reach) -> list[Json]:
    """Where nobody is cut off for now, and who said so; everywhere comes first."""
    statement = select(SWITCHES).where(SWITCHES.c.is_suspended == 1).order_by(SWITCHES.c.site)
    return [
        {
            "site": row.site,
            "since": rfc3339(row.since_us),
            "until": rfc3339(row.until_us) if row.until_us else None,
            "by": row.actor,
            "reason": row.reason,
        }
        for row in connection.execute(statement)
        if not row.site or reach.sites is None or row.site in reach.sites
    ]


def account_of_command(connection: Connection, command_id: str) -> str | None:
    """Account whose meter a command is for."""
    found: str | None = connection.scalar(
        select(COMMANDS.c.account_no).where(COMMANDS.c.command_id == command_id)
    )
    return found


def line_of(connection: Connection, meter_no: str, shards: int) -> Json | None:
    """Where an installed meter is reached: gateway, unit and model."""
    row = connection.execute(
        select(METERS).where(
            METERS.c.shard.in_(range(shards)),  # The key begins with it.
            METERS.c.meter_no == meter_no,
            METERS.c.account_no != "",
        )
    ).first()
    if row is None or not row.gateway_id:
        return None
    return {"gateway_id": row.gateway_id, "unit": row.unit, "model": row.model}


def _page(
    connection: Connection,
    statement: Select[Any],
    table: Table,
    key: Sequence[ColumnElement[Any]],
    asked: Asked,
    reach: Reach,
    body: Callable[[Any], Json],
) -> Page:
    """A page in order of a time (falling), shard and id, kept within reach."""
    limit = min(asked.limit, LIMIT_MAX)
    at = (column.label(f"key_{number}") for number, column in enumerate(key))
    statement = (
        statement.add_columns(*at)
        .where(*(table.c[name] == value for name, value in asked.where.items()))
        .order_by(*key)
        .limit(limit)
    )
    if not reach.is_everything:
        home = and_(ACCOUNTS.c.shard == table.c.shard, ACCOUNTS.c.account_no == table.c.account_no)
        statement = statement.join(ACCOUNTS, home).where(*within(reach))
    if asked.cursor is not None:
        behind = key_of(asked.cursor, table.name, int, int, str)
        statement = statement.where(tuple_(*key) > tuple_(*map(literal, behind)))
    rows = connection.execute(statement).all()
    last = rows[-1] if len(rows) == limit else None
    place = None if last is None else (last.key_0, last.key_1, last.key_2)
    cursor = None if place is None else cursor_of(table.name, *place)
    return Page([body(row) for row in rows], cursor)


def _command(row: Any) -> Json:  # noqa: ANN401 - a database row
    return {
        "command_id": row.command_id,
        "account_no": row.account_no,
        "service_point": row.point,
        "meter_no": row.meter_no,
        "kind": row.kind,
        "status": row.status,
        "reason": row.reason,
        "by_hand": bool(row.by_hand),
        "attempts": row.attempts,
        "outcome": row.outcome,
        "work_order_no": row.work_order_no or None,
        "requested_at": rfc3339(row.requested_us),
        "updated_at": rfc3339(row.updated_us),
        "expires_at": rfc3339(row.expires_us) if row.expires_us else None,
        "shard": row.shard,
        "position": row.position,
    }


def _work_order(row: Any) -> Json:  # noqa: ANN401 - a database row
    return {
        "work_order_no": row.work_order_no,
        "account_no": row.account_no,
        "service_point": row.point,
        "meter_no": row.meter_no,
        "command_id": row.command_id,
        "kind": row.kind,
        "code": row.code,
        "reason": row.reason,
        "status": row.status,
        "opened_at": rfc3339(row.opened_us),
        "settled_at": rfc3339(row.settled_us) if row.settled_us else None,
        "settled_by": row.settled_by,
        "actual": row.actual,
        "note": row.note,
        "shard": row.shard,
        "position": row.position,
    }
