"""Re-rating (重算, R5): what the intervals of a point come to now, and the signed difference."""

from collections.abc import Iterable
from operator import add
from typing import Final, NamedTuple

import msgspec

from ledger.aggregates.account import shared_bills, sharing
from ledger.aggregates.account.consumption import Quarantine
from ledger.aggregates.account.intervals import Known, Series, after, before, only
from ledger.aggregates.account.read_back import NEVER, Sought, read_series
from ledger.aggregates.account.state import Account, Point, shifted_week
from ledger.aggregates.account.tax import charge_lines
from ledger.aggregates.account.units import (
    charged_for,
    paid_by,
    put_back,
    quantity_of,
    take,
    taxed_lines,
    total_of,
)
from ledger.events import account as facts
from ledger.events.account import ChargeLine, MeteredInterval
from ledger.pricing import CLOSED_WINDOW, CompiledTariff, NotRateable, Position
from ledger.pricing.context import Context
from ledger.pricing.generic import Step
from ledger.pricing.hours import counted
from ledger.pricing.side_by_side import OpenWindows, amounts_of
from ledger.pricing.vending import sells_units
from ledger.values import closing_day

LATE: Final = "late"
CORRECTED: Final = "corrected"
CANCELLED: Final = "cancelled"
HOUSEHOLD: Final = "household"
SHARED: Final = "shared"


class Change(NamedTuple):
    """What became of a point's intervals, and why: a cause of the list above and a sentence."""

    cause: str
    reason: str
    at_us: int
    before: Series
    """The series as it was posted."""
    series: Series
    was_through_us: int
    """The point's last reading in it."""


def correct_charge(
    account: Account, change: Change, tariff: CompiledTariff, tariff_version: int
) -> facts.ChargeCorrected | Quarantine:
    """Rate the series again and post the difference to what was charged for it.

    It is booked on the day of the reading; where the reading's window is closed, on the newest day.
    """
    series, name, tariff_id = change.series, change.series.point, tariff.tariff_id
    outcome = _from_units if sells_units(tariff) else _from_wallets
    came = outcome(account, change, tariff)
    if isinstance(came, Quarantine):
        return came
    was, own = change.before.own(), series.own()
    through_us = _through_us(change, was, own)
    point = _present(account, name, change.was_through_us)
    end_us = sharing.end_beside(account, name, tariff_id)
    return facts.ChargeCorrected(
        account_no=account.account_no,
        point=name,
        cause=change.cause,
        reason=change.reason,
        is_present=point is not None,
        rerated_from_us=series.anchor.until_us,
        was_through_us=change.was_through_us,
        through_us=through_us,
        unit=series.unit,
        registers={} if point is None else _registers(point, was, own),
        replaced=only(was, own),
        intervals=only(own, was),
        tariff_id=tariff_id,
        tariff_version=tariff_version,
        lines=came.lines,
        currency=account.currency,
        amount_minor=came.amount_minor,
        granted_used_minor=came.granted_used_minor,
        balance_after_minor=account.balance_minor - came.paid_minor,
        granted_after_minor=account.granted_minor - came.granted_used_minor,
        day=came.day,
        week_minor=sum(shifted_week(account, came.day)) + came.amount_minor,
        tax_month=came.tax_month,
        taxed=came.taxed,
        position=sharing.ahead(_left(account, change, tariff, came, point), end_us, through_us),
        units=came.units,
    )


def _left(
    account: Account, change: Change, tariff: CompiledTariff, came: "Came", point: Point | None
) -> Position:
    """Where the tiers stand for whoever counts on."""
    series = change.series
    position = series.left_to(came.position, point)
    kind = sharing.kind_of(series.point)
    shared = [each for each in sharing.points_of(account, kind, tariff.tariff_id) if each.is_shared]
    if not tariff.tables.is_billed or not shared:
        return position
    own = series.own()
    end = series.point, own[-1].to_us if own and point else change.was_through_us
    bills = shared_bills.still_open(account, kind, tariff, series.bills(tariff), end)
    return msgspec.structs.replace(position, bills=bills)


class Came(NamedTuple):
    """What a correction comes to, and what pays for it."""

    position: Position
    day: int
    lines: tuple[ChargeLine, ...]
    tax_month: int
    taxed: facts.Taxed
    granted_used_minor: int = 0
    units: facts.UnitsPaid | None = None

    @property
    def amount_minor(self) -> int:
        """Of all lines."""
        return total_of(self.lines)

    @property
    def paid_minor(self) -> int:
        """What the paid wallet moves by."""
        units = 0 if self.units is None else self.units.paid_minor
        return self.amount_minor - self.granted_used_minor - units


def _from_wallets(account: Account, change: Change, tariff: CompiledTariff) -> Came | Quarantine:
    """The intervals rated again, less what was charged for them."""
    series = change.series
    try:
        position, totals = rated(tariff, series, account.rating_context())
    except NotRateable as reason:
        return Quarantine(reason.code, str(reason))
    amounts = tuple(
        total - series.posted.get(line.id, 0)
        for line, total in zip(tariff.lines, totals, strict=True)
    )
    day = closing_day(account.timezone, change.at_us)
    if day < position.window_from:
        day = max(account.day, position.window_from)
    granted_used = _granted_used(account, series.granted_used_minor, sum(totals), sum(amounts))
    return Came(position, day, *charge_lines(account, tariff, amounts, day), granted_used)


def _from_units(account: Account, change: Change, tariff: CompiledTariff) -> Came | Quarantine:
    """Units taken or put back, where the meter counted more or less than was told."""
    points = [point for point in account.points if point.name == change.series.point]
    if not points:
        return Quarantine("point_gone", "The point that held the units is no more.")
    point, was = points[0], quantity_of(change.before.own())
    more = quantity_of(change.series.own()) - was
    if more >= 0:
        taken = take(point.units, point.overused, more)
    else:
        posted = charged_for(tariff.lines, change.series.posted, -more, was)
        taken = put_back(point.units, point.overused, -more, posted)
    day = closing_day(account.timezone, change.at_us)
    lines = taxed_lines(account, taken.lines, day)
    return Came(point.position, day, *lines, units=paid_by(taken))


def rederived(
    account: Account,
    event: facts.ChargeCorrected,
    at_us: int,
    tariff: CompiledTariff,
    newest_first: Iterable[Known],
) -> facts.ChargeCorrected | str:
    """The correction as it follows from what was recorded before it, or why it does not."""
    change = change_of(account, event, at_us, tariff, newest_first)
    if isinstance(change, str):
        return change
    again = correct_charge(account, change, tariff, event.tariff_version)
    return again.reason if isinstance(again, Quarantine) else again


def change_of(
    account: Account,
    event: facts.ChargeCorrected,
    at_us: int,
    tariff: CompiledTariff,
    newest_first: Iterable[Known],
) -> Change | str:
    """What a correction changed, from the facts before it; why it cannot be, if it does not."""
    meters = [each.meter_no for each in (*event.replaced, *event.intervals)]
    if event.cause == HOUSEHOLD:  # Nothing was metered otherwise: all from there on counts anew.
        meters = [point.meter_no for point in account.points if point.name == event.point]
    if not meters:
        return "it is of no meter"
    series = read_series(
        newest_first,
        Sought(
            meters[0],
            event.rerated_from_us + 1,
            min((each.from_us for each in event.intervals), default=NEVER),
            has_reading=False,
        ),
        lambda _tariff_id: tariff,
        account,
    )
    if isinstance(series, Quarantine):
        return series.reason
    series.powers = tariff.power_registers
    posted = series.copy()
    problem = series.exchange(event.replaced, event.intervals)
    return problem or Change(event.cause, event.reason, at_us, posted, series, event.was_through_us)


def rated(
    tariff: CompiledTariff, series: Series, context: Context | None
) -> tuple[Position, list[int]]:
    """Position after the intervals and what each line comes to; raises NotRateable."""
    try:
        position, totals = _in_turn(tariff, series, context)
    except NotRateable as reason:
        if reason.code != CLOSED_WINDOW:
            raise
        position, steps = side_by_side(tariff, series, context)
        totals = [sum(amounts) for amounts in zip(*map(amounts_of, steps), strict=True)]
    if series.fixed_at_us:
        position, amounts = tariff.to_fixed_only(position, series.fixed_at_us, context)
        totals = list(map(add, totals, amounts))
    return position, totals


def _in_turn(
    tariff: CompiledTariff, series: Series, context: Context | None
) -> tuple[Position, list[int]]:
    position = series.begin(tariff)
    totals = [0] * len(tariff.lines)
    for each in series.rateable(tariff, context):
        position, amounts = tariff.rate(position, *each)
        totals = list(map(add, totals, amounts))
    return position, totals


def side_by_side(
    tariff: CompiledTariff, series: Series, context: Context | None
) -> tuple[Position, list[tuple[Step, ...]]]:
    """The same with every step, where a meter goes back to a window that another has closed."""
    windows = OpenWindows(tariff, series.begin(tariff), context)
    steps = [windows.take(*each) for each in series.rateable(tariff, context)]
    return windows.position(), steps


def quantities(tariff: CompiledTariff, interval: MeteredInterval) -> tuple[int, ...]:
    """What was counted, in the order of the tariff's registers."""
    return counted(tariff, interval.registers)


def _granted_used(account: Account, used_minor: int, total_minor: int, amount_minor: int) -> int:
    """Granted credit pays first, and never more than there is to pay: the rest of it comes back."""
    if amount_minor > 0:
        return min(account.granted_minor, amount_minor)
    return -min(max(used_minor - max(total_minor, 0), 0), -amount_minor)


def _present(account: Account, name: str, through_us: int) -> Point | None:
    """The point, if it stands where the series ends."""
    for point in account.points:
        if point.name == name and point.last_at_us == through_us:
            return point
    return None


def _through_us(change: Change, was: list[MeteredInterval], own: list[MeteredInterval]) -> int:
    """The point's last reading since the change."""
    if own:
        return own[-1].to_us
    return was[0].from_us if was else change.was_through_us


def _registers(
    point: Point, was: list[MeteredInterval], own: list[MeteredInterval]
) -> dict[str, int]:
    """What the point's meter shows at the end: a replaced one says nothing of its successor."""
    if own and own[-1].meter_no == point.meter_no:
        return after(own[-1])
    if was and was[-1].meter_no == point.meter_no:
        return before(was[-1])
    return point.named_registers()
