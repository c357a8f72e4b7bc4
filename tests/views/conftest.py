from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.harness.desk import Desk


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """A new ledger of three shards with its views, on each store in turn."""
    desk = Desk.at(database_url, shards=3)
    yield desk
    desk.close()


@pytest.fixture
def on_both(sqlite_url: str, postgres_url: str) -> Iterator[tuple[Desk, Desk]]:
    """The same new ledger on SQLite and on PostgreSQL."""
    with ExitStack() as stack:
        desks = [Desk.at(url, shards=3) for url in (sqlite_url, postgres_url)]
        for desk in desks:
            stack.callback(desk.close)
        yield desks[0], desks[1]
