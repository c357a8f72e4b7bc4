from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.pricing.exact import ROUNDERS, decimal, minor_digits, scaled

MODES = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "down": ROUND_DOWN,
    "up": ROUND_UP,
}


@given(st.sampled_from(sorted(MODES)), st.integers(-(10**6), 10**6), st.integers(0, 3))
def test_each_mode_rounds_like_the_decimal_of_the_same_name(
    mode: str, numerator: int, digits: int
) -> None:
    expected = Decimal(numerator).scaleb(-digits).quantize(Decimal(1), rounding=MODES[mode])
    assert ROUNDERS[mode](numerator, 10**digits) == expected


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-1000, max_value=1000)
)
def test_a_decimal_survives_scaling_and_printing(number: Decimal) -> None:
    text = format(number, "f")
    assert Fraction(scaled(text, 8), 10**8) == Fraction(text)
    assert Fraction(decimal(Fraction(text))) == Fraction(text)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (Fraction(0), 2, "0.00"),
        (Fraction(-1, 2), None, "-0.5"),
        (Fraction(5600, 3), None, "5600/3"),
        (Fraction(12345, 100), 2, "123.45"),
        (Fraction(7), None, "7"),
        (Fraction(1, 8), 2, "0.125"),
        (100, 0, "100"),
    ],
)
def test_numbers_are_printed_exactly(value: Fraction | int, digits: int | None, text: str) -> None:
    assert decimal(value, digits) == text


def test_more_decimals_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"1\.2345 has more than 3 decimals"):
        scaled("1.2345", 3)


@pytest.mark.parametrize(("currency", "digits"), [("CNY", 2), ("JPY", 0), ("KWD", 3), ("XYZ", 2)])
def test_minor_units_follow_the_currency(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits
