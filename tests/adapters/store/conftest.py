from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest
from eventsourcing.utils import Environment

from adapters.store.factory import SqlFactory


class Build(Protocol):
    def __call__(self, name: str = "Meters", /, **keys: str) -> SqlFactory:
        """The factory of an application of this name, with these settings."""


@pytest.fixture
def build(database_url: str) -> Iterator[Build]:
    """Factories on the store of the test; each has connections of its own, as a process has."""
    with ExitStack() as open_factories:

        def build(name: str = "Meters", /, **keys: str) -> SqlFactory:
            factory = SqlFactory(Environment(name, {"LEDGER_DATABASE_URL": database_url} | keys))
            open_factories.callback(factory.close)
            return factory

        yield build
