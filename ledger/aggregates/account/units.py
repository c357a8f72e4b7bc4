"""Prepaid units (预存量): used by what the meter counts, the oldest first.

What they were bought for stays with them until they are used: money that is not earned yet.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from ledger.aggregates.account.state import Account
from ledger.aggregates.account.tax import charge_lines
from ledger.events import account as facts
from ledger.events.account import ChargeLine, MeteredInterval, UnitsHeld, UnitsPaid
from ledger.pricing import Line
from ledger.pricing.exact import half_up

HELD_MAX: Final = 50
"""Purchases that a point tells apart; of those before, it only knows what is left of all."""


class Lines(NamedTuple):
    """Lines that are charged, wherever they come from."""

    lines: tuple[Line, ...]


class Taken(NamedTuple):
    """What a quantity was taken from, and what is left."""

    lines: tuple[ChargeLine, ...]
    left: tuple[UnitsHeld, ...]
    overused: int


def take(held: Sequence[UnitsHeld], overused: int, quantity: int) -> Taken:
    """Use units, the oldest first; what was used beyond them earlier is made up for first."""
    wanted, taken = quantity + overused, []
    left = list(held)
    while left and wanted:
        oldest = left[0]
        if oldest.quantity <= wanted:
            wanted -= oldest.quantity
            taken.append(oldest.lines)
            del left[0]
            continue
        part = [scaled(line, wanted, oldest.quantity) for line in oldest.lines]
        taken.append(tuple(part))
        rest = tuple(_less(line, less) for line, less in zip(oldest.lines, part, strict=True))
        left[0] = UnitsHeld(oldest.receipt_no, oldest.quantity - wanted, rest)
        wanted = 0
    return Taken(joined(chain.from_iterable(taken)), tuple(left), wanted)


def put_back(
    held: Sequence[UnitsHeld], overused: int, quantity: int, posted: Iterable[ChargeLine]
) -> Taken:
    """Units that were not used after all, worth what they were `posted` at."""
    made_up = min(overused, quantity)
    lines = tuple(posted)
    negative = tuple(scaled(line, -1, 1) for line in lines)
    back = UnitsHeld("", quantity - made_up, lines)
    left = (back, *held) if back.quantity or lines else tuple(held)
    return Taken(negative, left, overused - made_up)


def quantity_of(intervals: Iterable[MeteredInterval]) -> int:
    """What all registers counted together."""
    return sum(values[2] for each in intervals for values in each.registers.values())


def charged_for(
    lines: Iterable[Line], posted: Mapping[str, int], part: int, whole: int
) -> Iterator[ChargeLine]:
    """What was charged for a part of the units that were used."""
    for line in lines:
        if amount := half_up(posted.get(line.id, 0) * part, whole):
            inside = vat_inside(amount, line.vat_rate)
            yield ChargeLine(line.id, line.gl, amount, inside, line.vat_rate)


def kept(held: tuple[UnitsHeld, ...]) -> tuple[UnitsHeld, ...]:
    """At most `HELD_MAX` purchases; the oldest ones put together."""
    while len(held) > HELD_MAX:
        first, second, *others = held
        lines = joined((*first.lines, *second.lines))
        held = (UnitsHeld("", first.quantity + second.quantity, lines), *others)
    return held


def joined(lines: Iterable[ChargeLine]) -> tuple[ChargeLine, ...]:
    """Lines of the same kind as one."""
    sums: dict[tuple[str, str, tuple[int, int]], int] = {}
    for line in lines:
        key = (line.id, line.gl, line.vat_rate)
        sums[key] = sums.get(key, 0) + line.amount_minor
    return tuple(
        ChargeLine(name, gl, amount, vat_inside(amount, rate), rate)
        for (name, gl, rate), amount in sums.items()
    )


def scaled(line: ChargeLine, part: int, whole: int) -> ChargeLine:
    amount = half_up(line.amount_minor * part, whole)
    return ChargeLine(line.id, line.gl, amount, vat_inside(amount, line.vat_rate), line.vat_rate)


def _less(line: ChargeLine, less: ChargeLine) -> ChargeLine:
    amount = line.amount_minor - less.amount_minor
    return ChargeLine(line.id, line.gl, amount, vat_inside(amount, line.vat_rate), line.vat_rate)


def taxed_lines(
    account: Account, lines: Sequence[ChargeLine], day: int
) -> tuple[tuple[ChargeLine, ...], int, facts.Taxed]:
    """The same lines with the VAT that becomes due on the running total of the tax period."""
    named = Lines(tuple(Line(line.id, line.gl, line.vat_rate) for line in lines))
    return charge_lines(account, named, tuple(line.amount_minor for line in lines), day)


def paid_by(taken: Taken) -> UnitsPaid:
    """How the units pay for what was taken from them."""
    return UnitsPaid(total_of(taken.lines), taken.left, taken.overused)


def worth(held: Iterable[UnitsHeld], overused: int) -> tuple[int, int]:
    """Units that are left, and what they were bought for; nothing where more was used."""
    parcels = tuple(held)
    left = sum(each.quantity for each in parcels) - overused
    return left, sum(total_of(each.lines) for each in parcels) if left > 0 else 0


def total_of(lines: Iterable[ChargeLine]) -> int:
    return sum(line.amount_minor for line in lines)


def vat_inside(amount_minor: int, rate: tuple[int, int]) -> int:
    num, den = rate
    return half_up(amount_minor * num, den + num)


# ---------------------------------------------------------------- what facts do to a point


def _sold(account: Account, event: facts.UnitsSold, _at: int) -> None:
    account.balance_minor -= event.amount_minor
    account.tax_month, account.taxed = event.tax_month, event.taxed
    for point in account.points:
        if point.name == event.point:
            point.holds_units = True
            if event.units.quantity:
                point.units = kept((*point.units, event.units))
            point.position = event.position


def _given_back(account: Account, event: facts.UnitsReturned, _at: int) -> None:
    account.balance_minor += event.amount_minor
    account.tax_month, account.taxed = event.tax_month, event.taxed
    for point in account.points:
        if point.name == event.point:
            point.units = tuple(
                each
                for each in point.units
                if event.receipt_no and each.receipt_no != event.receipt_no
            )
            point.position = event.position


Account.EVOLVERS.update({facts.UnitsSold: _sold, facts.UnitsReturned: _given_back})
