import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from adapters.store import engine as engines
from adapters.store import patience
from adapters.store.engine import create_engine
from tests.harness.ledgers import WAIT_S
from tests.harness.postgres import Postgres


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Engine]:
    engine = create_engine(sqlite_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE rows (id INTEGER PRIMARY KEY)"))
    yield engine
    engine.dispose()


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[Engine]:
    engine = create_engine(postgres_url)
    yield engine
    engine.dispose()


def count(engine: Engine) -> int:
    with engine.execution_options(read_only=True).connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM rows")).scalar_one())


def test_every_connection_of_sqlite_is_durable_and_checks_what_it_is_told(sqlite: Engine) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "recursive_triggers": 1,
        "foreign_keys": 1,
        "busy_timeout": engines.BUSY_TIMEOUT_MS,
    }
    readers = sqlite.execution_options(read_only=True)
    with readers.connect() as one, readers.connect() as other:
        for connection in (one, other):
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
            assert found == wanted


def test_the_folder_of_a_new_sqlite_file_is_made(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/var/deep/ledger.db")
    with engine.begin():
        assert (tmp_path / "var/deep/ledger.db").exists()
    engine.dispose()


def test_a_writer_locks_at_its_begin_and_readers_go_on(sqlite: Engine) -> None:
    other = create_engine(str(sqlite.url))
    with other.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=50")
    with sqlite.begin() as writer:
        writer.execute(text("INSERT INTO rows VALUES (1)"))
        assert count(sqlite) == 0
        with pytest.raises(OperationalError, match="locked"), other.begin():
            pass
    assert count(sqlite) == 1
    with other.begin():
        pass  # the refused connection is as good as new
    other.dispose()


def test_a_writer_waits_for_the_one_before_it(sqlite: Engine) -> None:
    def write() -> None:
        with sqlite.begin() as connection:
            connection.execute(text("INSERT INTO rows SELECT count(*) FROM rows"))

    with sqlite.begin() as first:
        waiting = threading.Thread(target=write)
        waiting.start()
        first.execute(text("INSERT INTO rows VALUES (0)"))
        time.sleep(0.1)
    waiting.join()
    assert count(sqlite) == 2


def test_an_open_reader_sees_one_moment_and_holds_no_writer_up(sqlite: Engine) -> None:
    with sqlite.execution_options(read_only=True).connect() as reader:
        before = reader.execute(text("SELECT count(*) FROM rows")).scalar()
        with sqlite.begin() as writer:
            writer.execute(text("INSERT INTO rows VALUES (1)"))
        assert reader.execute(text("SELECT count(*) FROM rows")).scalar() == before


def test_replace_does_not_slip_past_a_trigger_that_refuses_deletion(sqlite: Engine) -> None:
    with sqlite.begin() as connection:
        connection.execute(text("INSERT INTO rows VALUES (1)"))
        connection.execute(
            text(
                "CREATE TRIGGER no_delete BEFORE DELETE ON rows "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        )
    with pytest.raises(IntegrityError, match="refused"), sqlite.begin() as connection:
        connection.execute(text("REPLACE INTO rows VALUES (1)"))


def test_only_what_the_log_can_make_again_does_not_wait_for_the_disk_on_sqlite(
    sqlite: Engine,
) -> None:
    levels = []
    for options in ({"derived": True}, {}, {"derived": True}, {"read_only": True}, {}):
        with sqlite.execution_options(**options).begin() as connection:
            levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
    assert (levels[0], levels[1], levels[2], levels[4]) == (1, 2, 1, 2)


def test_only_what_the_log_can_make_again_does_not_wait_for_the_disk_on_postgresql(
    postgresql: Engine,
) -> None:
    levels = []
    with postgresql.begin() as connection:
        connection.exec_driver_sql("SET synchronous_commit TO on")
    for options in ({}, {"derived": True}, {}):
        with postgresql.execution_options(**options).begin() as connection:
            levels.append(connection.exec_driver_sql("SHOW synchronous_commit").scalar())
    assert levels == ["on", "off", "on"]


def test_upkeep_outside_transactions_is_possible(sqlite: Engine) -> None:
    with sqlite.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM"))
    assert count(sqlite) == 0


def test_opening_a_file_waits_for_one_who_is_just_making_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as maker:
        maker.execute("BEGIN IMMEDIATE")  # not yet write-ahead: now the switch fails at once
        maker.execute("CREATE TABLE rows (id INTEGER)")
        done = threading.Timer(0.2, maker.execute, ["COMMIT"])
        done.start()
        engine = create_engine(f"sqlite:///{path}")
        assert count(engine) == 0
        done.join()
        engine.dispose()


def test_a_new_file_may_be_opened_by_many_at_once(sqlite_url: str) -> None:
    together = threading.Barrier(8, timeout=WAIT_S)

    def write(_: int) -> None:
        engine = create_engine(sqlite_url)
        together.wait()
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS rows (id INTEGER)"))
        engine.dispose()

    with ThreadPoolExecutor(together.parties) as pool:
        list(pool.map(write, range(together.parties)))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_threads_take_turns_on_a_database_in_memory(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE rows (id INTEGER PRIMARY KEY)"))

    def write(_: int) -> None:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO rows SELECT count(*) FROM rows"))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(write, range(10)))
    assert count(engine) == 10
    engine.dispose()


@pytest.mark.postgres
def test_a_session_on_postgresql_names_itself_and_never_waits_for_ever(postgresql: Engine) -> None:
    with postgresql.connect() as connection:
        shown = {
            name: connection.execute(text(f"SHOW {name}")).scalar()
            for name in (
                "application_name",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "transaction_isolation",
                "client_encoding",
                "jit",
            )
        }
        driver = connection.connection.driver_connection
        assert driver is not None
        parameters = driver.get_dsn_parameters()
    assert shown == {
        "application_name": "wattledger",
        "lock_timeout": "15s",
        "idle_in_transaction_session_timeout": "30s",
        "transaction_isolation": "read committed",
        "client_encoding": "UTF8",
        "jit": "off",
    }
    assert parameters["keepalives"] == "1"
    assert parameters["keepalives_idle"] == "30"
    assert parameters["tcp_user_timeout"] == "60000"
    assert parameters["connect_timeout"] == "10"


@pytest.mark.postgres
def test_what_the_url_says_wins(postgres_url: str) -> None:
    engine = create_engine(f"{postgres_url}?application_name=report&options=-c%20lock_timeout%3D50")
    with engine.connect() as connection:
        assert connection.execute(text("SHOW application_name")).scalar() == "report"
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "50ms"
        idle = connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar()
        assert idle == "30s"
    engine.dispose()


@pytest.mark.postgres
def test_waiting_for_a_lock_ends(postgres_url: str, postgresql: Engine) -> None:
    impatient = create_engine(f"{postgres_url}?options=-c%20lock_timeout%3D50")
    with postgresql.begin() as connection:
        connection.execute(text("CREATE TABLE rows (id integer)"))
    with postgresql.begin() as connection:
        connection.execute(text("LOCK TABLE rows"))
        with pytest.raises(OperationalError, match="lock timeout"), impatient.begin() as waiting:
            waiting.execute(text("INSERT INTO rows VALUES (1)"))
    impatient.dispose()


@pytest.mark.postgres
def test_a_connection_that_died_in_the_pool_is_replaced(
    postgresql: Engine, postgres: Postgres
) -> None:
    with postgresql.connect() as connection:
        session = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with closing(postgres.connect()) as administrator, administrator.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (session,))
    with postgresql.connect() as connection:
        assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() != session


@pytest.mark.postgres
@pytest.mark.parametrize(("rest_s", "last_asked"), [(60.0, "ROLLBACK"), (-1.0, "SELECT 1")])
def test_only_a_connection_that_rested_for_long_is_asked_whether_it_lives(
    postgresql: Engine,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    rest_s: float,
    last_asked: str,
) -> None:
    monkeypatch.setattr(patience, "PING_AFTER_S", rest_s)
    with postgresql.connect() as connection:
        session = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with (
        postgresql.connect(),
        closing(postgres.connect()) as administrator,
        administrator.cursor() as cursor,
    ):
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", (session,))
        assert cursor.fetchone() == (last_asked,)


def test_an_error_shows_no_parameters(sqlite: Engine) -> None:
    twice = [{"id": 8_611_223_344}, {"id": 8_611_223_344}]
    with pytest.raises(IntegrityError) as caught, sqlite.begin() as connection:
        connection.execute(text("INSERT INTO rows VALUES (:id)"), twice)
    assert "8611223344" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://localhost/ledger", "postgresql+asyncpg://localhost/x"])
def test_other_databases_and_drivers_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be sqlite:// or postgresql://"):
        create_engine(url)
