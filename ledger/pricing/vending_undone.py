"""A sale of units undone (撤销售电): where the point stands as if it had not been."""

from fractions import Fraction
from math import lcm

import msgspec

from ledger.pricing.position import Position


def undone(position: Position, before: Position, after: Position) -> Position:
    """The position without a sale that once led from `before` to `after`.

    Later sales are not priced anew: they count on, less what is taken back. A window that has
    closed since stays as it is.
    """
    if position == after:
        return before
    if _window(position) != _window(after):
        return position
    was = before if _window(before) == _window(after) else None
    used = _used(position) - (_used(after) - (_used(was) if was else 0))
    accrued = _without(_accrued(position), _accrued(after), _accrued(was) if was else [])
    posted = _without(_posted(position), _posted(after), _posted(was) if was else [])
    used_by = (used,) if position.used_by else ()  # Units are sold by one register.
    den = lcm(used.denominator, *(units.denominator for units in accrued))
    has_borne = position.months_through == after.months_through
    return msgspec.structs.replace(
        position,
        used=int(used * den),
        accrued=tuple(int(units * den) for units in accrued),
        posted=tuple(map(int, posted)),
        den=den,
        used_by=tuple(int(quantity * den) for quantity in used_by),
        months_through=before.months_through if has_borne else position.months_through,
        month_gaps=before.month_gaps if has_borne else position.month_gaps,
    )


def _window(position: Position) -> tuple[int, int]:
    return position.version, position.window_from


def _used(position: Position) -> Fraction:
    return Fraction(position.used, position.den)


def _accrued(position: Position) -> list[Fraction]:
    return [Fraction(units, position.den) for units in position.accrued]


def _posted(position: Position) -> list[Fraction]:
    return [Fraction(amount) for amount in position.posted]


def _without(now: list[Fraction], after: list[Fraction], before: list[Fraction]) -> list[Fraction]:
    """Line by line; a later version may have brought new lines."""
    return [value - (_at(after, line) - _at(before, line)) for line, value in enumerate(now)]


def _at(values: list[Fraction], line: int) -> Fraction:
    return values[line] if line < len(values) else Fraction(0)
