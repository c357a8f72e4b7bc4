"""Batches of commands: a page of them, one with each of its orders, and those that are due."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, case, func, literal, or_, select, tuple_

from adapters.views.accounts import Json
from adapters.views.device_queue import COMMANDS
from adapters.views.tables import table_of
from ledger.access import Reach
from ledger.projections.command_batches import BatchOrders, CommandBatches
from ledger.queries import LIMIT_MAX, Asked, Page, cursor_of, key_of
from ledger.values import rfc3339

BATCHES: Final = table_of(CommandBatches(), CommandBatches.name)
ORDERS: Final = table_of(BatchOrders(), BatchOrders.name)

WAITING: Final = "waiting"
NOT_ORDERED: Final = "not_ordered"
_commands: Final = and_(
    COMMANDS.c.shard == ORDERS.c.command_shard, COMMANDS.c.command_id == ORDERS.c.command_id
)
_status: Final = case(
    (ORDERS.c.code != "", NOT_ORDERED),
    (ORDERS.c.command_id == "", WAITING),
    else_=func.coalesce(COMMANDS.c.status, "requested"),  # Its shard may be behind.
)


class DueBatch(NamedTuple):
    """A batch whose time to be approved has passed, or that stands still half-way."""

    batch_id: str
    status: str
    actor: str
    """Who let it run."""


def page_of_batches(connection: Connection, asked: Asked, reach: Reach) -> Page:
    """Batches, the newest first; by `status` or `kind`."""
    key = (-BATCHES.c.requested_us, BATCHES.c.shard, BATCHES.c.batch_id)
    statement = (
        select(BATCHES, key[0].label("since"))
        .where(*(BATCHES.c[name] == value for name, value in asked.where.items()))
        .order_by(*key)
    )
    if asked.cursor is not None:
        behind = key_of(asked.cursor, BATCHES.name, int, int, str)
        statement = statement.where(tuple_(*key) > tuple_(*map(literal, behind)))
    limit = min(asked.limit, LIMIT_MAX)
    if reach.is_everything:
        statement = statement.limit(limit)  # Else there are few, and most are passed over.
    rows = [row for row in connection.execute(statement) if _is_within(row, reach)][:limit]
    counts = _counts(connection, [(row.shard, row.batch_id) for row in rows])
    last = rows[-1] if len(rows) == limit else None
    place = None if last is None else (last.since, last.shard, last.batch_id)
    cursor = None if place is None else cursor_of(BATCHES.name, *place)
    return Page([_batch(row, counts.get(row.batch_id, {})) for row in rows], cursor)


def read_batch_of_commands(connection: Connection, batch_id: str, reach: Reach) -> Json | None:
    """One batch with each of its orders; None where there is none in reach."""
    row = connection.execute(select(BATCHES).where(BATCHES.c.batch_id == batch_id)).first()
    if row is None or not _is_within(row, reach):
        return None
    orders = connection.execute(
        select(ORDERS, COMMANDS.c.outcome, _status.label("status"))
        .outerjoin(COMMANDS, _commands)
        .where(ORDERS.c.shard == row.shard, ORDERS.c.batch_id == batch_id)
        .order_by(ORDERS.c.number)
    ).all()
    counts: dict[str, int] = {}
    for order in orders:
        counts[order.status] = counts.get(order.status, 0) + 1
    return {**_batch(row, counts), "orders": [_order(order) for order in orders]}


def due_batches(connection: Connection, now_us: int, still_since_us: int) -> list[DueBatch]:
    """What nobody approved by now, and what runs and has stood still since a time."""
    waits = and_(
        BATCHES.c.status == "awaiting_approval", BATCHES.c.approve_until_us.between(1, now_us)
    )
    stands = and_(BATCHES.c.status == "running", BATCHES.c.updated_us <= still_since_us)
    rows = connection.execute(select(BATCHES).where(or_(waits, stands)))
    return [DueBatch(row.batch_id, row.status, row.decided_by or row.requested_by) for row in rows]


def _counts(
    connection: Connection, batches: Sequence[tuple[int, str]]
) -> dict[str, dict[str, int]]:
    """How many orders of each batch are of which status."""
    counts: dict[str, dict[str, int]] = {}
    if batches:
        grouped = (
            select(ORDERS.c.batch_id, _status.label("status"), func.count().label("orders"))
            .outerjoin(COMMANDS, _commands)
            .where(tuple_(ORDERS.c.shard, ORDERS.c.batch_id).in_(batches))
            .group_by(ORDERS.c.batch_id, _status)
        )
        for row in connection.execute(grouped):
            counts.setdefault(row.batch_id, {})[row.status] = row.orders
    return counts


def _is_within(row: Any, reach: Reach) -> bool:  # noqa: ANN401 - a database row
    """Whether whoever asked for it sees no site that is hidden from the one who reads."""
    if reach.is_everything:
        return True
    sites = set(row.sites.split("\n")) - {""}
    return reach.sites is not None and bool(sites) and reach.sites.issuperset(sites)


def _batch(row: Any, counts: dict[str, int]) -> Json:  # noqa: ANN401 - a database row
    return {
        "batch_id": row.batch_id,
        "kind": row.kind,
        "status": row.status,
        "reason": row.reason,
        "count": row.orders,
        "counts": dict(sorted(counts.items())),
        "requested_by": row.requested_by,
        "requested_at": rfc3339(row.requested_us),
        "approve_until": rfc3339(row.approve_until_us) if row.approve_until_us else None,
        "decided_by": row.decided_by or None,
        "expires_at": rfc3339(row.expires_us) if row.expires_us else None,
        "updated_at": rfc3339(row.updated_us),
        "shard": row.shard,
        "position": row.position,
    }


def _order(row: Any) -> Json:  # noqa: ANN401 - a database row
    return {
        "index": row.number,
        "account_no": row.account_no,
        "service_point": row.point or None,
        "command_id": row.command_id or None,
        "status": row.status,
        "code": row.code,
        "outcome": row.reason or row.outcome or "",
    }
