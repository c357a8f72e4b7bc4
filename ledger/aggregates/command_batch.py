"""A batch of device commands (批量控制): the same order to many meters, asked for at once.

Its orders are decided on one by one and a few at a time, so that others are served in between; how
far it has come is part of it, so that whoever goes on after a crash doubles nothing. Where many
would be cut off, a second person has to agree (双人复核).
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from ledger.aggregates import Aggregate, Refused
from ledger.aggregates.account.supply import TRIP
from ledger.events import Event
from ledger.events import command_batch as facts
from ledger.values import MICROS_PER_SECOND

CUTTING: Final = frozenset({TRIP, "end_guarantee"})
"""Kinds after which supply may be off: the platform cuts it, or the meter may by itself again."""
APPROVAL_LASTS_US: Final = 24 * 3_600 * MICROS_PER_SECOND
"""So long a batch waits for a second person; then it has to be asked for again."""


def needs_approval(kind: str, orders: int, alone_max: int) -> bool:
    """Whether a second person must agree to that many orders of a kind."""
    return kind in CUTTING and orders > alone_max


class CommandBatch(Aggregate):
    """One batch, in the catalogue's shard; natural id is the batch's id."""

    KIND: ClassVar[str] = "command_batch"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    batch_id: str = ""
    kind: str = ""
    reason: str = ""
    orders: tuple[tuple[str, str], ...] = ()
    expires_at_us: int = 0
    sites: tuple[str, ...] = ()
    requested_by: str = ""
    approve_until_us: int = 0
    status: str = "absent"
    decided_by: str = ""
    """Who approved or rejected it."""
    through: int = 0
    accepted: tuple[tuple[int, str], ...] = ()
    refused: tuple[tuple[int, str, str], ...] = ()
    reached: tuple[tuple[int, int], ...] = ()

    def ahead(self, count: int) -> tuple[tuple[str, str], ...]:
        """The next orders to be decided on; none where it waits or is done."""
        return self.orders[self.through : self.through + count] if self.status == "running" else ()

    def require_known(self) -> None:
        """Refuse an id under which nothing was asked."""
        if self.status == "absent":
            raise Refused("batch_unknown", "There is no batch of this id.")

    def approve(self, actor: str, now_us: int) -> facts.CommandBatchApproved | None:
        """Let it run; by the same approver again is silence, whoever asked for it cannot."""
        self.require_known()
        if self.decided_by == actor and self.status in {"running", "done"}:
            return None
        self._require_waiting(now_us)
        if actor == self.requested_by:
            raise Refused(
                "same_person", f"{actor} asked for the batch; somebody else must approve it."
            )
        return facts.CommandBatchApproved(self.batch_id, self.requested_by, actor)

    def reject(self, actor: str, reason: str, now_us: int) -> facts.CommandBatchRejected | None:
        """Say no; whoever asked for it may too, and rejected before is silence."""
        self.require_known()
        if self.status == "rejected":
            return None
        self._require_waiting(now_us)
        return facts.CommandBatchRejected(self.batch_id, reason, actor)

    def expire(self, now_us: int) -> facts.CommandBatchExpired | None:
        """End what nobody approved in time; anything else is silence."""
        is_over = self.status == "awaiting_approval" and now_us >= self.approve_until_us
        return facts.CommandBatchExpired(self.batch_id) if is_over else None

    def _require_waiting(self, now_us: int) -> None:
        is_late = self.status == "awaiting_approval" and now_us >= self.approve_until_us
        if self.status != "awaiting_approval" or is_late:
            status = "expired" if is_late else self.status
            raise Refused("batch_not_waiting", f"The batch is {status}; it waits for nobody.")


def _requested(batch: CommandBatch, event: facts.CommandBatchRequested, _at: int) -> None:
    batch.batch_id = event.batch_id
    batch.kind = event.kind
    batch.reason = event.reason
    batch.orders = event.orders
    batch.expires_at_us = event.expires_at_us
    batch.sites = event.sites
    batch.requested_by = event.requested_by
    batch.approve_until_us = event.approve_until_us
    batch.status = "awaiting_approval" if event.approve_until_us else "running"


def _approved(batch: CommandBatch, event: facts.CommandBatchApproved, _at: int) -> None:
    batch.status = "running"
    batch.decided_by = event.approved_by


def _rejected(batch: CommandBatch, event: facts.CommandBatchRejected, _at: int) -> None:
    batch.status = "rejected"
    batch.decided_by = event.rejected_by


def _expired(batch: CommandBatch, _event: facts.CommandBatchExpired, _at: int) -> None:
    batch.status = "expired"


def _advanced(batch: CommandBatch, event: facts.CommandBatchAdvanced, _at: int) -> None:
    batch.through = event.through
    batch.accepted += event.accepted
    batch.refused += event.refused
    batch.reached = tuple(sorted({**dict(batch.reached), **dict(event.reached)}.items()))
    batch.status = "running" if event.left else "done"


CommandBatch.EVOLVERS.update(
    {
        facts.CommandBatchRequested: _requested,
        facts.CommandBatchApproved: _approved,
        facts.CommandBatchRejected: _rejected,
        facts.CommandBatchExpired: _expired,
        facts.CommandBatchAdvanced: _advanced,
    }
)
