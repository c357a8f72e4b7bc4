"""Lines of a tariff: what is shown and booked, and the tracks that only accrue."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from ledger.pricing.document import (
    AdjustmentTable,
    Charge,
    Demand,
    Minimum,
    Percent,
    TariffDocument,
    Version,
)
from ledger.pricing.position import Line

TAX_LINE: Final = "tax"
ROUNDING_LINE: Final = "rounding"
TOTAL: Final = "total"
REACTIVE: Final = frozenset({"reactive", "kvarh", "reactive_import"})
"""Names under which a register counts reactive energy (kvarh)."""
NO_TAX: Final = 0, 1


def charges_of(version: Version) -> Iterator[Charge]:
    """Charges of a version, those of its schedules behind."""
    yield from version.charges
    for schedule in version.schedule_by_total:
        yield from schedule.charges


def lines_of(document: TariffDocument) -> tuple[Line, ...]:
    """Lines of all versions in the order in which they first appear."""
    lines: dict[str, Line] = {}
    for version in document.versions:
        for charge in charges_of(version):
            lines.setdefault(charge.id, _line(document, charge))
    if is_taxed_outside(document):
        lines.setdefault(TAX_LINE, Line(TAX_LINE, "tax", NO_TAX))
    if any(
        ladder.line == TOTAL for version in document.versions for ladder in version.bill_rounding
    ):
        lines.setdefault(ROUNDING_LINE, Line(ROUNDING_LINE, "revenue", NO_TAX))
    return tuple(lines.values())


def _line(document: TariffDocument, charge: Charge) -> Line:
    if document.tax.treatment == "inclusive":
        vat = Fraction(charge.tax_rate or document.tax.rate or 0)
        return Line(charge.id, charge.gl, (vat.numerator, vat.denominator))
    gl = charge.gl
    if is_outside_tax(document, charge) and "gl" not in charge.model_fields_set:
        gl = "tax"
    return Line(charge.id, gl, NO_TAX)


def is_outside_tax(document: TariffDocument, charge: Charge) -> bool:
    """Whether a charge is the tax that the tariff puts outside its prices."""
    if document.tax.treatment != "exclusive" or not isinstance(charge, Percent):
        return False
    if charge.gl == "tax" or charge.id == TAX_LINE:
        return True
    return document.tax.rate is not None and Fraction(charge.rate) == Fraction(document.tax.rate)


def is_taxed_outside(document: TariffDocument) -> bool:
    """Whether the engine itself adds the tax: outside the prices, and no charge does it."""
    if document.tax.treatment != "exclusive":
        return False
    charges = [charge for version in document.versions for charge in charges_of(version)]
    if any(is_outside_tax(document, charge) for charge in charges):
        return False
    rates = [document.tax.rate, *(charge.tax_rate for charge in charges)]
    return any(rate is not None and Fraction(rate) > 0 for rate in rates)


def floor_of(name: str) -> str:
    """Track of the amount that a minimum charge tops up to."""
    return f"{name}:floor"


def tracks_of(document: TariffDocument) -> tuple[str, ...]:
    """Lines, and behind them what is accrued without being shown."""
    charges = [charge for version in document.versions for charge in charges_of(version)]
    hidden = [floor_of(charge.id) for charge in charges if isinstance(charge, Minimum)]
    if any(isinstance(charge, AdjustmentTable) for charge in charges):
        hidden.append(REACTIVE_TRACK)
    return tuple(dict.fromkeys([*(line.id for line in lines_of(document)), *hidden]))


REACTIVE_TRACK: Final = "power_factor:reactive"


def demand_registers(document: TariffDocument) -> frozenset[str]:
    """Registers that show a highest power (kW) instead of counting a quantity."""
    charges = [charge for version in document.versions for charge in charges_of(version)]
    return frozenset(charge.register_ for charge in charges if isinstance(charge, Demand))


def reactive_registers(document: TariffDocument) -> frozenset[str]:
    """Registers of reactive energy, where a charge asks for the power factor."""
    charges = [charge for version in document.versions for charge in charges_of(version)]
    if not any(isinstance(charge, AdjustmentTable) for charge in charges):
        return frozenset()
    return REACTIVE.intersection(document.registers)


def energy_registers(document: TariffDocument) -> tuple[str, ...]:
    """Registers whose quantities have prices, in the tariff's order."""
    others = demand_registers(document) | reactive_registers(document)
    return tuple(name for name in document.registers if name not in others)
