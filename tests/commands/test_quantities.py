"""Quantities come as people write them and are kept exactly, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.commands.quantities import decimal_text, milli, scaled


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("12.5", 12_500),
        ("0.001", 1),
        (" 7 ", 7_000),
        ("1.500000", 1_500),
        (3, 3_000),
        ("-0.5", -500),
    ],
)
def test_a_decimal_is_kept_in_thousandths(written: object, kept: int) -> None:
    assert milli(written) == kept


@pytest.mark.parametrize(
    "written",
    ["", "1.0001", "1e3", "1,5", "+1", ".5", "5.", "٣", "NaN", "1" * 16, 1.5, True, None, b"1"],
)
def test_what_is_no_plain_decimal_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="decimal"):
        milli(written)


@given(st.integers(1 - 10**15, 10**15 - 1), st.integers(0, 8))
def test_what_is_written_is_read_back(number: int, decimals: int) -> None:
    assert scaled(decimal_text(number, decimals), decimals) == number
