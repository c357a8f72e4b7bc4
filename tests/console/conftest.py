"""One served town and one Chromium for all tests of the console."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.console.visits import Visit, Visitors
from tests.harness.console import Console, served

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
ACCOUNTS = 60


@pytest.fixture(scope="session")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A small town behind a served console; tests change accounts of their own only."""
    with served(tmp_path_factory.mktemp("town"), ACCOUNTS) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine."""
    found = shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(found).exists():
        pytest.skip("there is no Chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitors(console: Console, chromium: Browser) -> Iterator[Visitors]:
    """People at the console, each in a browser context of their own; none may meet an error."""
    people = Visitors(console, chromium)
    yield people
    people.leave()


@pytest.fixture
def visit(visitors: Visitors) -> Visit:
    """An administrator who reads English by day."""
    return visitors.come()


@pytest.fixture
def page(visit: Visit) -> Page:
    """The tab of that administrator."""
    return visit.page
