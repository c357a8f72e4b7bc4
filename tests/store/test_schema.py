"""The schema: made once, the same on both databases, and fit to be spread by shard."""

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, inspect, text

import adapters.store
from adapters.store import people, schema
from adapters.store.engine import create_engine
from adapters.store.schema import OtherTermsError, initialise, migrations, read_terms
from adapters.store.tables import events, metadata
from ledger.ports import Row
from ledger.store.ledger import LedgerTerms
from tests.harness.ledgers import WAIT_S

TERMS = LedgerTerms(3, "Asia/Shanghai", "CNY")
OF_THE_LEDGER = {"ledger_settings", "view_versions", "alembic_version", *people.metadata.tables}
"""Reference tables: they do not grow with accounts."""

SQLITE_SHOWS_NO_EXPRESSION = pytest.mark.filterwarnings("ignore:.*expression-based index")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


def ask(engine: Engine, question: Callable[[Connection], Any]) -> Any:  # noqa: ANN401 - any answer
    with engine.begin() as connection:
        return question(connection)


@SQLITE_SHOWS_NO_EXPRESSION
def test_every_key_of_a_table_that_grows_with_accounts_begins_with_the_shard(
    engine: Engine,
) -> None:
    initialise(engine, TERMS)
    keys: dict[str, list[list[str]]] = {}
    for table in inspect(engine).get_table_names():
        found = inspect(engine)
        primary = [list(found.get_pk_constraint(table)["constrained_columns"])]
        unique = [list(key["column_names"]) for key in found.get_unique_constraints(table)]
        indexes = [list(map(str, index["column_names"])) for index in found.get_indexes(table)]
        keys[table] = primary + unique + indexes
    assert {"events", "claims", "snapshots", "vault", "accounts", "feed_positions"} <= set(keys)
    assert set(keys) >= OF_THE_LEDGER
    wrong = {
        table: of_table
        for table, of_table in keys.items()
        if table not in OF_THE_LEDGER and any(key[:1] != ["shard"] for key in of_table)
    }
    assert wrong == {}


@SQLITE_SHOWS_NO_EXPRESSION
@pytest.mark.parametrize("declared", [metadata, people.metadata], ids=["log", "people"])
def test_the_migrations_make_what_the_code_declares(engine: Engine, declared: MetaData) -> None:
    initialise(engine, TERMS)

    def is_declared(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name in declared.tables

    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "include_name": is_declared}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, declared))

    assert ask(engine, differences) == []


def test_a_row_of_the_log_has_the_columns_of_its_table_in_their_order(engine: Engine) -> None:
    initialise(engine, TERMS)
    columns = [column["name"] for column in inspect(engine).get_columns("events")]
    assert columns == list(Row._fields) == list(events.c.keys())


def test_making_it_twice_is_silence_and_other_terms_are_refused(engine: Engine) -> None:
    assert initialise(engine, TERMS)
    assert not initialise(engine, TERMS)
    for other in (
        TERMS._replace(shards=4),
        TERMS._replace(timezone="Europe/London"),
        TERMS._replace(currency="EUR"),
    ):
        with pytest.raises(OtherTermsError, match=r"3 shard\(s\), Asia/Shanghai, CNY"):
            initialise(engine, other)
    assert ask(engine, read_terms) == TERMS
    heads = ask(engine, lambda at: at.execute(text("SELECT shard FROM log_heads")).all())
    assert sorted(heads) == [(0,), (1,), (2,)]


def test_an_empty_database_holds_no_terms(engine: Engine) -> None:
    assert ask(engine, read_terms) is None


def test_two_that_make_it_at_once_make_it_once(database_url: str) -> None:
    together = threading.Barrier(4, timeout=WAIT_S)

    def make() -> bool:
        engine = create_engine(database_url)
        together.wait()
        made = initialise(engine, TERMS)
        engine.dispose()
        return made

    with ThreadPoolExecutor(4) as pool:
        made = [pool.submit(make) for _ in range(4)]
        assert sorted(future.result(WAIT_S) for future in made) == [False, False, False, True]


def test_a_start_that_breaks_half_way_leaves_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_connection: Connection) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(schema, "read_terms", breaks)
    with pytest.raises(ZeroDivisionError):
        initialise(engine, TERMS)
    assert inspect(engine).get_table_names() == []
    monkeypatch.undo()
    assert initialise(engine, TERMS)


def test_the_migrations_are_found_in_the_tree_and_in_a_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_url: str
) -> None:
    """`tests/test_wheel.py` installs a wheel; here the same places are laid out by hand."""
    tree = migrations()
    assert (tree / "versions" / "0001_event_log.py").is_file()
    installed = tmp_path / "adapters" / "store"
    shutil.copytree(tree, installed / "migrations")
    monkeypatch.setattr(adapters.store, "__file__", str(installed / "__init__.py"))
    assert migrations() == installed / "migrations"
    engine = create_engine(sqlite_url)
    assert initialise(engine, TERMS)
    engine.dispose()
