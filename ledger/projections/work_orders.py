"""Work orders: what a person has to look at, and what was found."""

from collections.abc import Sequence
from typing import ClassVar, Final

from ledger.events import Recorded
from ledger.events.work_order import WorkOrderOpened, WorkOrderSettled
from ledger.projections import Column, Merge, Row
from ledger.projections.newest import Change, Changes, newest


class WorkOrders:
    """One row per work order; status `open` or `settled`."""

    name: ClassVar[str] = "work_orders"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("work_order_no", "text", Merge.KEY),
        Column("account_no", "text"),
        Column("point", "text"),
        Column("meter_no", "text"),
        Column("command_id", "text"),
        Column("kind", "text"),
        Column("code", "text"),
        Column("reason", "text"),
        Column("status", "text"),
        Column("opened_us", "int"),
        Column("settled_us", "int"),
        Column("settled_by", "text"),
        Column("actual", "text"),
        Column("note", "text"),
        Column("position", "int"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest of each work order in the batch."""
        return newest(batch, _CHANGES, ("work_order_no",))


def _opened(event: WorkOrderOpened, recorded: Recorded) -> Change:
    return {
        "work_order_no": event.work_order_no,
        "account_no": event.account_no,
        "point": event.point,
        "meter_no": event.meter_no,
        "command_id": event.command_id,
        "kind": event.kind,
        "code": event.code,
        "reason": event.reason,
        "status": "open",
        "opened_us": recorded.recorded_at_us,
        "position": recorded.position,
    }


def _settled(event: WorkOrderSettled, recorded: Recorded) -> Change:
    return {
        "work_order_no": event.work_order_no,
        "status": "settled",
        "settled_us": recorded.recorded_at_us,
        "settled_by": event.by,
        "actual": event.actual,
        "note": event.note,
        "position": recorded.position,
    }


_CHANGES: Final[Changes] = {WorkOrderOpened: _opened, WorkOrderSettled: _settled}
