"""The event log: append-only by trigger on both databases, and by grant on PostgreSQL."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0001"
down_revision = None

STREAM_ID = sa.Text().with_variant(UUID(as_uuid=False), "postgresql")

SQLITE_GUARDS = (
    """CREATE TRIGGER events_no_update BEFORE UPDATE ON events
       BEGIN SELECT RAISE(ABORT, 'The event log is append-only.'); END""",
    """CREATE TRIGGER events_no_delete BEFORE DELETE ON events
       BEGIN SELECT RAISE(ABORT, 'The event log is append-only.'); END""",
)
POSTGRESQL_GUARDS = (
    """CREATE FUNCTION wattledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'The event log is append-only.'; END $$""",
    """CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON events
       FOR EACH ROW EXECUTE FUNCTION wattledger_refuse()""",
    """CREATE TRIGGER events_no_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON events
       FOR EACH STATEMENT EXECUTE FUNCTION wattledger_refuse()""",
    # ALWAYS: a session that plays the replica would pass over an ordinary trigger.
    "ALTER TABLE events ENABLE ALWAYS TRIGGER events_no_change",
    "ALTER TABLE events ENABLE ALWAYS TRIGGER events_no_statement",
    "REVOKE UPDATE, DELETE, TRUNCATE ON events FROM PUBLIC",
    "REVOKE UPDATE, DELETE, TRUNCATE ON events FROM CURRENT_USER",
    # Head rows are updated with every commit: room on the page keeps that in place.
    "ALTER TABLE log_heads SET (fillfactor = 10, autovacuum_vacuum_threshold = 50)",
)


def upgrade() -> None:
    """Make the log, its heads, claims, snapshots, vault and settings."""
    op.create_table(
        "events",
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("stream_id", STREAM_ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("valid_at", sa.BigInteger, nullable=False),
        sa.Column("command_id", sa.Text),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("shard", "position", name="events_pkey"),
    )
    # By era, 2^20 positions each: writers stay in the newest part of it (docs/decisions/0024).
    op.execute(
        "CREATE UNIQUE INDEX events_stream_version "
        "ON events (shard, (position >> 20), stream_id, version)"
    )
    op.create_table(
        "log_heads",
        sa.Column("shard", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("shard", name="log_heads_pkey"),
    )
    op.create_table(
        "claims",
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("shard", "kind", "key", name="claims_pkey"),
    )
    op.create_table(
        "snapshots",
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("stream_id", STREAM_ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("fold_hash", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("shard", "stream_id", "version", name="snapshots_pkey"),
    )
    op.create_table(
        "vault",
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("account_no", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("shard", "account_no", "field", name="vault_pkey"),
    )
    op.create_table(
        "ledger_settings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_GUARDS if is_sqlite else POSTGRESQL_GUARDS:
        op.execute(statement)
