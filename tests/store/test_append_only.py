"""No statement changes or removes a fact, and whoever takes the guards away is noticed."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from adapters.store.engine import create_engine
from adapters.store.guards import missing_guards
from tests.harness.ledgers import Opened, open_ledger
from tests.harness.postgres import Postgres
from tests.harness.soundness import assert_sound

COLUMNS = (
    "shard, position, stream_id, version, topic, recorded_at, valid_at, command_id, metadata, "
    "payload, salt, leaf_hash"
)
FORGED = COLUMNS.replace("payload", "'{}'")
CHANGES = {
    "update": "UPDATE events SET payload = '{}' WHERE position = 1",
    "update of all": "UPDATE events SET valid_at = 0",
    "delete": "DELETE FROM events WHERE position = 1",
    "delete of all": "DELETE FROM events",
    "upsert": f"INSERT INTO events SELECT {COLUMNS} FROM events WHERE position = 1 "
    "ON CONFLICT (shard, position) DO UPDATE SET payload = '{}'",
}
SQLITE = {
    "replace of a position": f"REPLACE INTO events SELECT {FORGED} FROM events WHERE position = 1",
    "replace of a version": f"INSERT OR REPLACE INTO events "
    f"SELECT {FORGED.replace('position', 'position + 1000')} FROM events WHERE position = 1",
    "update or replace": "UPDATE OR REPLACE events SET position = 2 WHERE position = 1",
}
POSTGRESQL = {
    "truncate": "TRUNCATE events",
    "truncate with others": "TRUNCATE claims, events CASCADE",
    "update of nothing": "UPDATE events SET payload = '{}' WHERE false",
    "delete in a query": "WITH gone AS (DELETE FROM events RETURNING 1) SELECT count(*) FROM gone",
    "update as a replica": "SET LOCAL session_replication_role = replica; DELETE FROM events",
}


@pytest.fixture
def written(opened: Opened) -> Opened:
    opened.open("A1", "M1")
    opened.recharge("A1", "t1")
    return opened


def test_no_statement_changes_what_was_written(written: Opened) -> None:
    before = written.rows()
    mine = SQLITE if written.engine.dialect.name == "sqlite" else POSTGRESQL
    for statement in (CHANGES | mine).values():
        _is_refused(written.engine, statement, "append-only", DBAPIError)
    assert assert_sound(written) == before


def test_a_place_in_the_log_is_taken_once(written: Opened) -> None:
    before = written.rows()
    for elsewhere in ("", "version + 1000", "position + 1000"):
        columns = COLUMNS.replace(elsewhere.partition(" ")[0], elsewhere) if elsewhere else COLUMNS
        with pytest.raises(IntegrityError), written.engine.begin() as connection:
            connection.execute(
                text(f"INSERT INTO events SELECT {columns} FROM events WHERE position = 1")
            )
    assert written.rows() == before


@pytest.fixture
def owner_url(postgres: Postgres) -> Iterator[str]:
    """A database whose owner is no superuser; the ledger's own tables belong to that role."""
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    with closing(postgres.connect(name)) as session, session.cursor() as cursor:
        cursor.execute(f"CREATE ROLE keeper_{name} LOGIN NOSUPERUSER")
        cursor.execute(f"ALTER DATABASE {name} OWNER TO keeper_{name}")
        cursor.execute(f"ALTER SCHEMA public OWNER TO keeper_{name}")
        session.commit()
    yield url.replace("postgres@", f"keeper_{name}@")
    postgres.drop_database(url)


@pytest.mark.postgres
def test_an_owner_who_is_no_superuser_is_refused_by_grant_and_by_trigger(
    owner_url: str, tmp_path: Path
) -> None:
    forbidden = (CHANGES["update"], CHANGES["delete"], POSTGRESQL["truncate"])
    with open_ledger(owner_url, tmp_path) as opened:
        opened.publish()
        opened.open("A1", "M1")
        opened.recharge("A1", "t1")
        before = opened.rows()
        for statement in forbidden:
            _is_refused(opened.engine, statement, "permission denied", ProgrammingError)
        with opened.engine.begin() as connection:  # An owner may take the right back …
            connection.execute(text("GRANT UPDATE, DELETE, TRUNCATE ON events TO CURRENT_USER"))
        for statement in forbidden:  # … and meets the trigger.
            _is_refused(opened.engine, statement, "append-only", DBAPIError)
        opened.recharge("A1", "t2")
        assert assert_sound(opened)[: len(before)] == before


def _is_refused(engine: Engine, statement: str, why: str, error: type[DBAPIError]) -> None:
    with pytest.raises(error, match=why), engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_the_guards_of_a_new_ledger_all_stand(opened: Opened) -> None:
    assert guards(opened) == []


def guards(opened: Opened) -> list[str]:
    with opened.engine.begin() as connection:
        return missing_guards(connection)


TAKEN_AWAY = {
    "sqlite": {
        "events_no_update": [
            "DROP TRIGGER events_no_update",
            "CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT 1; END",
        ],
        "events_no_delete": [
            "DROP TRIGGER events_no_delete",
            """CREATE TRIGGER events_no_delete BEFORE DELETE ON events WHEN OLD.shard = 99
            BEGIN SELECT RAISE(ABORT, 'The event log is append-only.'); END""",
        ],
    },
    "postgresql": {
        "events_no_change": [
            "ALTER TABLE events DISABLE TRIGGER events_no_change",
            "ALTER TABLE events ENABLE REPLICA TRIGGER events_no_change",
            "ALTER TABLE events ENABLE TRIGGER events_no_change",
        ],
        "events_no_statement": [
            "DROP TRIGGER events_no_statement ON events",
            """CREATE TRIGGER events_no_statement BEFORE TRUNCATE ON events
            FOR EACH STATEMENT EXECUTE FUNCTION wattledger_refuse()""",
            "ALTER TABLE events ENABLE ALWAYS TRIGGER events_no_statement",
        ],
    },
}


def test_a_guard_that_was_taken_away_is_missed(opened: Opened) -> None:
    missing = set()
    for name, statements in TAKEN_AWAY[opened.engine.dialect.name].items():
        missing.add(name)
        for statement in statements:
            with opened.engine.begin() as connection:
                connection.execute(text(statement))
            assert guards(opened) == sorted(missing), statement


@pytest.mark.postgres
def test_a_guard_with_its_teeth_drawn_is_missed(postgres_url: str, tmp_path: Path) -> None:
    with open_ledger(postgres_url, tmp_path) as opened:
        with opened.engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE OR REPLACE FUNCTION wattledger_refuse() RETURNS trigger "
                    "LANGUAGE plpgsql AS $$ BEGIN RETURN COALESCE(NEW, OLD); END $$"
                )
            )
        assert guards(opened) == ["events_no_change", "events_no_statement"]


def test_a_replacing_writer_without_our_settings_is_the_reason_for_them(
    sqlite_url: str, tmp_path: Path
) -> None:
    """REPLACE deletes past the trigger unless `recursive_triggers` is on; the leaf still tells."""
    with open_ledger(sqlite_url, tmp_path) as opened:
        opened.publish()
        careless = create_engine(sqlite_url)
        with careless.begin() as connection:
            connection.exec_driver_sql("PRAGMA recursive_triggers=OFF")
            connection.execute(text(SQLITE["replace of a position"]))
        careless.dispose()
        with pytest.raises(AssertionError, match="leaves that do not fit"):
            assert_sound(opened)
