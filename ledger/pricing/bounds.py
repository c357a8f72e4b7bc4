"""Tier bounds in force: by days, by months in service, by household (R7, R8)."""

from fractions import Fraction
from itertools import accumulate
from typing import Final, NamedTuple

from ledger.pricing.calendar import (
    day_at,
    first_day,
    midnight,
    month_of,
    months_between,
    months_later,
)
from ledger.pricing.charges import Limit, Modifier, Plan
from ledger.pricing.context import ALWAYS, AT_LAST, Condition, Context, Value, quantity
from ledger.pricing.exact import half_up
from ledger.pricing.pieces import Piece
from ledger.pricing.position import NotRateable
from ledger.pricing.terms import Version

DAYS_A_MONTH: Final = 30
"""Of a billing period, where the tariff names no other number."""


class Household(NamedTuple):
    """Whom a piece of an interval is rated for."""

    context: Context
    in_service_from: int

    def bounds(self, plan: Plan, piece: Piece) -> list[Fraction]:
        """Upper bounds of all tiers but the last, in Wh or litres."""
        version = piece.version
        factor = _factor(version, piece, self.in_service_from)
        bounds = []
        for limit in plan.limits[piece.season]:
            bound = limit.bound * self._times(limit, plan, piece, factor)
            quantum = version.proration.tier_quantum
            bounds.append(bound if quantum is None else _rounded(bound, quantum))
        for modifier in version.modifiers:
            if modifier.flat_price is None:
                shift = self._shift(modifier, piece)
                for tier in range(len(bounds)):
                    if modifier.tiers is None or tier in modifier.tiers:
                        bounds[tier] += shift
        # A bound that moved beyond the next one leaves that tier empty.
        return list(accumulate(bounds, max))

    def excess(self, over: int, piece: Piece) -> Fraction:
        """The quantity above which a charge begins, prorated like a bound."""
        return over * _factor(piece.version, piece, self.in_service_from)

    def flat_price(self, piece: Piece) -> int | None:
        """The one price that replaces the tiers, where the household has it."""
        day = max(first_day(month_of(_day(piece))), piece.window_from, self.in_service_from)
        for modifier in piece.version.modifiers:
            if modifier.flat_price is not None and self._persons(modifier, day, piece):
                return modifier.flat_price
        return None

    def months(self, piece: Piece) -> int:
        """Months of the window, from the month of moving in where bounds are prorated so."""
        return len(month_days(piece, self.in_service_from))

    def holds(self, condition: Condition | None, at: int) -> bool:
        """Whether a condition is fulfilled at a wall-clock time."""
        return condition is None or condition.holds_at(self.context, at)

    def opened(self, piece: Piece) -> int:
        """Wall-clock time at which the window, or the service in it, begins."""
        return midnight(max(piece.window_from, min(self.in_service_from, piece.window_to - 1)))

    def number(self, attribute: str, at: int) -> Fraction:
        """An attribute as a number; NotRateable where nobody told it."""
        number = quantity(self.context.attribute(attribute, at)[0])
        if number is None:
            message = f"The tariff asks for the account's {attribute}; tell it as a number."
            raise NotRateable("attribute_missing", message)
        return number

    def _times(self, limit: Limit, plan: Plan, piece: Piece, factor: Fraction) -> Fraction:
        if limit.per == "day":
            return Fraction(piece.window_to - piece.window_from)
        if limit.per == "kva" and plan.kva is not None:
            return self.number(plan.kva, piece.asked_at) * factor
        return factor

    def _shift(self, modifier: Modifier, piece: Piece) -> int:
        days = month_days(piece, self.in_service_from)
        return modifier.per_month * sum(self._persons(modifier, day, piece) for day in days)

    def _persons(self, modifier: Modifier, day: int, piece: Piece) -> int:
        """How often the allowance counts for the month that begins on `day`."""
        asked_at = midnight(day)
        if modifier.at_once:
            asked_at = midnight(first_day(month_of(day) + 1)) - 1
        known_at = AT_LAST if modifier.rerates else piece.asked_at
        value, since = self.context.attribute(modifier.condition.attribute, min(asked_at, known_at))
        if not modifier.condition.holds(value) or self._has_expired(modifier, since, day):
            return 0
        return _extra_persons(modifier, value) if modifier.per_extra_person else 1

    def _has_expired(self, modifier: Modifier, since: int, day: int) -> bool:
        if modifier.valid_months is None:
            return False
        begun = self.in_service_from if since == ALWAYS else _first_day_from(since, modifier)
        return month_of(day) - month_of(begun) >= modifier.valid_months


def month_days(piece: Piece, in_service_from: int) -> list[int]:
    """The day of each month of the window on which the household's attributes are asked for."""
    first = piece.window_from
    if piece.version.is_billed:
        whole = months_between(first, piece.window_to)
        begun = month_of(first)
        return [first, *(first_day(begun + later) for later in range(1, whole))]
    if piece.version.prorated:
        first = max(first, in_service_from)
    months = range(month_of(first), month_of(piece.window_to - 1) + 1)
    return [max(first_day(month), first) for month in months]


def _factor(version: Version, piece: Piece, in_service_from: int) -> Fraction:
    """What the bounds of a whole window are multiplied by."""
    rule = version.proration
    in_service = max(piece.window_from, min(in_service_from, piece.window_to - 1))
    match rule.method:
        case "days":
            whole = DAYS_A_MONTH if version.is_billed else piece.window_to - piece.window_from
            factor = Fraction(piece.window_to - in_service, rule.base_days or whole)
        case "months":
            if version.is_billed:
                factor = _months_and_days(in_service, piece.window_to)
            else:
                factor = Fraction(version.window.months_left(piece.window_from, in_service))
        case "months_in_service":
            if version.is_billed or in_service <= piece.window_from:
                return Fraction(1)
            left = version.window.months_left(piece.window_from, in_service)
            factor = Fraction(left, version.window.months)
        case _:
            return Fraction(1)
    return factor if rule.factor_quantum is None else _rounded(factor, rule.factor_quantum)


def _months_and_days(first: int, last: int) -> Fraction:
    """Whole months, and the days left as a share of thirty."""
    whole = months_between(first, last, at_least=0)
    return whole + Fraction(max(last - months_later(first, whole), 0), DAYS_A_MONTH)


def _rounded(value: Fraction, quantum: Fraction) -> Fraction:
    steps = value / quantum
    return half_up(steps.numerator, steps.denominator) * quantum


def _first_day_from(since: int, modifier: Modifier) -> int:
    """The first day of a month on which the allowance counts."""
    day = day_at(since)
    month = month_of(day)
    if modifier.at_once or since <= midnight(first_day(month)):
        return first_day(month)
    return first_day(month + 1)


def _extra_persons(modifier: Modifier, value: Value) -> int:
    """Persons from the threshold on: with `gte` 5, the fifth is the first extra one."""
    persons, threshold = quantity(value), modifier.condition.at_least
    if persons is None or threshold is None:
        return 1
    return int(persons - threshold) + 1


def _day(piece: Piece) -> int:
    return max(day_at(piece.asked_at), piece.window_from)
