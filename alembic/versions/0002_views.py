"""The views and the feeds' positions; rows are rebuilt from the log at any time."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0002"
down_revision = "0001"

JSON = sa.Text().with_variant(JSONB(), "postgresql")
STREAM_ID = sa.Text().with_variant(UUID(as_uuid=False), "postgresql")
TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "int": sa.BigInteger(),
    "text": sa.Text(),
    "json": JSON,
}

VIEWS = {
    "accounts": (
        "shard:int account_no:text",
        (
            "status:text currency:text timezone:text site:text user_group:text points:json "
            "supply:json balance_minor:int granted_minor:int week_minor:int day:int usage:json "
            "version:int position:int"
        ),
    ),
    "account_totals": (
        "shard:int site:text user_group:text currency:text",
        "accounts:int service_points:int supply_off:int remind:int warn:int trip:int",
    ),
    "alerts": (
        "shard:int account_no:text point:text",
        "level:text topic:text since_us:int due_us:int position:int trace:json",
    ),
    "energy_by_day": (
        "shard:int account_no:text point:text register:text day:text",
        "unit:text quantity:int",
    ),
    "journal_totals": (
        "shard:int day:text ledger_account:text currency:text",
        "debit_minor:int credit_minor:int",
    ),
    "quarantine": (
        "shard:int position:int",
        "meter_no:text account_no:text at_us:int registers:json code:text reason:text",
    ),
    "statements": (
        "shard:int account_no:text day:text month:text",
        (
            "recharged_minor:int reversed_minor:int charged_minor:int adjusted_minor:int "
            "granted_minor:int granted_used_minor:int units_bought_minor:int units_used_minor:int "
            "quantity_wh:int quantity_l:int balance_after_minor:int granted_after_minor:int "
            "position:int"
        ),
    ),
}


def upgrade() -> None:
    """Make every view of the first release, empty and at version 1."""
    op.create_table(
        "feed_positions",
        sa.Column("shard", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("shard", "feed"),
    )
    op.create_table(
        "feed_parked",
        sa.Column("shard", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("stream_id", STREAM_ID, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("shard", "feed", "stream_id"),
    )
    versions = op.create_table(
        "view_versions",
        sa.Column("view", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for name, (keys, values) in VIEWS.items():
        op.create_table(
            name,
            *(_column(spec, nullable=False) for spec in keys.split()),
            *(_column(spec, nullable=True) for spec in values.split()),
            sa.PrimaryKeyConstraint(*(spec.split(":")[0] for spec in keys.split())),
        )
        if is_postgresql:
            op.execute(f"ALTER TABLE {name} SET (fillfactor = {50 if name == 'accounts' else 70})")
    op.bulk_insert(versions, [{"view": name, "version": 1} for name in VIEWS])


def _column(spec: str, *, nullable: bool) -> "sa.Column[Any]":
    name, kind = spec.split(":")
    return sa.Column(name, TYPES[kind], nullable=nullable, autoincrement=False)
