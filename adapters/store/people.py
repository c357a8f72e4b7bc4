"""The tables of people and their keys: few rows, of no shard."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, MetaData, Table, Text

metadata: Final = MetaData()

users: Final = Table(
    "users",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("sites", Text, nullable=False),
    Column("account_no", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)
"""`sites` is a JSON list; an empty `password_hash` lets nobody in."""

api_tokens: Final = Table(
    "api_tokens",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.user_id"), nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("is_revoked", Boolean, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

login_links: Final = Table(
    "login_links",
    metadata,
    Column("link_hash", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.user_id"), nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("is_used", Boolean, nullable=False),
)

ended_sessions: Final = Table(
    "ended_sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("expires_us", BigInteger, nullable=False),
)

failed_logins: Final = Table(
    "failed_logins",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("since_us", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
)
"""Wrong passwords of a user, or from an origin, since a time."""
