"""Make the schema and what `init` fixes for ever; find the migrations in a tree or in a wheel."""

import threading
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, func, insert, inspect, select

import adapters.store
from adapters.store.application_tables import CREATION_LOCK
from adapters.store.dialects import is_postgresql
from adapters.store.tables import ledger_settings, log_heads
from ledger.store.ledger import LedgerTerms

SHARDS_MAX: Final = 1_024

_migrating: Final = threading.Lock()
"""Alembic keeps what it is about in the globals of a module."""


class NotInitialisedError(Exception):
    """The database holds no ledger yet."""


class OtherTermsError(Exception):
    """The database holds a ledger with other terms."""


def migrations() -> Path:
    """The folder of migrations: beside the packages in the tree, inside the store in a wheel."""
    packaged = Path(adapters.store.__file__).parent / "migrations"
    return packaged if packaged.exists() else Path(adapters.store.__file__).parents[2] / "alembic"


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision."""
    from alembic import command  # noqa: PLC0415 - half a second that only `init` needs
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(migrations()))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def initialise(engine: Engine, terms: LedgerTerms) -> bool:
    """Make the ledger, or check that it is the same one; True when it was made now."""
    with _migrating, engine.begin() as connection:
        if is_postgresql(connection):  # SQLite's writers come one after the other anyway.
            connection.execute(select(func.pg_advisory_xact_lock(CREATION_LOCK)))
        upgrade(connection)
        known = read_terms(connection)
        if known is not None:
            if known != terms:
                raise OtherTermsError(
                    f"This database holds a ledger with {known.shards} shard(s), "
                    f"{known.timezone}, {known.currency}; these are fixed."
                )
            return False
        values = [{"name": name, "value": str(value)} for name, value in terms._asdict().items()]
        connection.execute(insert(ledger_settings), values)
        heads = [{"shard": n, "position": 0, "recorded_at": 0} for n in range(terms.shards)]
        connection.execute(insert(log_heads), heads)
        return True


def read_terms(connection: Connection) -> LedgerTerms | None:
    """The terms of the ledger in this database; None where there is none."""
    if not inspect(connection).has_table(ledger_settings.name):
        return None
    rows = connection.execute(select(ledger_settings.c.name, ledger_settings.c.value))
    found = {row.name: row.value for row in rows}
    if not found:
        return None
    return LedgerTerms(int(found["shards"]), found["timezone"], found["currency"])
