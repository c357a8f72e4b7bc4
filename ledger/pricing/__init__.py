"""Rating (计费): from readings and a tariff to exact money. Pure: no clock, no input, no output."""

from ledger.pricing.compiled import CompiledTariff
from ledger.pricing.document import TariffDocument, parse_tariff
from ledger.pricing.position import Line, NotRateable, Position

__all__ = [
    "CompiledTariff",
    "Line",
    "NotRateable",
    "Position",
    "TariffDocument",
    "compile_tariff",
    "parse_tariff",
]


def compile_tariff(document: bytes | dict[str, object]) -> CompiledTariff:
    return CompiledTariff(parse_tariff(document))
