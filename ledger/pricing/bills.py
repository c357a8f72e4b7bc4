"""Bills (账单) that run from reading to reading, of all meters that count towards the same tiers.

A bill ends with a reading of any of them; the last reading of a meter that is replaced ends none.
Times of bills are those of the wall clock.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence

import msgspec

from ledger.pricing.calendar import midnight
from ledger.pricing.context import NOTHING_KNOWN, Context
from ledger.pricing.position import Position
from ledger.values import local_us

End = tuple[str, int]
"""A meter, and when an interval of it ended."""
Bills = tuple[int, ...]


def closed(ends: Iterable[End], going_on: Collection[End], timezone: str) -> set[int]:
    """When bills ended: with each of these ends, but where the bill goes on."""
    return {local_us(timezone, end[1]) for end in ends if end not in going_on}


def closed_before(
    position: Position, until_us: int, going_on: Iterable[End], timezone: str
) -> Bills:
    """Bills before what counts on from a position that is known up to a time."""
    if position.bills:
        return position.bills
    if position.bill_goes_on or any(end[1] == until_us for end in going_on):
        return (midnight(position.window_from),)
    return (local_us(timezone, until_us),)


def beside(bills: Sequence[int], from_us: int, to_us: int, timezone: str) -> Bills:
    """Those of sorted bills that an interval lies over, the one before it, and that it ends in."""
    first = bisect_right(bills, local_us(timezone, from_us)) - 1
    last = bisect_left(bills, local_us(timezone, to_us))
    return tuple(bills[max(first, 0) : last + 1])


def is_open(position: Position, until_us: int, going_on: Iterable[End], timezone: str) -> bool:
    """Whether a position, known up to a time, stands in a bill that a replaced meter left open.

    How long that bill is, and so what it comes to, is known when another reading closes it.
    """
    ends = [end_us for _, end_us in going_on if end_us <= until_us]
    if not position.bills or not ends:
        return position.bill_goes_on or until_us in ends
    left_open = {local_us(timezone, end_us) for end_us in ends}
    bills = [bill for bill in position.bills if bill not in left_open]
    return not bills or max(left_open) > bills[-1]


def with_bills(context: Context | None, bills: Bills) -> Context:
    """What an interval is rated by that lies over these bills."""
    return msgspec.structs.replace(context or NOTHING_KNOWN, bills=bills)
