"""One work order (工单): opened where a command did not reach its end, settled by a person."""

from collections.abc import Callable
from typing import Any, ClassVar

from ledger.aggregates import Aggregate
from ledger.events import Event
from ledger.events.work_order import WorkOrderOpened, WorkOrderSettled


class WorkOrder(Aggregate):
    """Work at one point's meter; natural id is its number."""

    KIND: ClassVar[str] = "work_order"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    work_order_no: str = ""
    account_no: str = ""
    point: str = ""
    command_id: str = ""
    status: str = "absent"

    def settle(self, actual: str, by: str, note: str) -> WorkOrderSettled | None:
        """The work is done; settled before is silence."""
        if self.status != "open":
            return None
        return WorkOrderSettled(self.work_order_no, self.account_no, actual, by, note)


def _opened(order: WorkOrder, event: WorkOrderOpened, _at: int) -> None:
    order.work_order_no = event.work_order_no
    order.account_no = event.account_no
    order.point = event.point
    order.command_id = event.command_id
    order.status = "open"


def _settled(order: WorkOrder, _event: WorkOrderSettled, _at: int) -> None:
    order.status = "settled"


WorkOrder.EVOLVERS.update({WorkOrderOpened: _opened, WorkOrderSettled: _settled})
