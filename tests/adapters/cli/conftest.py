from pathlib import Path

import pytest

from tests.harness.terminal import Terminal


@pytest.fixture
def blank(tmp_path: Path, database_url: str) -> Terminal:
    """A terminal on each database in turn, which holds no ledger yet."""
    return Terminal(tmp_path, database_url)


@pytest.fixture
def terminal(blank: Terminal) -> Terminal:
    """A terminal on each database in turn, with a ledger and a tariff."""
    return blank.prepare()


@pytest.fixture
def embedded(tmp_path: Path, sqlite_url: str) -> Terminal:
    """The same where the database makes no difference."""
    return Terminal(tmp_path, sqlite_url).prepare()
