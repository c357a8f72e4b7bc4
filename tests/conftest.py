"""What every test may ask for: a PostgreSQL server, a fresh database, and each store in turn."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything of the harness is imported: its checks say what differs, as those of a test do.
pytest.register_assert_rewrite("tests.harness")

from tests.harness.postgres import Postgres, PostgresMissing, find_programs  # noqa: E402

# A law that holds slowly, on a machine with other work to do, holds.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
# The gate tries the same examples each time, so that it tells of the change alone; a run by hand
# tries new ones.
settings.register_profile("gate", parent=settings.get_profile("patient"), derandomize=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for each worker of the run; fast, so not for tests that crash it."""
    with _server(durable=False) as server:
        yield server


@pytest.fixture
def durable_postgres() -> Iterator[Postgres]:
    """A server of one's own that syncs every commit, to be killed and started again."""
    with _server(durable=True) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty database, dropped with all its sessions after the test."""
    url = postgres.new_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each store in turn, empty: one suite for all of them, so that they cannot drift apart."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true nothing may be missing, so a skip is a failure."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow: {report.longrepr}"
    return report


def _server(*, durable: bool) -> Postgres:
    try:
        programs = find_programs()
    except PostgresMissing as missing:
        pytest.skip(str(missing))
    return Postgres(durable=durable, programs=programs)
