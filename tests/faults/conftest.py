from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.ledgers import Opened, open_ledger


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[Opened]:
    """A ledger with a tariff and a policy, in one shard."""
    with open_ledger(database_url, tmp_path) as opened:
        opened.publish()
        yield opened
