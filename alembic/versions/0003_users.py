"""Users, API tokens, login links, ended sessions, failed logins; the view of published documents.

People and their keys are few and belong to no shard: these are reference tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables, empty."""
    op.create_table(
        "users",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("sites", sa.Text, nullable=False),
        sa.Column("account_no", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "api_tokens",
        sa.Column("token_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("is_revoked", sa.Boolean, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "login_links",
        sa.Column("link_hash", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("is_used", sa.Boolean, nullable=False),
    )
    op.create_table(
        "ended_sessions",
        sa.Column("session_id", sa.Text, primary_key=True),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "failed_logins",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
    )
    _make_documents()


def _make_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("shard", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger),
        sa.Column("position", sa.BigInteger),
        sa.Column("published_us", sa.BigInteger),
        sa.Column("sha256", sa.Text),
        sa.Column("document", sa.Text),
        sa.PrimaryKeyConstraint("shard", "kind", "id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE documents SET (fillfactor = 70)")
    versions = sa.table(
        "view_versions", sa.column("view", sa.Text), sa.column("version", sa.Integer)
    )
    op.bulk_insert(versions, [{"view": "documents", "version": 1}])
