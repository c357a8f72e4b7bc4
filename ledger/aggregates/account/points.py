"""Service point decisions (用户点): add and remove points, change their meter, tariff or policy."""

import msgspec

from ledger.aggregates import Refused
from ledger.aggregates.account import shared_bills, sharing
from ledger.aggregates.account.state import Account, Point
from ledger.events import account as facts
from ledger.pricing import CompiledTariff, NotRateable, Position
from ledger.pricing.calendar import instants_of_midnight, midnight
from ledger.pricing.hours import TOTAL
from ledger.pricing.households import with_limits
from ledger.pricing.vending import sells_units
from ledger.values import local_us

UNITS = {"kWh": "wh", "m3": "l"}
TARIFF_KIND = {"hot_water": "water"}
"""Hot water is a water tariff at a point of its own."""


def point_name(account: Account, service_kind: str) -> str:
    """A free name for a further point: its kind, numbered from the second one."""
    taken = {point.name for point in account.points}
    names = [service_kind, *(f"{service_kind}-{n}" for n in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def ordered_registers(tariff: CompiledTariff, registers: dict[str, int]) -> dict[str, int]:
    """The tariff's registers in its order; a register without a first value is refused.

    A meter with one register for all hours is as good where the tariff's calendar splits them.
    """
    if tariff.hours is not None and set(registers) == {TOTAL}:
        return registers
    missing = [name for name in tariff.registers if name not in registers]
    if missing:
        raise Refused(
            "register_missing",
            f"The tariff {tariff.tariff_id} counts by {', '.join(tariff.registers)}; "
            f"give the meter's initial value of: {', '.join(missing)}.",
        )
    _require_known(registers, tariff.registers)
    return {name: registers[name] for name in tariff.registers}


def _require_known(registers: dict[str, int], names: tuple[str, ...]) -> None:
    """Refuse a register that nobody charges; the sum of a meter's registers may be told."""
    unknown = [name for name in registers if name not in names and name != "total"]
    if unknown:
        raise Refused("register_unknown", f"The tariff has no register {unknown[0]}.")


def add_point(  # noqa: PLR0913 - a meter comes with all its particulars
    account: Account,
    *,
    service_kind: str,
    meter_no: str,
    tariff: CompiledTariff,
    tariff_version: int,
    policy_id: str,
    installed_at_us: int,
    registers: dict[str, int],
    wrap: int,
    multiplier_milli: int,
) -> facts.ServicePointAdded:
    """Let a meter count for the account, from its installation on.

    It counts towards the same tiers as other meters of its kind and tariff.
    """
    account.require_open()
    _require_match(account, service_kind, tariff)
    _require_range(registers, wrap)
    start = _start(account, tariff, installed_at_us)
    known = None
    if not sells_units(tariff):  # Units are held by one point, and so is what was bought.
        known = sharing.standing(account, service_kind, tariff.tariff_id, installed_at_us)
        known = known and shared_bills.billed(account, service_kind, tariff, known)
    return facts.ServicePointAdded(
        account_no=account.account_no,
        point=point_name(account, service_kind),
        service_kind=service_kind,
        meter_no=meter_no,
        tariff_id=tariff.tariff_id,
        tariff_version=tariff_version,
        policy_id=policy_id,
        unit=UNITS[tariff.unit],
        registers=ordered_registers(tariff, registers),
        wrap=wrap,
        multiplier_milli=multiplier_milli,
        position=known or start,
        joins=known is not None,
    )


def _start(account: Account, tariff: CompiledTariff, at_us: int) -> Position:
    """Position at a point's beginning; a tariff without prices at that time is refused."""
    try:
        return with_limits(tariff.versions, tariff.start(at_us), account.rating_context())
    except NotRateable as reason:
        raise Refused(reason.code, str(reason)) from reason


def _require_match(account: Account, service_kind: str, tariff: CompiledTariff) -> None:
    if TARIFF_KIND.get(service_kind, service_kind) != tariff.service_kind:
        raise Refused(
            "tariff_of_other_service",
            f"The tariff {tariff.tariff_id} is for {tariff.service_kind}, not {service_kind}.",
        )
    if tariff.currency != account.currency:
        raise Refused(
            "wrong_currency",
            f"The account {account.account_no} is kept in {account.currency}, "
            f"the tariff {tariff.tariff_id} in {tariff.currency}.",
        )


def _require_range(registers: dict[str, int], wrap: int) -> None:
    above = [name for name, value in registers.items() if value >= wrap]
    if above:
        raise Refused("out_of_range", f"The register {above[0]} shows more than the meter can.")


def remove_point(account: Account, point: Point, reason: str) -> facts.ServicePointRemoved:
    """Stop counting for a point whose last reading is charged."""
    account.require_open()
    return facts.ServicePointRemoved(account.account_no, point.name, point.meter_no, reason)


def replace_meter(  # noqa: PLR0913 - a meter comes with all its particulars
    account: Account,
    point: Point,
    *,
    at_us: int,
    new_meter_no: str,
    registers: dict[str, int],
    wrap: int,
    multiplier_milli: int,
    reason: str,
    tariff: CompiledTariff,
    has_ended: bool = True,
) -> facts.MeterReplaced:
    """Let another meter count from its first registers on; the tier position stays.

    So does the bill, where the old meter `has_ended` with an interval of its own.
    """
    account.require_open()
    _require_range(registers, wrap)
    missing = [name for name in point.register_names if name not in registers]
    if missing:
        raise Refused("register_missing", f"Give the new meter's initial {', '.join(missing)}.")
    _require_known(registers, point.register_names)
    position, bill_from_us = point.position, _bill_from_us(point, tariff, has_ended=has_ended)
    if bill_from_us and not point.is_shared:
        position = msgspec.structs.replace(position, bill_goes_on=True)
    elif bill_from_us:
        position = _without_end(account, point, tariff, position)
    return facts.MeterReplaced(
        account_no=account.account_no,
        point=point.name,
        old_meter_no=point.meter_no,
        new_meter_no=new_meter_no,
        registers={name: registers[name] for name in point.register_names},
        wrap=wrap,
        multiplier_milli=multiplier_milli,
        tariff_id=point.tariff_id,
        position=sharing.ahead(position, sharing.end_of(account, point), at_us),
        reason=reason,
        bill_from_us=bill_from_us,
    )


def _bill_from_us(point: Point, tariff: CompiledTariff, *, has_ended: bool) -> int:
    """Since when the bill runs that the next meter goes on with; 0 where a reading closed it."""
    position = point.position
    if not tariff.versions[position.version].is_billed:
        return 0
    if not has_ended and all(at_us != point.last_at_us for _, at_us in point.going_on):
        return 0
    return instants_of_midnight(tariff.timezone, position.window_from)[1]


def _without_end(
    account: Account, point: Point, tariff: CompiledTariff, position: Position
) -> Position:
    """The position for all where the meter's last reading closed no bill, if no other's did."""
    at_us = point.last_at_us
    mates = sharing.points_of(account, point.service_kind, tariff.tariff_id)
    if any(mate is not point and mate.last_at_us == at_us for mate in mates):
        return position
    end = local_us(tariff.timezone, at_us)
    kept = tuple(bill for bill in position.bills if bill != end)
    return msgspec.structs.replace(position, bills=kept or (midnight(position.window_from),))


def assign_tariff(
    account: Account, point: Point, tariff: CompiledTariff, tariff_version: int
) -> facts.TariffAssigned | None:
    """Rate the point by another tariff from its last reading on; the tier count begins anew.

    Where others count towards the tariff's tiers already, it counts with them.
    """
    account.require_open()
    if point.tariff_id == tariff.tariff_id:
        return None
    _require_match(account, point.service_kind, tariff)
    if UNITS[tariff.unit] != point.unit:
        raise Refused("tariff_of_other_unit", f"The point is counted in {point.unit}.")
    is_split = tariff.hours is not None and point.register_names == (TOTAL,)
    if set(tariff.registers) != set(point.register_names) and not is_split:
        raise Refused(
            "tariff_of_other_registers",
            f"The tariff {tariff.tariff_id} counts by {', '.join(tariff.registers)}, the meter by "
            f"{', '.join(point.register_names)}; replace the meter's registers first.",
        )
    known = point.named_registers()
    position = _start(account, tariff, point.last_at_us)
    others = sharing.points_of(account, point.service_kind, tariff.tariff_id)
    joins = not sells_units(tariff) and next(others, None) is not None
    if joins:
        shared = sharing.standing(account, point.service_kind, tariff.tariff_id, point.last_at_us)
        shared = shared and shared_bills.billed(account, point.service_kind, tariff, shared)
        position = shared or position
    left = None
    if point.is_shared:
        left = sharing.standing(account, point.service_kind, point.tariff_id, point.last_at_us)
    return facts.TariffAssigned(
        account_no=account.account_no,
        point=point.name,
        tariff_id=tariff.tariff_id,
        tariff_version=tariff_version,
        from_us=point.last_at_us,
        registers=known if is_split else {name: known[name] for name in tariff.registers},
        position=position,
        joins=joins,
        left_tariff_id="" if left is None else point.tariff_id,
        left=left,
    )


def assign_policy(account: Account, point: Point, policy_id: str) -> facts.PolicyAssigned | None:
    """Let another control policy decide about the point."""
    account.require_open()
    if point.policy_id == policy_id:
        return None
    return facts.PolicyAssigned(account.account_no, point.name, policy_id)


def assign_group(account: Account, group: str) -> facts.GroupAssigned | None:
    """Move the account to another user group."""
    account.require_open()
    return None if account.group == group else facts.GroupAssigned(account.account_no, group)


def change_attributes(
    account: Account, attributes: dict[str, bool | int | str | None], at_us: int, reason: str
) -> facts.AttributesChanged | None:
    """Tell anew what tariffs may ask of the household; not for a time that is charged already."""
    account.require_open()
    known = account.attributes or {}
    changed = {name: value for name, value in attributes.items() if known.get(name) != value}
    if not changed:
        return None
    charged = max((point.last_at_us for point in account.points), default=at_us)
    if at_us < charged:
        raise Refused(
            "already_charged", "Readings up to a later time are charged; tell a time after them."
        )
    since = local_us(account.timezone, at_us)
    return facts.AttributesChanged(account.account_no, changed, since, reason)
