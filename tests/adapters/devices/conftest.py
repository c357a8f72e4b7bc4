"""Buses over real sockets, with short time-outs so that silence costs little."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from adapters.devices.fleet import Fleet
from adapters.devices.line import Timing

QUICK = Timing(
    connect_s=1.0, answer_s=0.25, guard_s=0.05, reconnect_first_s=0.05, reconnect_max_s=0.2
)
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
