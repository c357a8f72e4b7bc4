"""The accounts view: money, tier positions and supply of every account as they are now."""

# size: what every fact of an account does to its row stands on one page.

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from msgspec.structs import replace

from ledger.events import Event, Recorded, supply
from ledger.events import account as facts
from ledger.projections import Column, Merge, Row

Change = dict[str, Any]
Moved = (
    facts.ServicePointAdded
    | facts.MeterReplaced
    | facts.TariffAssigned
    | facts.AccountCharged
    | facts.ChargeCorrected
    | facts.UnitsSold
    | facts.UnitsReturned
)
GONE: Final = "."
"""Behind the name of a point that is gone: where its tiers stand since."""


class Usage(NamedTuple):
    """How far a point has come, as its last reading left it: an array in the column `usage`.

    An array, because every reading writes it: the names would be most of what is stored. Of points
    that share their tiers, the one with the newest `fact` tells where these stand; so does one
    that was removed, whose usage stays.
    """

    at_us: int
    tariff_id: str
    registers: dict[str, int]
    version: int
    season: int
    in_service_from: int
    window_from: int
    window_to: int
    used: int
    den: int
    fact: int = 0
    """Version of the account's stream at which it came so far."""
    limits: tuple[int, ...] = ()
    """Tier bounds over `limits_den`, where a household has others than everyone; with what each
    register used, where it has tiers for itself. Left out where there is neither."""
    limits_den: int = 1
    used_by: tuple[int, ...] = ()


class Accounts:
    """One row per account; its points, their usage and their supply are JSON objects by point."""

    name: ClassVar[str] = "accounts"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("account_no", "text", Merge.KEY),
        Column("status", "text"),
        Column("currency", "text"),
        Column("timezone", "text"),
        Column("site", "text"),
        Column("user_group", "text"),
        Column("points", "json", Merge.PATCH),
        Column("supply", "json", Merge.PATCH),
        # What readings change comes last: the beginning of a changed row is not logged again.
        Column("balance_minor", "int"),
        Column("granted_minor", "int"),
        Column("week_minor", "int"),
        Column("day", "int"),
        Column("usage", "json", Merge.PATCH),
        Column("version", "int"),
        Column("position", "int"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest of each column of every account in the batch."""
        rows: dict[str, Change] = {}
        for recorded in batch:
            event: Any = recorded.event
            change_of = _CHANGES.get(type(event))
            if change_of is None:
                continue
            number = event.account_no
            change = change_of(event, recorded)
            change["version"] = recorded.version
            change["position"] = recorded.position
            row = rows.get(number)
            if row is None:
                change["shard"], change["account_no"] = recorded.shard, number
                rows[number] = change
            else:
                _merge(row, change)
        return list(rows.values())


def _merge(row: Change, change: Change) -> None:
    for name, value in change.items():
        known = row.get(name)
        row[name] = {**known, **value} if isinstance(value, dict) and known else value


def _opened(event: facts.AccountOpened, _recorded: Recorded) -> Change:
    return {
        "status": "open",
        "currency": event.currency,
        "timezone": event.timezone,
        "site": event.site,
        "user_group": event.group,
        "balance_minor": 0,
        "granted_minor": 0,
        "week_minor": 0,
        "day": 0,
        "points": {},
        "usage": {},
        "supply": {},
    }


def _usage(event: Moved, at_us: int, registers: dict[str, int], recorded: Recorded) -> Change:
    position = event.position
    usage: tuple[Any, ...] = (
        at_us,
        event.tariff_id,
        registers,
        position.version,
        position.season,
        position.in_service_from,
        position.window_from,
        position.window_to,
        position.used,
        position.den,
        recorded.version,
    )
    if position.limits or position.used_by or not position.limits_den:
        usage += (position.limits, position.limits_den, position.used_by)
    return {event.point: usage}


def _point(name: str, **particulars: str | int | None) -> Change:
    """Flat keys, so that a later fact may change one particular of a point."""
    return {"points": {f"{name}.{key}": value for key, value in particulars.items()}}


def _point_added(event: facts.ServicePointAdded, recorded: Recorded) -> Change:
    particulars = _point(
        event.point,
        service_kind=event.service_kind,
        meter_no=event.meter_no,
        policy_id=event.policy_id,
        unit=event.unit,
        added=recorded.version,
    )
    return {
        **particulars,
        "usage": _usage(event, recorded.valid_at_us, event.registers, recorded),
        "supply": {event.point: {"level": "none", "intended": "on"}},
    }


def _point_removed(event: facts.ServicePointRemoved, _recorded: Recorded) -> Change:
    gone = {event.point: None}
    particulars = _point(
        event.point,
        service_kind=None,
        meter_no=None,
        policy_id=None,
        unit=None,
        added=None,
        actual=None,
        seen_us=None,
        guaranteed_until_us=None,
        disputed=None,
        units=None,
        units_minor=None,
    )
    return {**particulars, "supply": gone}


def _meter_replaced(event: facts.MeterReplaced, recorded: Recorded) -> Change:
    return {
        **_point(event.point, meter_no=event.new_meter_no, actual=None, seen_us=None),
        "usage": _usage(event, recorded.valid_at_us, event.registers, recorded),
    }


def _tariff_assigned(event: facts.TariffAssigned, recorded: Recorded) -> Change:
    holds_nothing = _point(event.point, units=None, units_minor=None)
    usage = _usage(event, event.from_us, event.registers, recorded)
    if event.left is not None:  # The others go on where it leaves the tiers.
        gone, tariff_id = f"{event.point}{GONE}", event.left_tariff_id
        left = replace(event, point=gone, tariff_id=tariff_id, position=event.left)
        usage |= _usage(left, event.from_us, {}, recorded)
    return {**holds_nothing, "usage": usage}


def _policy_assigned(event: facts.PolicyAssigned, _recorded: Recorded) -> Change:
    return _point(event.point, policy_id=event.policy_id)


def _group_assigned(event: facts.GroupAssigned, _recorded: Recorded) -> Change:
    return {"user_group": event.group}


def _units_paid(point: str, units: facts.UnitsPaid) -> Change:
    """What is left of the prepaid units of a point."""
    amount = sum(line.amount_minor for held in units.left for line in held.lines)
    quantity = sum(held.quantity for held in units.left) - units.overused
    return _point(point, units=quantity, units_minor=amount if quantity > 0 else 0)


def _charged(event: facts.AccountCharged, recorded: Recorded) -> Change:
    registers = {name: values[1] for name, values in event.registers.items()}
    paid = {} if event.units is None else _units_paid(event.point, event.units)
    return {
        **paid,
        "balance_minor": event.balance_after_minor,
        "granted_minor": event.granted_after_minor,
        "week_minor": event.week_minor,
        "day": event.day,
        "usage": _usage(event, recorded.valid_at_us, registers, recorded),
    }


def _corrected(event: facts.ChargeCorrected, recorded: Recorded) -> Change:
    usage = _usage(event, event.through_us, event.registers, recorded)
    if not event.is_present:  # Another may bear the name by now: the tiers alone have moved.
        usage = {f"{event.point}{GONE}": usage[event.point]}
    paid = {} if event.units is None else _units_paid(event.point, event.units)
    return {**paid, **_fee_charged(event, recorded), "usage": usage}


def _fee_charged(
    event: facts.ChargeCorrected | facts.FixedFeeCharged, _recorded: Recorded
) -> Change:
    return {
        "balance_minor": event.balance_after_minor,
        "granted_minor": event.granted_after_minor,
        "week_minor": event.week_minor,
        "day": event.day,
    }


def _units_moved(event: facts.UnitsSold | facts.UnitsReturned, recorded: Recorded) -> Change:
    return {
        **_point(event.point, units=event.held_after, units_minor=event.held_after_minor),
        "balance_minor": event.balance_after_minor,
        "granted_minor": event.granted_after_minor,
        "usage": _usage(event, event.read_at_us, event.registers, recorded),
    }


Booked = facts.AccountCredited | facts.CreditReversed | facts.AccountAdjusted


def _booked(event: Booked, _recorded: Recorded) -> Change:
    return {
        "balance_minor": event.balance_after_minor,
        "granted_minor": event.granted_after_minor,
    }


def _supply(intended: str) -> Callable[[Any, Recorded], Change]:
    def change(event: Any, _recorded: Recorded) -> Change:  # noqa: ANN401 - five topics, one shape
        level = event.trace.level_after
        return {"supply": {event.point: {"level": level, "intended": intended}}}

    return change


def _confirmed(event: supply.SupplyConfirmed, recorded: Recorded) -> Change:
    return _point(event.point, actual=event.actual, seen_us=recorded.valid_at_us)


def _guaranteed(event: supply.GuaranteeStarted, _recorded: Recorded) -> Change:
    return _point(event.point, guaranteed_until_us=event.until_us)


def _not_guaranteed(event: supply.GuaranteeEnded, _recorded: Recorded) -> Change:
    return _point(event.point, guaranteed_until_us=None)


def _disputed(event: supply.DisputeHeld, _recorded: Recorded) -> Change:
    return _point(event.point, disputed=1)


def _not_disputed(event: supply.DisputeReleased, _recorded: Recorded) -> Change:
    return _point(event.point, disputed=None)


def _nothing(_event: Event, _recorded: Recorded) -> Change:
    return {}  # It is told elsewhere; the account's version moves.


def _closed(_event: facts.AccountClosed, _recorded: Recorded) -> Change:
    return {"status": "closed"}


_CHANGES: Final[dict[type[Event], Callable[[Any, Recorded], Change]]] = {
    facts.AccountCharged: _charged,
    facts.ChargeCorrected: _corrected,
    facts.FixedFeeCharged: _fee_charged,
    facts.AccountCredited: _booked,
    facts.CreditReversed: _booked,
    facts.AccountAdjusted: _booked,
    facts.UnitsSold: _units_moved,
    facts.UnitsReturned: _units_moved,
    facts.AccountOpened: _opened,
    facts.ServicePointAdded: _point_added,
    facts.ServicePointRemoved: _point_removed,
    facts.MeterReplaced: _meter_replaced,
    facts.TariffAssigned: _tariff_assigned,
    facts.PolicyAssigned: _policy_assigned,
    facts.GroupAssigned: _group_assigned,
    facts.AccountReminded: _supply("on"),
    facts.AccountWarned: _supply("on"),
    facts.WarningCancelled: _supply("on"),
    facts.SupplyTripPostponed: _supply("on"),
    facts.SupplyTripOrdered: _supply("off"),
    facts.SupplyRestoreOrdered: _supply("on"),
    facts.AttributesChanged: _nothing,
    facts.AccountClosed: _closed,
    supply.SupplyConfirmed: _confirmed,
    supply.GuaranteeStarted: _guaranteed,
    supply.GuaranteeEnded: _not_guaranteed,
    supply.DisputeHeld: _disputed,
    supply.DisputeReleased: _not_disputed,
    supply.SupplyCommanded: _nothing,
    supply.SupplyMismatchFound: _nothing,
    supply.SupplyMismatchSettled: _nothing,
}
