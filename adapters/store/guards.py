"""The guards that keep the log append-only: whether they stand, and whether they still bite."""

from typing import Final

from sqlalchemy import Connection, text

from adapters.store.dialects import is_postgresql

EXPECTED: Final = {
    "sqlite": {"events_no_update": "UPDATE", "events_no_delete": "DELETE"},
    "postgresql": {"events_no_change": "ROW", "events_no_statement": "STATEMENT"},
}
# Bits of pg_trigger.tgtype: each row, before, delete, update, truncate.
_ROW_GUARD: Final = 1 | 2 | 8 | 16
_STATEMENT_GUARD: Final = 2 | 8 | 16 | 32
_REFUSING_POSTGRESQL: Final = text(
    """SELECT t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = 'events'::regclass AND t.tgenabled = 'A' AND t.tgqual IS NULL
    AND t.tgattr = ''::int2vector AND t.tgtype = CASE t.tgname
        WHEN 'events_no_change' THEN CAST(:row AS smallint) ELSE CAST(:statement AS smallint) END
    AND p.prosrc ~ '^\\s*BEGIN\\s+RAISE EXCEPTION [^;]*;\\s*END\\s*$'"""
)
_REFUSING_SQLITE: Final = text(
    """SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'events'
    AND sql LIKE 'CREATE TRIGGER ' || name || ' BEFORE ' || upper(substr(name, 11)) ||
        ' ON events%BEGIN SELECT RAISE(ABORT, %); END'
    AND sql NOT LIKE '% WHEN %'"""
)


def missing_guards(connection: Connection) -> list[str]:
    """Names of guards that were dropped, disabled, or replaced by something that lets through."""
    if is_postgresql(connection):
        shapes = {"row": _ROW_GUARD, "statement": _STATEMENT_GUARD}
        refusing = connection.scalars(_REFUSING_POSTGRESQL, shapes)
    else:
        refusing = connection.scalars(_REFUSING_SQLITE)
    return sorted(set(EXPECTED[connection.dialect.name]) - set(refusing))
