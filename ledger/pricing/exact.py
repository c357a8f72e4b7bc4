"""Exact numbers: decimals as scaled integers, and the rounding of a ratio."""

from collections.abc import Callable
from fractions import Fraction
from typing import Final

PRICE_DIGITS: Final = 8
QUANTITY_DIGITS: Final = 3
"""A kWh or m³ has three decimals: Wh and litres."""
ACCRUAL_DIGITS: Final = PRICE_DIGITS + QUANTITY_DIGITS
"""A price of 8 decimals times a quantity of 3 is a whole number of these."""

_MINOR_DIGITS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def minor_digits(currency: str) -> int:
    """Decimals of the currency's minor unit (ISO 4217): 2 unless it is known to be another."""
    return _MINOR_DIGITS.get(currency, 2)


def scaled(number: str, digits: int) -> int:
    """`number` × 10^`digits`; ValueError if that is not whole."""
    power: int = 10**digits
    ratio = Fraction(number) * power
    if ratio.denominator != 1:
        raise ValueError(f"{number} has more than {digits} decimals.")
    return ratio.numerator


def decimal(value: Fraction | int, digits: int | None = None) -> str:
    """Shortest exact text of a number: a decimal where it ends, else a ratio like `5600/3`."""
    ratio = Fraction(value)
    places, ten = 0, 1
    while ten % ratio.denominator and places < 64:  # noqa: PLR2004 - a decimal of 64 places ends
        places, ten = places + 1, ten * 10
    if ten % ratio.denominator:
        return f"{ratio.numerator}/{ratio.denominator}"
    places = places if digits is None else max(places, digits)
    whole = abs(ratio.numerator) * 10**places // ratio.denominator
    text = str(whole).rjust(places + 1, "0")
    text = f"{text[:-places]}.{text[-places:]}" if places else text
    return f"-{text}" if ratio < 0 else text


def half_up(numerator: int, denominator: int) -> int:
    """Nearest whole; a half goes away from zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def half_even(numerator: int, denominator: int) -> int:
    """Nearest whole; a half goes to the even one."""
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2))


def down(numerator: int, denominator: int) -> int:
    """Towards zero."""
    return numerator // denominator if numerator >= 0 else -(-numerator // denominator)


def up(numerator: int, denominator: int) -> int:
    """Away from zero."""
    return -(-numerator // denominator) if numerator >= 0 else numerator // denominator


Rounder = Callable[[int, int], int]
ROUNDERS: Final[dict[str, Rounder]] = {
    "half_up": half_up,
    "half_even": half_even,
    "down": down,
    "up": up,
}
