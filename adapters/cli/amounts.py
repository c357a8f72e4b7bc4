"""Amounts as people write them: decimals in major units, exact in both directions."""

from typing import Final

from adapters.cli.problems import InputError
from ledger.commands.quantities import decimal_text, scaled

CENTS: Final = 2
WHOLE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THOUSANDTHS: Final = "BHD IQD JOD KWD LYD OMR TND"
DIGITS: Final = dict.fromkeys(WHOLE.split(), 0) | dict.fromkeys(THOUSANDTHS.split(), 3)
"""Currencies whose minor unit is not a hundredth (ISO 4217)."""


def minor_digits(currency: str) -> int:
    """Decimals of a currency's minor unit."""
    return DIGITS.get(currency, CENTS)


def amount_minor(text: str, currency: str) -> int:
    """Minor units of a decimal amount; what cannot be paid exactly is no amount."""
    try:
        return scaled(text, minor_digits(currency))
    except ValueError as error:
        raise InputError("amount_invalid", f"{currency} amount: {error}.") from error


def amount_text(amount: int, currency: str) -> str:
    """Decimal text of minor units, with all decimals of the currency."""
    digits = minor_digits(currency)
    whole, _, fraction = decimal_text(amount, digits).partition(".")
    return f"{whole}.{fraction.ljust(digits, '0')}" if digits else whole


def money(amount: int, currency: str) -> str:
    """An amount with its currency, for people."""
    return f"{amount_text(amount, currency)} {currency}"
