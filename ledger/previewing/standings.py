"""Where points stand in a preview (试算状态): levels, trips put off, trips nobody carries out.

Whatever is tried, a tariff or a policy: what a no-cut window puts off is decided again at its end,
as the scheduler does. Whoever has a guarantee, disputes what is owed or is protected is cut when
that has ended, if it is still wanted then.
"""

from typing import Final, NamedTuple

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.control import NO_DAYS, TRIP, WARN, Terms, level_after
from ledger.aggregates.account.state import DAYS_MAX, days_left
from ledger.aggregates.account.supply import is_guaranteed, what_forbids_a_trip

KINDS: Final = ("reminded", "warned", "disconnected")
POSTPONED: Final = "postponed"
KEPT_ON: Final = "kept_on"
"""A trip that nobody carries out, because the point may not be cut."""
RESTORED: Final = "restored"
CANCELLED: Final = "cancelled"


class Standing(NamedTuple):
    """The level of a point; where a trip was put off, when it is due and since when."""

    level: int = 0
    due_us: int = 0
    since_us: int = 0
    is_kept_on: bool = False
    """The trip waits until the point may be cut."""

    @property
    def is_cut(self) -> bool:
        """Whether the supply is off."""
        return self.level == TRIP and not (self.due_us or self.is_kept_on)

    @property
    def reached(self) -> int:
        """The level as the customer feels it: a trip only where the supply is off."""
        return self.level if self.is_cut else min(self.level, WARN)

    def kind_of(self, after: "Standing") -> str:
        """What the step to another standing is called."""
        if after.due_us:
            return POSTPONED
        if after.is_cut:
            return KINDS[TRIP - 1]
        if self.is_cut:
            return RESTORED
        if after.is_kept_on:
            return KEPT_ON
        return KINDS[after.level - 1] if after.level > self.level else CANCELLED


NOTHING: Final = Standing()
"""Where a point begins."""


class Means(NamedTuple):
    """What a point is decided about by: the money it can use, and the last seven days' charges."""

    available_minor: int
    week_minor: int


def decided(
    account: Account, point: Point, before: Standing, terms: Terms, means: Means, at_us: int
) -> Standing:
    """Where a point stands after it was decided about at a time."""
    available = means.available_minor
    if before.level == 0 and available > terms.top_minor and terms.days == NO_DAYS:
        return before
    left = days_left(available, means.week_minor) if terms.days != NO_DAYS else DAYS_MAX
    held = WARN if before.due_us else before.level
    level = level_after(held, available, left, point.service_kind, terms)
    if level != TRIP:
        return Standing(level)
    is_new = before.level != TRIP or before.due_us
    if is_new and terms.no_cut is not None:
        since_us = before.since_us or at_us
        hold = terms.no_cut.hold(account.timezone, since_us, at_us)
        if hold is not None:
            return Standing(TRIP, hold.until_us, since_us)
    return protected(account, point, Standing(TRIP, is_kept_on=not before.is_cut), at_us)


def protected(account: Account, point: Point, before: Standing, at_us: int) -> Standing:
    """The same standing where only what protects the point has changed."""
    if before.level != TRIP or before.due_us:
        return before
    if before.is_cut:  # A guarantee gives the supply back, a dispute does not.
        is_kept_on = is_guaranteed(point, at_us)
    else:
        is_kept_on = bool(what_forbids_a_trip(account, point, at_us))
    return before._replace(is_kept_on=is_kept_on)
