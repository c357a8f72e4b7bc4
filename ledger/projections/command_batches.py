"""Batches of commands: who asked, who let them run, and what became of each of their orders."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final

from ledger.events import Event, Recorded
from ledger.events import command_batch as facts
from ledger.projections import Column, Merge, Row
from ledger.projections.newest import Change, Changes, newest


class CommandBatches:
    """One row per batch; its `sites` are one a line, and none where its author sees all."""

    name: ClassVar[str] = "command_batches"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("batch_id", "text", Merge.KEY),
        Column("kind", "text"),
        Column("status", "text"),
        Column("reason", "text"),
        Column("orders", "int"),
        Column("sites", "text"),
        Column("requested_by", "text"),
        Column("decided_by", "text"),
        Column("requested_us", "int"),
        Column("approve_until_us", "int"),
        Column("expires_us", "int"),
        Column("updated_us", "int"),
        Column("position", "int"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest of each batch."""
        return newest(batch, _CHANGES, ("batch_id",))


class BatchOrders:
    """One row per order of a batch: its command, or why there is none; neither while it waits."""

    name: ClassVar[str] = "batch_orders"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("batch_id", "text", Merge.KEY),
        Column("number", "int", Merge.KEY),
        Column("account_no", "text"),
        Column("point", "text"),
        Column("command_shard", "int"),
        Column("command_id", "text"),
        Column("code", "text"),
        Column("reason", "text"),
        Column("position", "int"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest of each order in the batch of facts."""
        rows: dict[tuple[int, str, int], Change] = {}
        for recorded in batch:
            orders_of = _ORDERS.get(type(recorded.event))
            if orders_of is None:
                continue
            for told in orders_of(recorded.event):
                key = recorded.shard, told["batch_id"], told["number"]
                at = {"shard": recorded.shard, "position": recorded.position}
                rows[key] = {**rows.get(key, {}), **told, **at}
        return list(rows.values())


NOTHING_YET: Final[Change] = {"command_shard": 0, "command_id": "", "code": "", "reason": ""}


def _orders_requested(event: facts.CommandBatchRequested) -> Iterator[Change]:
    for number, (account_no, point) in enumerate(event.orders):
        named = {"account_no": account_no, "point": point}
        yield {"batch_id": event.batch_id, "number": number, **named, **NOTHING_YET}


def _orders_advanced(event: facts.CommandBatchAdvanced) -> Iterator[Change]:
    for number, command_id in event.accepted:
        shard = int(command_id.partition("-")[0])
        ordered = {"command_shard": shard, "command_id": command_id}
        yield {"batch_id": event.batch_id, "number": number, **ordered}
    for number, code, reason in event.refused:
        yield {"batch_id": event.batch_id, "number": number, "code": code, "reason": reason}


_ORDERS: Final[dict[type[Event], Callable[[Any], Iterator[Change]]]] = {
    facts.CommandBatchRequested: _orders_requested,
    facts.CommandBatchAdvanced: _orders_advanced,
}


def _requested(event: facts.CommandBatchRequested, recorded: Recorded) -> Change:
    return {
        **_now(
            event.batch_id, "awaiting_approval" if event.approve_until_us else "running", recorded
        ),
        "kind": event.kind,
        "reason": event.reason,
        "orders": len(event.orders),
        "sites": "\n".join(event.sites),
        "requested_by": event.requested_by,
        "decided_by": "",
        "requested_us": recorded.recorded_at_us,
        "approve_until_us": event.approve_until_us,
        "expires_us": event.expires_at_us,
    }


def _approved(event: facts.CommandBatchApproved, recorded: Recorded) -> Change:
    return {**_now(event.batch_id, "running", recorded), "decided_by": event.approved_by}


def _rejected(event: facts.CommandBatchRejected, recorded: Recorded) -> Change:
    return {**_now(event.batch_id, "rejected", recorded), "decided_by": event.rejected_by}


def _expired(event: facts.CommandBatchExpired, recorded: Recorded) -> Change:
    return _now(event.batch_id, "expired", recorded)


def _advanced(event: facts.CommandBatchAdvanced, recorded: Recorded) -> Change:
    return _now(event.batch_id, "running" if event.left else "done", recorded)


def _now(batch_id: str, status: str, recorded: Recorded) -> Change:
    return {
        "batch_id": batch_id,
        "status": status,
        "updated_us": recorded.recorded_at_us,
        "position": recorded.position,
    }


_CHANGES: Final[Changes] = {
    facts.CommandBatchRequested: _requested,
    facts.CommandBatchApproved: _approved,
    facts.CommandBatchRejected: _rejected,
    facts.CommandBatchExpired: _expired,
    facts.CommandBatchAdvanced: _advanced,
}
