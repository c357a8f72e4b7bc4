"""Bills (账单) that go on: a billing period without a told day ends with a reading, not a meter."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from ledger.pricing.context import NOTHING_KNOWN, Context
from ledger.values import local_us

Place = tuple[str, int]
"""An interval among others: its meter, and when it began."""


class GoingOn(NamedTuple):
    """A meter that goes on in the bill of the one that it replaced."""

    meter_no: str
    at_us: int
    old_meter_no: str
    bill_from_us: int
    """Since when the bill runs."""

    @property
    def place(self) -> Place:
        """Of the meter's first interval."""
        return self.meter_no, self.at_us


def by_place(meters: Iterable[GoingOn]) -> dict[Place, GoingOn]:
    """The meters that go on, by their first intervals."""
    return {each.place: each for each in meters}


def bill_from(
    going_on: Mapping[Place, GoingOn],
    place: Place,
    begun: Callable[[str, int], int | None] = lambda _meter_no, _to_us: None,
) -> int:
    """Since when the bill of an interval runs.

    `begun` tells when the last interval of an old meter began, where that may have changed.
    """
    known = going_on.get(place)
    if known is None:
        return place[1]
    since_us = begun(known.old_meter_no, known.at_us)
    if since_us is None:
        return known.bill_from_us
    return bill_from(going_on, (known.old_meter_no, since_us), begun)


def changed(meters: Iterable[GoingOn], ended: Mapping[Place, int]) -> tuple[GoingOn, ...]:
    """The same where old meters ended with other intervals: when each began, by meter and end."""
    found: dict[Place, GoingOn] = {}
    for each in meters:
        found[each.place] = each
        since_us = bill_from(found, each.place, lambda *end: ended.get(end))
        found[each.place] = each._replace(bill_from_us=since_us)
    return tuple(found.values())


def in_bill(context: Context | None, timezone: str, from_us: int, since_us: int) -> Context | None:
    """What an interval is rated by whose bill runs since a time."""
    if since_us == from_us:
        return context
    return msgspec.structs.replace(context or NOTHING_KNOWN, bills=(local_us(timezone, since_us),))
