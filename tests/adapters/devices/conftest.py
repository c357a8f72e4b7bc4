"""Buses over real sockets, with short time-outs so that silence costs little."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from adapters.devices.fleet import Fleet
from tests.harness.umodbus_gateway import QUICK

NOON_US = int(datetime(2026, 7, 1, 4, tzinfo=UTC).timestamp()) * 1_000_000
"""Noon of 1 July 2026 in Shanghai."""


@pytest.fixture
def clock() -> Callable[[], int]:
    """A clock that stands still."""
    return lambda: NOON_US


@pytest.fixture
def fleet(clock: Callable[[], int]) -> Iterator[Fleet]:
    with Fleet(clock, ZoneInfo("Asia/Shanghai"), QUICK) as started:
        yield started
