"""What the log tells of commands, as the dispatcher's list wants to know it."""

from collections.abc import Callable
from typing import Any, Final

from adapters.devices.waiting import NEVER_US, Waiting
from ledger.events import Event, Recorded
from ledger.events import command as facts

STATUS: Final[dict[type[Event], str]] = {
    facts.CommandRequested: "requested",
    facts.CommandHeld: "held",
    facts.CommandQueued: "queued",
    facts.CommandDispatched: "dispatched",
    facts.CommandAcknowledged: "acknowledged",
    facts.CommandUnknown: "unknown",
    facts.CommandRefused: "refused",
    facts.CustomerAwaited: "awaiting_customer",
    facts.CommandVerified: "verified",
    facts.CommandExpired: "expired",
    facts.CommandSuperseded: "superseded",
    facts.CommandCancelled: "cancelled",
    facts.CommandFailed: "failed",
}
TOPICS: Final = frozenset(event_type.TOPIC for event_type in STATUS)
HELD_US: Final = 600_000_000
"""So often a held command is looked at although nothing was told of it."""

Find = Callable[[str], Waiting | None]
"""A command that is not at hand, by its id."""


def heard(recorded: Recorded, known: Waiting | None, gateway_of: Callable[[str], str]) -> Waiting:
    """A command after one more word about it; `known` may miss only where it is the first."""
    event: Any = recorded.event
    is_request = isinstance(event, facts.CommandRequested)
    meter_no = getattr(event, "meter_no", None) or (known.meter_no if known else "")
    is_there = known is not None and meter_no == known.meter_no
    return Waiting(
        command_id=event.command_id,
        kind=event.kind if is_request else (known.kind if known else ""),
        meter_no=meter_no,
        gateway=(known.gateway if known and is_there else "") or gateway_of(meter_no),
        status=STATUS[type(event)],
        attempt=getattr(event, "attempt", known.attempt if known else 0),
        # A command that was only requested has its next word in the same commit.
        again_at_us=NEVER_US if is_request else _again(event, recorded),
        position=recorded.position,
    )


def _again(event: Any, recorded: Recorded) -> int:  # noqa: ANN401 - any fact of a command
    """When to go on: at a stated time, at once, or, where it is held, when more is told."""
    if isinstance(event, facts.CommandHeld):
        later_us = recorded.recorded_at_us + HELD_US
        return min(event.until_us or later_us, later_us)
    again_at_us: int = getattr(event, "again_at_us", 0)
    return again_at_us
