from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.harness.ledgers import Clock, Opened, open_ledger, real_clock


class OpenLedger(Protocol):
    def __call__(
        self, *, shards: int = 1, clock: Clock = real_clock, cache_size: int = 10_000
    ) -> Opened:
        """One more process on the ledger of the test."""


@pytest.fixture
def opening(database_url: str, tmp_path: Path) -> Iterator[OpenLedger]:
    """Opens the ledger of the test as often as asked; each has connections and caches its own."""
    with ExitStack() as stack:

        def opening(
            *, shards: int = 1, clock: Clock = real_clock, cache_size: int = 10_000
        ) -> Opened:
            return stack.enter_context(
                open_ledger(
                    database_url, tmp_path, shards=shards, clock=clock, cache_size=cache_size
                )
            )

        yield opening


@pytest.fixture
def opened(opening: OpenLedger) -> Opened:
    """A ledger with a tariff and a policy, in one shard."""
    one = opening()
    one.publish()
    return one
