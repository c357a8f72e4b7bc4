"""What the log tells of a command, as the dispatcher's list knows it then."""

from dataclasses import replace

import pytest

from adapters.devices.hearing import heard
from adapters.devices.waiting import Waiting
from ledger.events import Recorded
from ledger.events.command import CommandQueued

HELD = Waiting("0-c1", "trip", "M1", "", "held", 0, 0, 1)
QUEUED = CommandQueued("0-c1", "A1", "", 0, 0)


def told() -> Recorded:
    """The command is free to go."""
    return Recorded(0, 2, "s", 2, 5, 5, None, b"{}", QUEUED)


@pytest.mark.parametrize(("before", "after"), [("", "G1"), ("G2", "G2")])
def test_a_command_that_waited_for_its_line_counts_behind_the_gateway_it_got(
    before: str, after: str
) -> None:
    known = heard(told(), replace(HELD, gateway=before), lambda _meter: "G1")
    assert (known.gateway, known.status, known.position) == (after, "queued", 2)
