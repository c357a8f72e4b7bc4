from pathlib import Path

import pytest

from tests.harness.copies import Copies
from tests.harness.terminal import Terminal


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Copies:
    """Ledgers that are made once."""
    folder = tmp_path_factory.mktemp("prepared")
    return Copies(folder, lambda: request.getfixturevalue("postgres"))


@pytest.fixture
def blank(tmp_path: Path, database_url: str) -> Terminal:
    """A terminal on each database in turn, which holds no ledger yet."""
    return Terminal(tmp_path, database_url)


@pytest.fixture
def terminal(blank: Terminal, copies: Copies) -> Terminal:
    """A terminal on each database in turn, with a ledger and a tariff."""
    return copies.hand_out("flat", blank, Terminal.prepare)


@pytest.fixture
def embedded(tmp_path: Path, sqlite_url: str, copies: Copies) -> Terminal:
    """The same where the database makes no difference."""
    return copies.hand_out("flat", Terminal(tmp_path, sqlite_url), Terminal.prepare)
