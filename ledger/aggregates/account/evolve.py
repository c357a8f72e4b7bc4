"""How each fact changes an account; replay runs through this table and nothing else."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from ledger.aggregates.account import sharing
from ledger.aggregates.account.state import Account, Point, shifted_week
from ledger.events import account as facts
from ledger.pricing.context import ALWAYS


def _opened(account: Account, event: facts.AccountOpened, _at: int) -> None:
    account.account_no = event.account_no
    account.status = "open"
    account.currency = event.currency
    account.timezone = event.timezone
    account.site = event.site
    account.group = event.group
    account.attributes = event.attributes or None
    account.told = tuple((ALWAYS, name, value) for name, value in event.attributes.items())


def _point_added(account: Account, event: facts.ServicePointAdded, at: int) -> None:
    point = Point(
        name=event.point,
        service_kind=event.service_kind,
        meter_no=event.meter_no,
        tariff_id=event.tariff_id,
        policy_id=event.policy_id,
        unit=event.unit,
        register_names=tuple(event.registers),
        registers=tuple(event.registers.values()),
        wrap=event.wrap,
        multiplier_milli=event.multiplier_milli,
        last_at_us=at,
        position=event.position,
    )
    account.points = (*account.points, point)
    if event.joins:
        sharing.join(account, point)


def _point_removed(account: Account, event: facts.ServicePointRemoved, _at: int) -> None:
    for point in _each_named(account, event.point):
        if not sharing.leave(account, point):
            sharing.keep(account, point)
    account.points = tuple(point for point in account.points if point.name != event.point)


def _each_named(account: Account, name: str) -> list[Point]:
    """The named point as a list, so that evolving an unknown name is silent, never a refusal."""
    return [point for point in account.points if point.name == name]


def _meter_replaced(account: Account, event: facts.MeterReplaced, at: int) -> None:
    for point in _each_named(account, event.point):
        point.meter_no = event.new_meter_no
        point.registers = tuple(event.registers.values())
        point.register_names = tuple(event.registers)
        point.wrap = event.wrap
        point.multiplier_milli = event.multiplier_milli
        point.last_at_us = at
        point.supply_actual = "unknown"  # The new meter has not been looked at.
        if event.bill_from_us:
            point.going_on = (*point.going_on, (event.old_meter_no, at))
            if point.is_shared:
                sharing.spread(account, event.point, event.tariff_id, event.position, at)
            else:
                point.position = event.position


def _tariff_assigned(account: Account, event: facts.TariffAssigned, _at: int) -> None:
    for point in _each_named(account, event.point):
        sharing.leave(account, point)
        point.tariff_id = event.tariff_id
        point.holds_units, point.overused = False, 0
        point.register_names = tuple(event.registers)
        point.registers = tuple(event.registers.values())
        point.position = event.position
        point.is_shared, point.counted_from_us, point.going_on = False, 0, ()
        if event.joins:
            sharing.join(account, point)


def _policy_assigned(account: Account, event: facts.PolicyAssigned, _at: int) -> None:
    for point in _each_named(account, event.point):
        point.policy_id = event.policy_id


def _group_assigned(account: Account, event: facts.GroupAssigned, _at: int) -> None:
    account.group = event.group


def _attributes_changed(account: Account, event: facts.AttributesChanged, _at: int) -> None:
    told = [(event.local_us, name, value) for name, value in event.attributes.items()]
    account.told = tuple(sorted((*account.told, *told), key=itemgetter(0)))
    known = {name: value for _, name, value in account.told}
    account.attributes = {name: value for name, value in known.items() if value is not None} or None


Booked = facts.AccountCredited | facts.CreditReversed | facts.AccountAdjusted


def _booked(account: Account, event: Booked, _at: int) -> None:
    # Movements are added, not balances copied: so a past without its later facts adds up as well.
    account.has_moved = True
    account.balance_minor += event.paid_minor
    account.granted_minor += event.granted_minor


Rated = facts.AccountCharged | facts.ChargeCorrected | facts.FixedFeeCharged


def _paid_for(account: Account, event: Rated) -> None:
    account.balance_minor -= event.amount_minor - event.granted_used_minor
    account.granted_minor -= event.granted_used_minor
    if event.amount_minor:
        account.has_moved = True
    week = account.week if event.day == account.day else shifted_week(account, event.day)
    account.week = (week[0] + event.amount_minor, *week[1:])
    account.day = max(account.day, event.day)
    account.tax_month = event.tax_month
    account.taxed = event.taxed


def _paid_by_units(
    account: Account, event: facts.AccountCharged | facts.ChargeCorrected, units: facts.UnitsPaid
) -> None:
    account.balance_minor += units.paid_minor
    for point in _each_named(account, event.point):
        point.units, point.overused, point.holds_units = units.left, units.overused, True


def _charged(account: Account, event: facts.AccountCharged, at: int) -> None:
    _paid_for(account, event)
    if event.units is not None:
        _paid_by_units(account, event, event.units)
    for point in account.points:
        if point.name == event.point:
            point.registers = tuple([after for _, after, _ in event.registers.values()])
            point.last_at_us = at
            if point.is_shared:
                point.counted_from_us = event.from_us
                sharing.spread(account, event.point, event.tariff_id, event.position, at)
            else:
                point.position = event.position
            if point.cancelled:
                point.cancelled = tuple(past for past in point.cancelled if past > at)


def _corrected(account: Account, event: facts.ChargeCorrected, _at: int) -> None:
    _paid_for(account, event)
    if event.units is not None:
        _paid_by_units(account, event, event.units)
    for point in _each_named(account, event.point):
        # A past without its later facts may not have come so far: then only the money moves.
        if event.is_present and point.last_at_us == event.was_through_us:
            point.registers = tuple(event.registers.values())
            point.last_at_us = event.through_us
            if event.through_us < event.was_through_us:
                point.cancelled = (*point.cancelled, event.was_through_us)
            elif point.cancelled:
                point.cancelled = tuple(past for past in point.cancelled if past > event.through_us)
            if not point.is_shared:
                point.position = event.position
            last = [each for each in event.intervals if each.to_us == event.through_us]
            point.counted_from_us = last[0].from_us if last else point.counted_from_us
    sharing.spread(account, event.point, event.tariff_id, event.position, event.through_us)


def _fixed_fee_charged(account: Account, event: facts.FixedFeeCharged, _at: int) -> None:
    _paid_for(account, event)
    for point in _each_named(account, event.point):
        if point.is_shared:
            sharing.spread(account, event.point, event.tariff_id, event.position, 0)
        else:
            point.position = event.position


def _level(level: str, supply: str | None = None) -> Callable[[Account, Any, int], None]:
    def evolver(account: Account, event: Any, _at: int) -> None:  # noqa: ANN401 - five topics, one shape
        for point in account.points:
            if point.name == event.point:
                point.level = level or event.trace.level_after
                point.supply_intended = supply or point.supply_intended
                point.trip_due_us = point.trip_since_us = 0

    return evolver


def _trip_postponed(account: Account, event: facts.SupplyTripPostponed, _at: int) -> None:
    for point in _each_named(account, event.point):
        point.level = "trip"
        point.trip_due_us, point.trip_since_us = event.due_us, event.since_us


def _closed(account: Account, _event: facts.AccountClosed, _at: int) -> None:
    account.status = "closed"


Account.EVOLVERS.update(
    {
        facts.AccountOpened: _opened,
        facts.ServicePointAdded: _point_added,
        facts.ServicePointRemoved: _point_removed,
        facts.MeterReplaced: _meter_replaced,
        facts.TariffAssigned: _tariff_assigned,
        facts.PolicyAssigned: _policy_assigned,
        facts.GroupAssigned: _group_assigned,
        facts.AttributesChanged: _attributes_changed,
        facts.AccountCredited: _booked,
        facts.CreditReversed: _booked,
        facts.AccountAdjusted: _booked,
        facts.AccountCharged: _charged,
        facts.ChargeCorrected: _corrected,
        facts.FixedFeeCharged: _fixed_fee_charged,
        facts.AccountReminded: _level(""),
        facts.AccountWarned: _level(""),
        facts.WarningCancelled: _level(""),
        facts.SupplyTripPostponed: _trip_postponed,
        facts.SupplyTripOrdered: _level("trip", "off"),
        facts.SupplyRestoreOrdered: _level("", "on"),
        facts.AccountClosed: _closed,
    }
)
