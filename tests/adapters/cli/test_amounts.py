import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cli.amounts import amount_minor, amount_text, minor_digits
from adapters.cli.problems import InputError

currencies = st.sampled_from(["CNY", "USD", "JPY", "KRW", "KWD", "EUR"])


@given(st.integers(-(10**14), 10**14), currencies)
def test_an_amount_reads_as_it_was_written(amount: int, currency: str) -> None:
    assert amount_minor(amount_text(amount, currency), currency) == amount


@given(st.decimals(-(10**9), 10**9, places=2))
def test_a_decimal_in_major_units_is_a_hundred_times_as_much_in_fen(amount: object) -> None:
    text = f"{amount:.2f}"
    assert amount_minor(text, "CNY") == int(text.replace(".", ""))


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [("100", "CNY", 10_000), ("0.5", "CNY", 50), ("-5.00", "CNY", -500), ("1200", "JPY", 1_200)],
)
def test_decimals_are_those_of_the_currency(text: str, currency: str, amount: int) -> None:
    assert amount_minor(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.234", "CNY"),
        ("1.5", "JPY"),
        ("1e3", "CNY"),
        ("", "CNY"),
        ("1,000", "CNY"),
        ("--1", "CNY"),
    ],
)
def test_what_cannot_be_paid_exactly_is_no_amount(text: str, currency: str) -> None:
    with pytest.raises(InputError):
        amount_minor(text, currency)


def test_the_minor_unit_is_a_hundredth_unless_a_standard_says_otherwise() -> None:
    digits = {"CNY": 2, "JPY": 0, "KRW": 0, "KWD": 3}
    assert {currency: minor_digits(currency) for currency in digits} == digits
