"""What rating must know of an account besides its readings: attributes in time, bills."""

from bisect import bisect_left, bisect_right
from fractions import Fraction
from numbers import Real
from typing import Final, NamedTuple

import msgspec

from ledger.pricing.calendar import day_at, first_day, midnight, month_of
from ledger.pricing.document import AtLeast
from ledger.pricing.document import Condition as ConditionDocument

Value = bool | int | str | None
ALWAYS: Final = -(1 << 62)
"""Since ever: the time of what was known at the beginning."""
AT_LAST: Final = 1 << 62
"""After everything that is known."""


class Context(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Facts about an account that its tariff may ask for; times are wall-clock microseconds."""

    attributes: tuple[tuple[int, str, Value], ...] = ()
    """(since when, name, value) in the order of time."""
    bills: tuple[int, ...] = ()
    """Bill readings in the order of time: a billing period runs between two of them."""
    bill_day: int = 0
    """Day of the month (1 to 28) on which a billing period begins where no bills are told."""

    def attribute(self, name: str, at: int) -> tuple[Value, int]:
        """Value of an attribute at a time, and since when it has been so confirmed."""
        found: tuple[Value, int] = None, ALWAYS
        for since, changed, value in self.attributes:
            if since > at:
                break
            if changed == name:
                found = value, since
        return found

    def known(self, at: int) -> int:
        """How many of the attributes' changes are known at a time."""
        return sum(since <= at for since, _, _ in self.attributes)

    def period(self, start: int, end: int, in_service_from: int) -> tuple[int, int]:
        """Wall-clock times between which the billing period of an interval runs."""
        if self.bill_day:
            return self._period_of_month(day_at(start))
        if not self.bills:
            return start, end
        before = bisect_right(self.bills, start)
        after = bisect_left(self.bills, end)
        opened = self.bills[before - 1] if before else min(start, midnight(in_service_from))
        return opened, self.bills[after] if after < len(self.bills) else end

    def bills_between(self, start: int, end: int) -> list[int]:
        """Times after `start` and before `end` at which a billing period ends."""
        if not self.bill_day:
            return [bill for bill in self.bills if start < bill < end]
        found = []
        _, border = self._period_of_month(day_at(start))
        while border < end:
            found.append(border)
            _, border = self._period_of_month(day_at(border))
        return found

    def _period_of_month(self, day: int) -> tuple[int, int]:
        shift = self.bill_day - 1
        month = month_of(day - shift)
        return midnight(first_day(month) + shift), midnight(first_day(month + 1) + shift)


NOTHING_KNOWN: Final = Context()


class Condition(NamedTuple):
    """What an attribute must be; an attribute that nobody told fulfils nothing."""

    attribute: str
    at_least: Fraction | None
    equals: object

    def holds(self, value: Value) -> bool:
        """Whether the attribute's value fulfils the condition."""
        if value is None:
            return False
        if self.at_least is not None:
            number = quantity(value)
            return number is not None and number >= self.at_least
        if isinstance(self.equals, Fraction):
            return quantity(value) == self.equals
        same_kind = isinstance(value, bool) == isinstance(self.equals, bool)
        return same_kind and value == self.equals

    def holds_at(self, context: Context, at: int) -> bool:
        """Whether it is fulfilled at a wall-clock time."""
        return self.holds(context.attribute(self.attribute, at)[0])


def quantity(value: Value) -> Fraction | None:
    """The attribute's value as a number; None where it is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        return None


def condition_of(document: ConditionDocument | None) -> Condition | None:
    """A document's condition, ready to ask."""
    if document is None:
        return None
    if isinstance(document, AtLeast):
        return Condition(document.attribute, Fraction(str(document.gte)), None)
    told = document.eq
    is_number = isinstance(told, Real) and not isinstance(told, bool)
    return Condition(document.attribute, None, Fraction(str(told)) if is_number else told)
