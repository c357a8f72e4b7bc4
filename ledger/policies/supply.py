"""Whenever what is wanted at a point may have changed, steer its supply (供电调度)."""

from collections.abc import Callable
from typing import Any, Final

from ledger.commands.steer_supply import Steering
from ledger.events import Event, Recorded, supply
from ledger.events import account as facts
from ledger.events.meter import MeterConnected

REASONS: Final[dict[type[Event], Callable[[Any], str]]] = {
    facts.SupplyTripOrdered: lambda event: f"available {event.trace.available_minor}",
    facts.SupplyRestoreOrdered: lambda event: f"available {event.trace.available_minor}",
    facts.MeterReplaced: lambda event: f"meter replaced: {event.reason}",
    supply.GuaranteeStarted: lambda event: f"guaranteed: {event.reason}",
    supply.GuaranteeEnded: lambda event: f"guarantee ended: {event.reason}",
    supply.DisputeHeld: lambda event: f"in dispute: {event.reason}",
    supply.DisputeReleased: lambda event: f"dispute released: {event.reason}",
    MeterConnected: lambda event: f"connected to {event.gateway_id}",
}
"""The facts that steer, each with what it says as a reason."""
TOPICS: Final = frozenset(event_type.TOPIC for event_type in REASONS)


def steering_of(recorded: Recorded) -> Steering | None:
    """The point to be steered after a fact; its place in the log is the cause and the key."""
    event: Any = recorded.event
    reason_of = REASONS.get(type(event))
    if reason_of is None:
        return None
    cause = f"{recorded.shard}:{recorded.position}"
    return Steering(event.account_no, event.point, reason_of(event), cause)
