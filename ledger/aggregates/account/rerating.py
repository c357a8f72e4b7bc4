"""Re-rating (重算, R5): what the intervals of a point come to now, and the signed difference."""

from collections.abc import Iterable
from operator import add
from typing import Final, NamedTuple

from ledger.aggregates.account.consumption import Quarantine
from ledger.aggregates.account.intervals import Known, Series, after, before
from ledger.aggregates.account.read_back import read_series
from ledger.aggregates.account.state import Account, Point, shifted_week
from ledger.aggregates.account.tax import charge_lines
from ledger.events import account as facts
from ledger.events.account import MeteredInterval
from ledger.pricing import CompiledTariff, NotRateable, Position
from ledger.pricing.context import Context
from ledger.values import closing_day

LATE: Final = "late"
CORRECTED: Final = "corrected"
CANCELLED: Final = "cancelled"
HOUSEHOLD: Final = "household"


class Change(NamedTuple):
    """What became of a point's intervals, and why: a cause of the list above and a sentence."""

    cause: str
    reason: str
    at_us: int
    before: list[MeteredInterval]
    """The series as it was posted."""
    series: Series


def correct_charge(
    account: Account, change: Change, tariff: CompiledTariff, tariff_version: int
) -> facts.ChargeCorrected | Quarantine:
    """Rate the series again and post the difference to what was charged for it.

    It is booked on the day of the reading; where the reading's window is closed, on the newest day.
    """
    series = change.series
    intervals = series.intervals()
    try:
        position, totals = rated(tariff, series, intervals, account.rating_context())
    except NotRateable as reason:
        return Quarantine(reason.code, str(reason))
    amounts = tuple(
        total - series.posted.get(line.id, 0)
        for line, total in zip(tariff.lines, totals, strict=True)
    )
    day = closing_day(account.timezone, change.at_us)
    if day < position.window_from:
        day = max(account.day, position.window_from)
    amount = sum(amounts)
    lines, tax_month, taxed = charge_lines(account, tariff, amounts, day)
    granted_used = _granted_used(account, series.granted_used_minor, sum(totals), amount)
    was_through_us = change.before[-1].to_us
    through_us = intervals[-1].to_us if intervals else series.anchor.until_us
    point = _present(account, series.point, was_through_us)
    return facts.ChargeCorrected(
        account_no=account.account_no,
        point=series.point,
        cause=change.cause,
        reason=change.reason,
        is_present=point is not None,
        rerated_from_us=series.anchor.until_us,
        was_through_us=was_through_us,
        through_us=through_us,
        unit=series.unit,
        registers={} if point is None else _registers(point, change.before, intervals),
        replaced=_only(change.before, intervals),
        intervals=_only(intervals, change.before),
        tariff_id=tariff.tariff_id,
        tariff_version=tariff_version,
        lines=lines,
        currency=account.currency,
        amount_minor=amount,
        granted_used_minor=granted_used,
        balance_after_minor=account.balance_minor - amount + granted_used,
        granted_after_minor=account.granted_minor - granted_used,
        day=day,
        week_minor=sum(shifted_week(account, day)) + amount,
        tax_month=tax_month,
        taxed=taxed,
        position=position,
    )


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
    from_us = at_us
    if event.cause == HOUSEHOLD:  # Nothing was metered otherwise: all from there on counts anew.
        meters = [point.meter_no for point in account.points if point.name == event.point]
        from_us = event.rerated_from_us + 1
    if not meters:
        return "it is of no meter"
    meter_no = meters[0]
    series = read_series(newest_first, meter_no, from_us, account.point_of_meter(meter_no))
    if isinstance(series, Quarantine):
        return series.reason
    series.powers = tariff.power_registers
    posted = series.intervals()
    if not posted:
        return "nothing was charged that it could correct"
    problem = series.exchange(event.replaced, event.intervals)
    return problem or Change(event.cause, event.reason, at_us, posted, series)


def rated(
    tariff: CompiledTariff,
    series: Series,
    intervals: list[MeteredInterval],
    context: Context | None,
) -> tuple[Position, list[int]]:
    """Position after the intervals and what each line comes to; raises NotRateable."""
    position = series.anchor.position
    totals = [0] * len(tariff.lines)
    for interval in intervals:
        position, amounts = tariff.rate(
            position, interval.from_us, interval.to_us, quantities(tariff, interval), context
        )
        totals = list(map(add, totals, amounts))
    if series.fixed_at_us:
        position, amounts = tariff.to_fixed_only(position, series.fixed_at_us, context)
        totals = list(map(add, totals, amounts))
    return position, totals


def quantities(tariff: CompiledTariff, interval: MeteredInterval) -> tuple[int, ...]:
    """What was counted, in the order of the tariff's registers."""
    return tuple([interval.registers[name][2] for name in tariff.registers])


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


def _registers(
    point: Point, was: list[MeteredInterval], intervals: list[MeteredInterval]
) -> dict[str, int]:
    """What the point's meter shows at the end: a replaced one says nothing of its successor."""
    if was[-1].meter_no != point.meter_no:
        return point.named_registers()
    if not intervals or intervals[-1].to_us < was[-1].to_us:
        return before(was[-1])
    return after(intervals[-1])


def _only(
    these: list[MeteredInterval], others: list[MeteredInterval]
) -> tuple[MeteredInterval, ...]:
    """Intervals of one list that the other lacks."""
    known = {each.from_us: each for each in others}
    return tuple([each for each in these if known.get(each.from_us) != each])
