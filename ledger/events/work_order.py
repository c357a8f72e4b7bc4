"""Facts of one work order (工单): work for a person where a command did not reach its end."""

from typing import ClassVar, Final

from ledger.events import Event


class WorkOrderOpened(Event, frozen=True):
    """Somebody has to go to the meter, and why."""

    TOPIC: ClassVar[str] = "work_order.opened.v1"
    work_order_no: str
    account_no: str
    point: str
    meter_no: str
    command_id: str
    kind: str
    code: str
    reason: str


class WorkOrderSettled(Event, frozen=True):
    """The work is done; `actual` is the supply that was seen then, `by` is `hand` or `sweep`."""

    TOPIC: ClassVar[str] = "work_order.settled.v1"
    work_order_no: str
    account_no: str
    actual: str
    by: str
    note: str


EVENTS: Final = (WorkOrderOpened, WorkOrderSettled)
