"""The history of the town is in the ledger as if it had happened, and the meters go on from it."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from adapters.demo.history import start_of
from adapters.demo.town import Town, build
from tests.harness.desk import Desk, at_us

NOW_US = at_us("2026-07-01T12:34")


class Lived(NamedTuple):
    town: Town
    desk: Desk
    readings: int


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Twelve customers on an embedded ledger, ninety days later."""
    town = build(12, 2, 1, start_of(NOW_US))
    desk = Desk.at(f"sqlite:///{tmp_path_factory.mktemp('demo')}/town.db")
    desk.clock.now_us = start_of(NOW_US)
    desk.ledger.clock = desk.clock
    yield Lived(town, desk, 0)
    desk.close()
