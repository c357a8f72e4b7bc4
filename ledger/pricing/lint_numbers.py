"""Numbers of a tariff document: decimals, signs, quanta."""

from fractions import Fraction

from ledger.pricing.document import Rounding
from ledger.pricing.exact import PRICE_DIGITS, decimal, minor_digits, scaled
from ledger.pricing.problems import Problem, Problems, pointer

Place = tuple[str | int, ...]


def price_problems(price: str, gl: str, at: Place) -> Problems:
    """A price has at most 8 decimals, and is below zero only as a credit."""
    yield from number_problems(price, PRICE_DIGITS, at)
    if Fraction(price) < 0 and gl != "credit":
        message = (
            "Only a line booked as `credit`, or what other prices of the unit make up for, "
            "may be below zero; correct the sign or the gl."
        )
        yield Problem(pointer(*at), message, "negative")


def number_problems(number: str, digits: int, at: Place) -> Problems:
    """At most so many decimals."""
    try:
        scaled(number, digits)
    except ValueError:
        yield Problem(pointer(*at), f"At most {digits} decimals; round it.", "decimals")


def positive_problems(number: str | None, at: Place) -> Problems:
    """Above zero, where it is given."""
    if number is not None and Fraction(number) <= 0:
        yield Problem(pointer(*at), "This must be above 0; correct it, or take it out.", "range")


def rounding_problems(rounding: Rounding, currency: str, at: Place) -> Problems:
    """A quantum is a whole number of minor units."""
    digits = minor_digits(currency)
    quantum = Fraction(rounding.quantum) * Fraction(10**digits)
    if quantum <= 0 or quantum.denominator != 1:
        unit = decimal(Fraction(1, 10**digits))
        message = f"Round to whole minor units of {currency}: a multiple of {unit}."
        yield Problem(pointer(*at, "quantum"), message, "quantum")
