"""Gateways, meters, device commands, work orders and supply; who of several processes acts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TYPES: dict[str, type[sa.BigInteger | sa.Text]] = {"int": sa.BigInteger, "text": sa.Text}
VIEWS = {
    "commands": (
        "shard:int command_id:text",
        (
            "account_no:text point:text meter_no:text kind:text status:text reason:text cause:text "
            "by_hand:int attempts:int outcome:text work_order_no:text requested_us:int "
            "updated_us:int again_us:int expires_us:int position:int"
        ),
    ),
    "work_orders": (
        "shard:int work_order_no:text",
        (
            "account_no:text point:text meter_no:text command_id:text kind:text code:text "
            "reason:text status:text opened_us:int settled_us:int settled_by:text actual:text "
            "note:text position:int"
        ),
    ),
    "gateways": (
        "shard:int gateway_id:text",
        "url:text site:text registered_us:int position:int",
    ),
    "meters": (
        "shard:int meter_no:text",
        (
            "account_no:text point:text installed_us:int gateway_id:text unit:int model:text "
            "connected_us:int position:int"
        ),
    ),
    "holds": (
        "shard:int account_no:text point:text kind:text",
        "is_active:int since_us:int until_us:int reason:text position:int",
    ),
    "trip_switches": (
        "shard:int site:text",
        "is_suspended:int since_us:int until_us:int actor:text reason:text position:int",
    ),
    "command_batches": (
        "shard:int batch_id:text",
        (
            "kind:text status:text reason:text orders:int sites:text requested_by:text "
            "decided_by:text requested_us:int approve_until_us:int expires_us:int updated_us:int "
            "position:int"
        ),
    ),
    "batch_orders": (
        "shard:int batch_id:text number:int",
        (
            "account_no:text point:text command_shard:int command_id:text code:text reason:text "
            "position:int"
        ),
    ),
}


def upgrade() -> None:
    """Make the views empty and at version 1; a ledger that has events rebuilds them."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for name, (keys, values) in VIEWS.items():
        op.create_table(
            name,
            *(_column(spec, nullable=False) for spec in keys.split()),
            *(_column(spec, nullable=True) for spec in values.split()),
            sa.PrimaryKeyConstraint(*(spec.split(":")[0] for spec in keys.split())),
        )
        if is_postgresql:
            op.execute(f"ALTER TABLE {name} SET (fillfactor = 70)")
    versions = sa.table("view_versions", sa.column("view"), sa.column("version"))
    op.bulk_insert(versions, [{"view": name, "version": 1} for name in VIEWS])
    op.create_table(
        "leases",
        sa.Column("shard", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("shard", "name"),
    )


def _column(spec: str, *, nullable: bool) -> "sa.Column[Any]":
    name, kind = spec.split(":")
    return sa.Column(name, TYPES[kind](), nullable=nullable, autoincrement=False)
