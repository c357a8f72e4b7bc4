from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.harness.desk import Desk
from tests.harness.office import Office


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """The doors of a new ledger of three shards, on each store in turn."""
    desk = Desk.at(database_url, shards=3)
    yield Office.of(desk, tmp_path)
    desk.close()


@pytest.fixture
def embedded(sqlite_url: str, tmp_path: Path) -> Iterator[Office]:
    """The same where the database makes no difference."""
    desk = Desk.at(sqlite_url, shards=3)
    yield Office.of(desk, tmp_path)
    desk.close()


@pytest.fixture
def admin(office: Office) -> Iterator[TestClient]:
    """A client that may do everything."""
    with office.client() as client:
        yield client
