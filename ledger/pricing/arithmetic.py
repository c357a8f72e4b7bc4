"""Arithmetic that is reckoned and printed from one and the same expression (推导)."""

from fractions import Fraction
from typing import NamedTuple

from ledger.pricing.exact import decimal


class Number(NamedTuple):
    """A number as such."""

    value: Fraction

    def text(self) -> str:
        shown = decimal(self.value)
        return f"({shown})" if self.value < 0 else shown


class Product(NamedTuple):
    """What two expressions come to when multiplied."""

    left: "Expression"
    right: "Expression"

    @property
    def value(self) -> Fraction:
        return self.left.value * self.right.value

    def text(self) -> str:
        return f"{_factor(self.left)} × {_factor(self.right)}"


class Sum(NamedTuple):
    """What its terms add up to; nothing adds up to 0."""

    terms: tuple["Expression", ...]

    @property
    def value(self) -> Fraction:
        return sum((term.value for term in self.terms), Fraction(0))

    def text(self) -> str:
        return " + ".join(term.text() for term in self.terms) or "0"


class Difference(NamedTuple):
    """What is left of one expression after another is taken away."""

    left: "Expression"
    right: "Expression"

    @property
    def value(self) -> Fraction:
        return self.left.value - self.right.value

    def text(self) -> str:
        return f"{self.left.text()} − {_factor(self.right)}"


class Greatest(NamedTuple):
    """The greatest of its parts."""

    parts: tuple["Expression", ...]

    @property
    def value(self) -> Fraction:
        return max(part.value for part in self.parts)

    def text(self) -> str:
        return f"max({', '.join(part.text() for part in self.parts)})"


class Least(NamedTuple):
    """The least of its parts."""

    parts: tuple["Expression", ...]

    @property
    def value(self) -> Fraction:
        return min(part.value for part in self.parts)

    def text(self) -> str:
        return f"min({', '.join(part.text() for part in self.parts)})"


Expression = Number | Product | Sum | Difference | Greatest | Least
ZERO = Number(Fraction(0))


def _factor(part: Expression) -> str:
    is_compound = isinstance(part, Difference) or (isinstance(part, Sum) and len(part.terms) > 1)
    return f"({part.text()})" if is_compound else part.text()


def sum_of(values: "list[Fraction]") -> Sum:
    """The sum of the numbers that are not zero."""
    return Sum(tuple(Number(value) for value in values if value))
