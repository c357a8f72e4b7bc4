"""The derivation (推导) of an amount: inputs, version, tiers, arithmetic, rounding."""

from datetime import date
from fractions import Fraction

from ledger.pricing.calendar import day_at
from ledger.pricing.compiled import CompiledTariff
from ledger.pricing.exact import ACCRUAL_DIGITS, PRICE_DIGITS, decimal, minor_digits
from ledger.pricing.generic import LineStep, Step, TierPart
from ledger.pricing.terms import Version
from ledger.values import MICROS_PER_DAY, instant

WHOLE_UNIT = 1_000  # Wh or litres in a kWh or m³.
Explained = dict[str, object]


def explain(tariff: CompiledTariff, steps: tuple[Step, ...]) -> list[Explained]:
    """Each step of a derivation with quantities in kWh or m³ and money in major units."""
    return [_explained(tariff, step) for step in steps]


def _explained(tariff: CompiledTariff, step: Step) -> Explained:
    piece = step.piece
    return {
        "version": day_text(piece.version.from_day),
        "season": piece.version.terms[piece.season].season or None,
        "window": {"from": day_text(piece.window_from), "to": day_text(piece.window_to)},
        "from": wall_clock_text(piece.start),
        "to": wall_clock_text(piece.end),
        "share": decimal(step.share),
        "used_before": quantity_text(step.used_before),
        "used_after": quantity_text(step.used_after),
        "tiers": [_tier(tariff, part) for part in step.tiers],
        "lines": [
            _line(tariff, step, line)
            for line in step.lines
            if line.accrued_before != line.accrued_after
        ],
    }


def _tier(tariff: CompiledTariff, part: TierPart) -> Explained:
    return {
        "tier": part.tier + 1,
        "upto": None if part.bound is None else quantity_text(part.bound),
        "quantities": {
            register: quantity_text(quantity)
            for register, quantity in zip(tariff.registers, part.quantities, strict=True)
        },
    }


def _line(tariff: CompiledTariff, step: Step, line: LineStep) -> Explained:
    rounding = step.piece.version.rounding[line.line]
    quantum = Fraction(rounding.quantum_minor, 10 ** minor_digits(tariff.currency))
    return {
        "id": tariff.lines[line.line].id,
        "arithmetic": _arithmetic(step, line),
        "exact_before": decimal(line.accrued_before / 10**ACCRUAL_DIGITS),
        "exact_after": decimal(line.accrued_after / 10**ACCRUAL_DIGITS),
        "rounding": f"{rounding.mode} {decimal(quantum)}",
        "rounded_before": money_text(tariff, line.posted_before),
        "rounded_after": money_text(tariff, line.posted_after),
        "amount": money_text(tariff, line.posted_after - line.posted_before),
    }


def _arithmetic(step: Step, line: LineStep) -> str:
    """Quantity × price of every tier and register, and the fixed units, as one sum."""
    version = step.piece.version
    terms = [
        f"{quantity_text(quantity)} × {price_text(price)}"
        for part in step.tiers
        for quantity, price in zip(
            part.quantities,
            version.terms[step.piece.season].prices[part.tier][line.line],
            strict=True,
        )
        if quantity and price
    ]
    if line.fixed_units:
        terms.append(f"{line.fixed_units} × {_fixed_text(version, line.line)}")
    return " + ".join(terms)


def _fixed_text(version: Version, line: int) -> str:
    charge = next(charge for charge in version.fixed if charge.line == line)
    return f"{decimal(Fraction(charge.amount, 10**ACCRUAL_DIGITS))} per {charge.per}"


def quantity_text(quantity: Fraction | int) -> str:
    """Wh or litres as text in kWh or m³."""
    return decimal(Fraction(quantity) / WHOLE_UNIT)


def price_text(price: int) -> str:
    """A scaled price as text in major units per kWh or m³."""
    return decimal(Fraction(price, 10**PRICE_DIGITS))


def money_text(tariff: CompiledTariff, amount_minor: int) -> str:
    """Minor units as text in major units of the tariff's currency."""
    digits = minor_digits(tariff.currency)
    return decimal(Fraction(amount_minor, 10**digits), digits)


def day_text(day: int) -> str:
    """ISO date of a day ordinal; the end of the calendar stands for no end."""
    return date.fromordinal(min(day, date.max.toordinal())).isoformat()


def wall_clock_text(local: int) -> str:
    """ISO text of a wall-clock time; the date alone at midnight."""
    if local % MICROS_PER_DAY == 0:
        return day_text(day_at(local))
    return instant(local).replace(tzinfo=None).isoformat()
