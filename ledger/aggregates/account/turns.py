"""Whose turn it is: what comes in order is charged at once, the rest is rated again."""

from itertools import chain

from ledger.aggregates.account.sharing import end_of, points_of
from ledger.aggregates.account.state import Account, Point
from ledger.pricing import CompiledTariff
from ledger.pricing.bills import is_open
from ledger.pricing.side_by_side import counts_in_any_order
from ledger.values import local_day


def is_amid_a_bill(account: Account, point: Point, tariff: CompiledTariff) -> bool:
    """Whether a replaced meter left the bill open: it is rated as a whole once it closes."""
    context = account.rating_context()
    if not tariff.tables.is_billed or (context is not None and context.bill_day):
        return False
    if not point.is_shared:
        return is_open(point.position, point.last_at_us, point.going_on, tariff.timezone)
    mates = points_of(account, point.service_kind, point.tariff_id)
    ends = chain.from_iterable(mate.going_on for mate in mates)
    return is_open(point.position, end_of(account, point), ends, tariff.timezone)


def is_in_turn(account: Account, point: Point, at_us: int, tariff: CompiledTariff) -> bool:
    """Whether an interval that ends then can follow what is counted, or its place is all one."""
    position = point.position
    if local_day(tariff.timezone, point.last_at_us) < position.in_service_from:
        return False
    mark = (at_us, point.last_at_us, point.meter_no)
    is_last = at_us > position.ahead_us and all(
        mate is point
        or not mate.counted_from_us
        or (mate.last_at_us, mate.counted_from_us, mate.meter_no) < mark
        for mate in points_of(account, point.service_kind, point.tariff_id)
    )
    if is_last:
        return True
    context = account.rating_context()
    return counts_in_any_order(tariff, position, point.last_at_us, at_us, context)
