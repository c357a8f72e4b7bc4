"""The log's tables: what Alembic makes and the log writes. Every key begins with the shard."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    literal_column,
)
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

metadata = MetaData()

StreamId = Text().with_variant(PG_UUID(as_uuid=False), "postgresql")

events = Table(
    "events",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("stream_id", StreamId, nullable=False),
    Column("version", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("valid_at", BigInteger, nullable=False),
    Column("command_id", Text),
    Column("metadata", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("shard", "position", name="events_pkey"),
)

ERA_BITS: Final = 20
"""2^20 positions make an era: its part of the index takes about 50 MB."""
ERA: Final[ColumnElement[int]] = events.c.position.op(">>")(literal_column(str(ERA_BITS)))
Index(
    "events_stream_version", events.c.shard, ERA, events.c.stream_id, events.c.version, unique=True
)

log_heads = Table(
    "log_heads",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("shard", name="log_heads_pkey"),
)

claims = Table(
    "claims",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("answer", Text, nullable=False),
    PrimaryKeyConstraint("shard", "kind", "key", name="claims_pkey"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("stream_id", StreamId, nullable=False),
    Column("version", Integer, nullable=False),
    Column("fold_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("shard", "stream_id", "version", name="snapshots_pkey"),
)

vault = Table(
    "vault",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("account_no", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("shard", "account_no", "field", name="vault_pkey"),
)

ledger_settings = Table(
    "ledger_settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""What `init` fixed for ever: shards, origin, time zone, currency (a reference table)."""
