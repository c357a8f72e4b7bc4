"""Bills of points that share tiers (共用账单): a reading of any of them ends the bill of all."""

from bisect import bisect_right
from collections.abc import Iterable

import msgspec

from ledger.aggregates.account.sharing import points_of
from ledger.aggregates.account.state import Account
from ledger.pricing import CompiledTariff
from ledger.pricing.bills import Bills, closed_before
from ledger.pricing.position import Position
from ledger.values import local_us


def billed(account: Account, kind: str, tariff: CompiledTariff, position: Position) -> Position:
    """A position for all that knows the bill which goes on when another meter joins."""
    if position.bills or not tariff.tables.is_billed:
        return position
    known = [
        (point.position, point.last_at_us, point.going_on)
        for point in points_of(account, kind, tariff.tariff_id)
    ]
    known += [
        (was, was.ahead_us, ())
        for left_kind, left_tariff, was in account.left
        if (left_kind, left_tariff) == (kind, tariff.tariff_id)
    ]
    was, until_us, going_on = known[0]
    bills = closed_before(was, until_us, going_on, tariff.timezone)
    return msgspec.structs.replace(position, bills=bills)


def still_open(
    account: Account, kind: str, tariff: CompiledTariff, bills: Iterable[int], end: tuple[str, int]
) -> Bills:
    """Bills that a meter may still count over, and the one before them; `end` is of one point."""
    reached_us = dict([end])
    ends = [
        reached_us.get(point.name, point.last_at_us)
        for point in points_of(account, kind, tariff.tariff_id)
    ]
    known = sorted({*bills})
    first = bisect_right(known, local_us(tariff.timezone, min(ends, default=end[1]))) - 1
    return tuple(known[max(first, 0) :])
