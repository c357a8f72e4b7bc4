"""The device queue: every command to a meter, how far it has come, and what came of it last."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from ledger.events import Recorded
from ledger.events import command as facts
from ledger.projections import Column, Merge, Row
from ledger.projections.newest import Change, Changes, newest

ENDED: Final = frozenset({"verified", "expired", "superseded", "cancelled", "failed"})
"""Statuses of which nothing more comes by itself."""


class Commands:
    """One row per command; `outcome` is the last answer, or the reason why there is none."""

    name: ClassVar[str] = "commands"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("command_id", "text", Merge.KEY),
        Column("account_no", "text"),
        Column("point", "text"),
        Column("meter_no", "text"),
        Column("kind", "text"),
        Column("status", "text"),
        Column("reason", "text"),
        Column("cause", "text"),
        Column("by_hand", "int"),
        Column("attempts", "int"),
        Column("outcome", "text"),
        Column("work_order_no", "text"),
        Column("requested_us", "int"),
        Column("updated_us", "int"),
        Column("again_us", "int"),
        Column("expires_us", "int"),
        Column("position", "int"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest of each command in the batch."""
        return newest(batch, _CHANGES, ("command_id",))


def _requested(event: facts.CommandRequested, recorded: Recorded) -> Change:
    return {
        **_now("requested", event, recorded, ""),
        "account_no": event.account_no,
        "point": event.point,
        "meter_no": event.meter_no,
        "kind": event.kind,
        "reason": event.reason,
        "cause": event.cause,
        "by_hand": int(event.by_hand),
        "attempts": 0,
        "work_order_no": event.work_order_no,
        "requested_us": recorded.recorded_at_us,
        "again_us": 0,
        "expires_us": event.expires_at_us,
    }


def _held(event: facts.CommandHeld, recorded: Recorded) -> Change:
    return {**_now("held", event, recorded, event.code), "again_us": event.until_us}


def _queued(event: facts.CommandQueued, recorded: Recorded) -> Change:
    return {
        **_now("queued", event, recorded, event.code),
        "again_us": event.again_at_us,
        "expires_us": event.expires_at_us,
    }


def _dispatched(event: facts.CommandDispatched, recorded: Recorded) -> Change:
    return {
        **_now("dispatched", event, recorded, ""),
        "attempts": event.attempt,
        "meter_no": event.meter_no,
    }


def _later(status: str, words: Callable[[Any], str]) -> Callable[[Any, Recorded], Change]:
    def change(event: Any, recorded: Recorded) -> Change:  # noqa: ANN401 - facts that tell when to go on
        return {**_now(status, event, recorded, words(event)), "again_us": event.again_at_us}

    return change


def _step(status: str, words: Callable[[Any], str]) -> Callable[[Any, Recorded], Change]:
    def change(event: Any, recorded: Recorded) -> Change:  # noqa: ANN401 - facts of one shape
        return _now(status, event, recorded, words(event))

    return change


def _failed(event: facts.CommandFailed, recorded: Recorded) -> Change:
    outcome = f"{event.code}: {event.reason}"
    return {**_now("failed", event, recorded, outcome), "work_order_no": event.work_order_no}


def _now(status: str, event: Any, recorded: Recorded, outcome: str) -> Change:  # noqa: ANN401 - any fact of a command
    return {
        "command_id": event.command_id,
        "status": status,
        "outcome": outcome,
        "updated_us": recorded.recorded_at_us,
        "position": recorded.position,
    }


_CHANGES: Final[Changes] = {
    facts.CommandRequested: _requested,
    facts.CommandHeld: _held,
    facts.CommandQueued: _queued,
    facts.CommandDispatched: _dispatched,
    facts.CommandAcknowledged: _step("acknowledged", lambda _event: "ok"),
    facts.CommandUnknown: _later("unknown", lambda event: f"{event.code}: {event.reason}"),
    facts.CommandRefused: _later("refused", lambda event: event.reason),
    facts.CustomerAwaited: _later("awaiting_customer", lambda _event: "ok"),
    facts.CommandVerified: _step("verified", lambda event: f"{event.relay} by {event.by}"),
    facts.CommandExpired: _step("expired", lambda _event: ""),
    facts.CommandSuperseded: _step("superseded", lambda event: event.by_command_id),
    facts.CommandCancelled: _step("cancelled", lambda event: f"{event.code}: {event.reason}"),
    facts.CommandFailed: _failed,
}
