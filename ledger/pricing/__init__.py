"""Rating (计费): from readings and a tariff to exact money. Pure: no clock, no input, no output."""

from ledger.pricing.case_file import CaseFileInvalid
from ledger.pricing.cases import CaseResult, run_cases
from ledger.pricing.compiled import CompiledTariff, compile_tariff
from ledger.pricing.context import Context
from ledger.pricing.document import TariffDocument, parse_tariff
from ledger.pricing.explain import explain
from ledger.pricing.lint import lint
from ledger.pricing.position import CLOSED_WINDOW, Line, NotRateable, Position
from ledger.pricing.problems import Problem, TariffInvalid
from ledger.pricing.vending import Payment, Sale, vend

__all__ = [
    "CLOSED_WINDOW",
    "CaseFileInvalid",
    "CaseResult",
    "CompiledTariff",
    "Context",
    "Line",
    "NotRateable",
    "Payment",
    "Position",
    "Problem",
    "Sale",
    "TariffDocument",
    "TariffInvalid",
    "compile_tariff",
    "explain",
    "lint",
    "parse_tariff",
    "run_cases",
    "vend",
]
