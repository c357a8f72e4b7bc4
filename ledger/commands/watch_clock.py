"""Watch a meter's clock (时钟偏差): one that is wrong counts in other hours than are charged."""

from typing import Final

from ledger.aggregates.account import Account, Point
from ledger.aggregates.work_order import WorkOrder
from ledger.devices import MeterState
from ledger.events.work_order import WorkOrderOpened
from ledger.store import Session

WRONG_S: Final = 300
"""A clock that is farther off is work for a person: no meter here lets itself be set by wire."""
RIGHT_S: Final = 60
"""One that came back as near as this is right again."""
CODE: Final = "clock_wrong"


def is_wrong(skew_s: int | None) -> bool:
    """Whether a clock is too far off; one that shows no time is not judged."""
    return skew_s is not None and abs(skew_s) > WRONG_S


def watch_clock(session: Session, account: Account, point: Point, state: MeterState) -> None:
    """Open one case a meter while its clock is wrong, and settle it when a sweep finds it right."""
    skew_s = state.clock_skew_s
    if skew_s is None or RIGHT_S < abs(skew_s) <= WRONG_S:
        return
    number = f"{account.shard}-k-{point.meter_no}"
    work = session.aggregate(WorkOrder, number, account.shard)
    if is_wrong(skew_s) and work.status != "open":
        opened = WorkOrderOpened(
            work_order_no=number,
            account_no=account.account_no,
            point=point.name,
            meter_no=point.meter_no,
            command_id="",
            kind="set_clock",
            code=CODE,
            reason=f"The meter's clock is {abs(skew_s)} s {'fast' if skew_s > 0 else 'slow'}.",
        )
        session.record(work, opened, session.now_us)
    elif not is_wrong(skew_s):
        settled = work.settle(point.supply_actual, "sweep", "")
        if settled is not None:
            session.record(work, settled, session.now_us)
