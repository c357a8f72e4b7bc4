"""The tables of one named application: its events with their head, its snapshots, its tracking.

The head is one row with the last position given out. Whoever writes events advances it first, so
its row lock queues the writers, and a rollback takes the advance back: positions are gapless and in
commit order, and a reader that has seen position n will never find anything new below it.
"""

import hashlib
import re
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Dialect,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    event,
    func,
    insert,
    inspect,
    select,
    text,
)

from adapters.store.transactions import reading

OriginatorIdType = Literal["uuid", "text"]

# PostgreSQL cuts names at 63 bytes: 40 + "_" + 16 + "_guard" is exactly that.
NAME_LENGTH_MAX = 40
PURPOSE_LENGTH_MAX = 16
DIGEST_LENGTH = 8

# One lock for all makers of tables: CREATE TABLE IF NOT EXISTS alone fails when two meet.
CREATION_LOCK = 0x57_61_74_74

POSITION = BigInteger().with_variant(Integer, "sqlite")  # INTEGER makes it SQLite's own row id
# A row that is updated all day leaves room for its next versions beside it.
ROOMY = {"fillfactor": 10}


class TextId(TypeDecorator[str]):
    """An id of any text; a UUID is kept as text too, and the library's mapper turns it back."""

    # Ids are compared, never sorted for people; the C collation is the fast one.
    impl = Text().with_variant(Text(collation="C"), "postgresql")
    cache_ok = True

    def process_bind_param(
        self,
        value: UUID | str | None,
        dialect: Dialect,  # noqa: ARG002 - the signature is SQLAlchemy's
    ) -> str | None:
        return None if value is None else str(value)


def identifier(name: str, length_max: int = NAME_LENGTH_MAX) -> str:
    """A table name for any name: itself if it is plain and short, else a likeness and a digest."""
    plain = name.lower()
    if re.fullmatch(rf"[a-z_][a-z0-9_]{{0,{length_max - 1}}}", plain):
        return plain
    digest = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]
    likeness = re.sub(r"[^a-z0-9_]", "_", plain)[: length_max - DIGEST_LENGTH - 2]
    return f"_{likeness}_{digest}"


def event_tables(
    name: str, purpose: str = "events", id_type: OriginatorIdType = "uuid"
) -> tuple[Table, Table]:
    """The table of an application's events (or snapshots) and its head, not yet made."""
    metadata = MetaData()
    prefix = f"{identifier(name or 'stored')}_{identifier(purpose, PURPOSE_LENGTH_MAX)}"
    events = Table(
        prefix,
        metadata,
        Column("position", POSITION, primary_key=True, autoincrement=False),
        Column("originator_id", TextId if id_type == "text" else Uuid, nullable=False),
        Column("originator_version", BigInteger, nullable=False),
        Column("topic", Text, nullable=False),
        Column("state", LargeBinary, nullable=False),
        Column("commit_id", Uuid, nullable=False),
        UniqueConstraint("originator_id", "originator_version"),
    )
    head = Table(
        f"{prefix}_head",
        metadata,
        Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
        Column("position", BigInteger, nullable=False),
        postgresql_with=ROOMY,
    )
    head.add_is_dependent_on(events)
    event.listen(head, "after_create", _seed_head)
    if purpose == "events":  # Snapshots are a cache and may be deleted.
        event.listen(events, "after_create", _guard)
    return events, head


def tracking_table(name: str) -> Table:
    """The positions of other applications up to which this one has processed their events."""
    return Table(
        f"{identifier(name or 'notification')}_tracking",
        MetaData(),
        Column("application_name", Text, primary_key=True),
        Column("notification_id", BigInteger, nullable=False),
        postgresql_with=ROOMY,
    )


def create_tables(engine: Engine, tables: Sequence[Table]) -> None:
    """Make the tables that are missing, whoever else is about to do the same."""
    with reading(engine) as connection:
        if all(inspect(connection).has_table(table.name) for table in tables):
            return  # The usual start needs neither a lock nor the right to create tables.
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(CREATION_LOCK)))
        for metadata in dict.fromkeys(table.metadata for table in tables):
            metadata.create_all(connection)


def _seed_head(head: Table, connection: Connection, **_: object) -> None:
    events = head.metadata.tables[head.name.removesuffix("_head")]
    last = select(1, func.coalesce(func.max(events.c.position), 0))
    connection.execute(insert(head).from_select(["id", "position"], last))


def _guard(events: Table, connection: Connection, **_: object) -> None:
    statements = SQLITE_GUARD if connection.dialect.name == "sqlite" else POSTGRESQL_GUARD
    for statement in statements:
        connection.execute(text(statement.format(table=events.name)))


SQLITE_GUARD = (
    """CREATE TRIGGER "{table}_no_update" BEFORE UPDATE ON "{table}"
    BEGIN SELECT RAISE(ABORT, 'UPDATE refused: events are never changed'); END""",
    """CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON "{table}"
    BEGIN SELECT RAISE(ABORT, 'DELETE refused: events are never deleted'); END""",
)
POSTGRESQL_GUARD = (
    """CREATE FUNCTION "{table}_guard"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
        MESSAGE = TG_OP || ' refused: events are never changed or deleted'; END $$""",
    """CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON "{table}"
    FOR EACH ROW EXECUTE FUNCTION "{table}_guard"()""",
    """CREATE TRIGGER no_truncate BEFORE TRUNCATE ON "{table}"
    FOR EACH STATEMENT EXECUTE FUNCTION "{table}_guard"()""",
)
