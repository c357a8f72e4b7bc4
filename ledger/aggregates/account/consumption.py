"""Consumption decisions: from registers to a charge, or to the reason why there is none (R1)."""

from typing import Final, NamedTuple, Protocol

import msgspec

from ledger.aggregates.account import shared_bills, sharing
from ledger.aggregates.account.state import Account, Point, shifted_week
from ledger.aggregates.account.tax import charge_lines
from ledger.aggregates.account.turns import is_amid_a_bill, is_in_turn
from ledger.aggregates.account.units import paid_by, take, taxed_lines
from ledger.events import account as facts
from ledger.pricing import CLOSED_WINDOW, CompiledTariff, NotRateable
from ledger.pricing.bills import Bills, with_bills
from ledger.pricing.context import Context
from ledger.pricing.position import SOLD_IN_UNITS, Position
from ledger.values import closing_day, local_us

HOUR_US: Final = 3_600_000_000
FUTURE_US: Final = 300_000_000
"""A meter's clock may run five minutes ahead; later than that is no reading yet."""
PLAUSIBLE_PER_HOUR: Final = {"wh": 1_000_000, "l": 100_000}
"""What one meter (before its multiplier) can pass in an hour: 1,000 kWh, 100 m³."""
MILLI: Final = 1_000
WRAP_SHARE: Final = 10
"""A fall is a wrap-around only if the meter then passed less than a tenth of its range."""


class Quarantine(NamedTuple):
    """Why a reading was not charged: a stable code and a sentence."""

    code: str
    reason: str


OUT_OF_TURN: Final = Quarantine(
    "out_of_turn", "The same tiers are counted further, or a bill is; all is to be rated again."
)


def charge(
    account: Account,
    point: Point,
    at_us: int,
    readings: dict[str, int],  # Wh or litres by register, before the multiplier.
    tariff: CompiledTariff,
    tariff_version: int,
    now_us: int,
) -> facts.AccountCharged | Quarantine:
    """Rate the interval from the point's last reading to this one, if it is not OUT_OF_TURN."""
    if account.status != "open":
        return Quarantine("account_closed", f"The account {account.account_no} is closed.")
    if at_us > now_us + FUTURE_US:
        return Quarantine("future", "The reading's time lies in the future.")
    powers = tariff.power_registers
    measured = measure(point, point.last_at_us, point.registers, at_us, readings, powers)
    if isinstance(measured, Quarantine):
        return measured
    registers, quantities = measured
    if point.is_shared and not is_in_turn(account, point, at_us, tariff):
        return OUT_OF_TURN
    if tariff.tables.is_billed and is_amid_a_bill(account, point, tariff):
        return OUT_OF_TURN
    known = known_of(account, point, at_us, tariff)
    try:
        position, amounts = tariff.rate(point.position, point.last_at_us, at_us, quantities, known)
    except NotRateable as reason:
        if reason.code == SOLD_IN_UNITS:
            return _paid_by_units(account, point, at_us, registers, tariff, tariff_version)
        is_old = point.is_shared and reason.code == CLOSED_WINDOW
        return OUT_OF_TURN if is_old else Quarantine(reason.code, str(reason))
    if point.is_shared:
        position = _for_all(account, point, at_us, tariff, position)
    day = closing_day(account.timezone, at_us)
    total = sum(amounts)
    lines, tax_month, taxed = charge_lines(account, tariff, amounts, day)
    granted_used = min(account.granted_minor, total) if account.granted_minor and total > 0 else 0
    return facts.AccountCharged(
        account.account_no,
        point.name,
        point.meter_no,
        point.last_at_us,
        point.unit,
        registers,
        point.tariff_id,
        tariff_version,
        lines,
        account.currency,
        total,
        granted_used,
        account.balance_minor - total + granted_used,
        account.granted_minor - granted_used,
        day,
        sum(account.week if day == account.day else shifted_week(account, day)) + total,
        tax_month,
        taxed,
        position,
    )


def known_of(account: Account, point: Point, at_us: int, tariff: CompiledTariff) -> Context | None:
    """What the next interval of a point is rated by, up to a reading that closes the bill."""
    known = account.rating_context()
    if not (point.is_shared and tariff.tables.is_billed):
        return known
    return with_bills(known, _bills(point, at_us, tariff))


def _bills(point: Point, at_us: int, tariff: CompiledTariff) -> Bills:
    return tuple(sorted({*point.position.bills, local_us(tariff.timezone, at_us)}))


def _for_all(
    account: Account, point: Point, at_us: int, tariff: CompiledTariff, position: Position
) -> Position:
    """Where all points of the same tiers stand after an interval of one."""
    position = sharing.ahead(position, sharing.end_of(account, point), at_us)
    if not tariff.tables.is_billed:
        return position
    bills, end = _bills(point, at_us, tariff), (point.name, at_us)
    kept = shared_bills.still_open(account, point.service_kind, tariff, bills, end)
    return msgspec.structs.replace(position, bills=kept)


def _paid_by_units(
    account: Account,
    point: Point,
    at_us: int,
    registers: dict[str, tuple[int, int, int]],
    tariff: CompiledTariff,
    tariff_version: int,
) -> facts.AccountCharged:
    """What the meter counted, taken from the units that the point holds."""
    used = sum(quantity for _, _, quantity in registers.values())
    taken = take(point.units, point.overused, used)
    day = closing_day(account.timezone, at_us)
    lines, tax_month, taxed = taxed_lines(account, taken.lines, day)
    paid = paid_by(taken)
    return facts.AccountCharged(
        account_no=account.account_no,
        point=point.name,
        meter_no=point.meter_no,
        from_us=point.last_at_us,
        unit=point.unit,
        registers=registers,
        tariff_id=tariff.tariff_id,
        tariff_version=tariff_version,
        lines=lines,
        currency=account.currency,
        amount_minor=paid.paid_minor,
        granted_used_minor=0,
        balance_after_minor=account.balance_minor,
        granted_after_minor=account.granted_minor,
        day=day,
        week_minor=sum(shifted_week(account, day)) + paid.paid_minor,
        tax_month=tax_month,
        taxed=taxed,
        position=point.position,
        units=paid,
    )


class Metering(Protocol):
    """How a meter counts; a service point says it of its own."""

    register_names: tuple[str, ...]
    wrap: int
    multiplier_milli: int
    unit: str


Measured = tuple[dict[str, tuple[int, int, int]], tuple[int, ...]]


def measure(
    meter: Metering,
    from_us: int,
    shown: tuple[int, ...],
    at_us: int,
    readings: dict[str, int],
    powers: frozenset[str] = frozenset(),
) -> Measured | Quarantine:
    """Before, after and quantity of each register, or why they cannot be true.

    `powers` are the registers that show a highest power in W instead of counting.
    """
    registers: dict[str, tuple[int, int, int]] = {}
    quantities: list[int] = []
    multiplier = meter.multiplier_milli
    hours = (at_us - from_us) // HOUR_US + 1
    passable = hours * PLAUSIBLE_PER_HOUR[meter.unit]
    for name, before in zip(meter.register_names, shown, strict=True):
        after = readings.get(name)
        if after is None:
            return Quarantine("register_missing", f"The reading lacks the register {name}.")
        if not 0 <= after < meter.wrap:
            return Quarantine("out_of_range", f"Register {name} shows more than the meter can.")
        if name in powers:  # The highest power since the last reading; it does not count on.
            registers[name] = (before, after, after * multiplier // MILLI)
            quantities.append(after * multiplier // MILLI)
            continue
        passed = after - before
        if passed < 0:
            passed += meter.wrap
            if passed * WRAP_SHARE > meter.wrap or passed > passable:
                return Quarantine(
                    "backward", f"Register {name} went back from {before} to {after}."
                )
        if passed > passable:
            return Quarantine("implausible", f"Register {name} passed {passed} in {hours} h.")
        quantity = passed
        if multiplier != MILLI:  # Cumulative, so that thousandths never get lost between readings.
            quantity = (before + passed) * multiplier // MILLI - before * multiplier // MILLI
        registers[name] = (before, after, quantity)
        quantities.append(quantity)
    if len(readings) > len(registers) and (unknown := readings.keys() - registers - {"total"}):
        return Quarantine("register_unknown", f"The tariff has no register {min(unknown)}.")
    return registers, tuple(quantities)
