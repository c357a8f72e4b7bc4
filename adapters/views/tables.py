"""The tables of views, made from the columns that their projections declare."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from ledger.projections import Merge, View, key_columns

metadata = MetaData()

feed_positions = Table(
    "feed_positions",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("feed", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    PrimaryKeyConstraint("shard", "feed"),
)
"""How far each feed has come; written with its rows in one transaction."""

feed_parked = Table(
    "feed_parked",
    metadata,
    Column("shard", Integer, nullable=False),
    Column("feed", Text, nullable=False),
    Column("stream_id", Text().with_variant(PG_UUID(as_uuid=False), "postgresql"), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("shard", "feed", "stream_id"),
)
"""Streams that a feed passes over since an event it could not fold."""

view_versions = Table(
    "view_versions",
    metadata,
    Column("view", Text, primary_key=True),
    Column("version", Integer, nullable=False),
)

_TYPES: Final[dict[str, Any]] = {
    "int": BigInteger(),
    "text": Text(),
    "json": Text().with_variant(JSONB(), "postgresql"),
}
FILL: Final = 70
"""Rows of views are updated in place; room on the page keeps their index entries."""
FILL_OF: Final = {"accounts": 50}
"""A sweep of readings updates every row of a page at once: as much room again."""


def table_of(view: View, name: str, *, is_indexed: bool = True) -> Table:
    """The table of a view under a name of its own (the live one, or one being rebuilt)."""
    keys = [PrimaryKeyConstraint(*key_columns(view))] if is_indexed else []
    return Table(
        name,
        MetaData(),
        *(
            Column(column.name, _TYPES[column.kind], nullable=column.merge is not Merge.KEY)
            for column in view.columns
        ),
        *keys,
    )


def create_view(connection: Connection, view: View, name: str, *, is_indexed: bool = True) -> Table:
    """Make an empty table for a view; one that is filled at once gets its index at the end."""
    table = table_of(view, name, is_indexed=is_indexed)
    table.create(connection)
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(f'ALTER TABLE "{name}" SET (fillfactor = {FILL_OF.get(view.name, FILL)})')
        )
    return table


def index_view(connection: Connection, view: View, name: str) -> None:
    """Give a table of a view its primary key (PostgreSQL)."""
    keys = ", ".join(key_columns(view))
    connection.execute(text(f'ALTER TABLE "{name}" ADD PRIMARY KEY ({keys})'))
