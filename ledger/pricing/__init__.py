"""Rating (计费): from readings and a tariff to exact money. Pure: no clock, no input, no output."""

from ledger.pricing.compiled import CompiledTariff, compile_tariff
from ledger.pricing.document import TariffDocument, parse_tariff
from ledger.pricing.lint import lint
from ledger.pricing.position import Line, NotRateable, Position
from ledger.pricing.problems import Problem, TariffInvalid

__all__ = [
    "CompiledTariff",
    "Line",
    "NotRateable",
    "Position",
    "Problem",
    "TariffDocument",
    "TariffInvalid",
    "compile_tariff",
    "lint",
    "parse_tariff",
]
