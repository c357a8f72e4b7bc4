"""The derivation (推导) of an amount: inputs, version, tiers, arithmetic, rounding."""

from datetime import date
from fractions import Fraction

from ledger.pricing.calendar import day_at
from ledger.pricing.compiled import CompiledTariff
from ledger.pricing.exact import ACCRUAL_DIGITS, decimal, minor_digits
from ledger.pricing.generic import LineStep, Step
from ledger.pricing.terms import LineRounding
from ledger.pricing.tiers import TierPart
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
        "bounds": [quantity_text(bound) for bound in step.bounds],
        "used_before": quantity_text(step.used_before),
        "used_after": quantity_text(step.used_after),
        "tiers": [_tier(tariff, part) for part in step.tiers],
        "lines": [
            _line(tariff, step, line)
            for line in step.lines
            if line.accrued_before != line.accrued_after or line.posted_before != line.posted_after
        ],
    }


def _tier(tariff: CompiledTariff, part: TierPart) -> Explained:
    return {
        "tier": part.tier + 1,
        "upto": None if part.bound is None else quantity_text(part.bound),
        "quantities": {
            register: quantity_text(quantity)
            for register, quantity in zip(tariff.energy_registers, part.quantities, strict=True)
        },
    }


def _line(tariff: CompiledTariff, step: Step, line: LineStep) -> Explained:
    rounding = step.piece.version.rounding[line.line]
    ladder = (rounding, *rounding.again)
    return {
        "id": tariff.lines[line.line].id,
        "arithmetic": line.arithmetic.text(),
        "exact_before": decimal(line.accrued_before / 10**ACCRUAL_DIGITS),
        "exact_after": decimal(line.accrued_after / 10**ACCRUAL_DIGITS),
        "rounding": ", then ".join(_rounding_text(tariff, each) for each in ladder),
        "rounded_before": money_text(tariff, line.posted_before),
        "rounded_after": money_text(tariff, line.posted_after),
        "amount": money_text(tariff, line.posted_after - line.posted_before),
    }


def _rounding_text(tariff: CompiledTariff, rounding: LineRounding) -> str:
    quantum = Fraction(rounding.quantum_minor, 10 ** minor_digits(tariff.currency))
    return f"{rounding.mode} {decimal(quantum)}"


def quantity_text(quantity: Fraction | int) -> str:
    """Wh or litres as text in kWh or m³."""
    return decimal(Fraction(quantity) / WHOLE_UNIT)


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
