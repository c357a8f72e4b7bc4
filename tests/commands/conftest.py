from collections.abc import Iterator

import pytest

from ledger.store import Ledger
from tests.harness.desk import Desk


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """The doors of a new ledger of one shard, on each store in turn; its clock is moved by hand."""
    desk = Desk.at(database_url)
    yield desk
    desk.close()


@pytest.fixture
def ledger(desk: Desk) -> Ledger:
    """The ledger behind the desk."""
    return desk.ledger


@pytest.fixture
def shards(database_url: str) -> Iterator[Desk]:
    """The same with four shards: the accounts A5, A1, A4 and A0 lie in 0, 1, 2 and 3."""
    desk = Desk.at(database_url, shards=4)
    yield desk
    desk.close()
