"""VAT inside the price: differences of the rounded running total of the month, per rate."""

from collections import defaultdict
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.aggregates.account import Account
from ledger.aggregates.account.tax import charge_lines
from ledger.events import account as facts
from ledger.pricing import compile_tariff
from tests.harness.desk import at_us
from tests.harness.documents import daily_fee, energy, tariff, version
from tests.harness.past import added, an_account, charged, read
from tests.harness.reckoning import closest_minor

TWO_RATES = compile_tariff(
    tariff("two", version(energy(["0.5"]), daily_fee("1", tax_rate="0.03", gl="revenue")))
)
UNTAXED = compile_tariff(
    tariff(
        "levied", version(energy(["0.5"]), daily_fee("1", tax_rate="0", gl="pass_through:waste"))
    )
)


def vat_of(account: Account, at: str, total: int, **more: Any) -> list[int]:  # noqa: ANN401 - of `read`
    fact: facts.AccountCharged = read(account, at, total, **more)
    account.evolve(fact, at_us(at))
    return [line.vat_minor for line in fact.lines]


def test_three_charges_of_five_fen_hold_two_fen_of_vat_and_not_three() -> None:
    account = an_account(added())
    parts = [vat_of(account, f"2026-01-0{day}", (day - 1) * 100) for day in (2, 3, 4)]
    assert parts == [[1], [0], [1]]


def test_a_new_month_begins_a_new_total() -> None:
    account = an_account(added())
    assert vat_of(account, "2026-01-30", 100) == [1]
    assert vat_of(account, "2026-02-02", 200) == [1]
    assert account.taxed == ((13, 100, 5, 1),)


def test_a_reading_of_a_month_before_joins_the_month_that_is_open() -> None:
    account = an_account(added(), added(point="electricity-2", meter_no="M2"))
    assert vat_of(account, "2026-02-02", 100) == [1]
    assert vat_of(account, "2026-01-30", 100, point="electricity-2") == [0]
    assert account.taxed == ((13, 100, 10, 1),)


def test_each_rate_has_a_total_of_its_own() -> None:
    account = an_account(added(TWO_RATES))
    fact = read(account, "2026-01-02", 2_000, tariff=TWO_RATES)
    amounts = [(line.id, line.amount_minor, line.vat_minor) for line in fact.lines]
    assert amounts == [("energy", 1_00, 12), ("standing", 1_00, 3)]
    assert fact.taxed == ((13, 100, 1_00, 12), (3, 100, 1_00, 3))


def test_what_is_collected_for_others_holds_no_vat() -> None:
    account = an_account(added(UNTAXED))
    fact = read(account, "2026-01-02", 2_000, tariff=UNTAXED)
    assert [(line.gl, line.vat_minor) for line in fact.lines] == [
        ("revenue", 12),
        ("pass_through:waste", 0),
    ]
    assert fact.taxed == ((13, 100, 1_00, 12),)


def test_a_charge_of_nothing_leaves_the_totals() -> None:
    account = an_account(added())
    charged(account, "2026-01-02", 2_000)
    before = (account.tax_month, account.taxed)
    charged(account, "2026-02-02", 2_000)
    assert (account.tax_month, account.taxed) == before


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.lists(st.integers(-300, 300), min_size=2, max_size=2)),
        max_size=20,
    )
)
def test_vat_of_a_month_is_that_of_its_total(charges: list[tuple[int, list[int]]]) -> None:
    account = an_account()
    gross: dict[tuple[int, tuple[int, int]], int] = defaultdict(int)
    vat: dict[tuple[int, tuple[int, int]], int] = defaultdict(int)
    month = 0
    for passed, amounts in charges:
        day = at_us("2026-01-01") // 86_400_000_000 + 719_163 + passed
        lines, account.tax_month, account.taxed = charge_lines(
            account, TWO_RATES, tuple(amounts), day
        )
        month = account.tax_month
        for line in lines:
            gross[month, line.vat_rate] += line.amount_minor
            vat[month, line.vat_rate] += line.vat_minor
    for (of_month, (num, den)), total in gross.items():
        assert vat[of_month, (num, den)] == closest_minor(Fraction(total * num, den + num))
    assert {total[:2]: total[2:] for total in account.taxed} == {
        rate: (gross[of_month, rate], vat[of_month, rate])
        for of_month, rate in gross
        if of_month == month
    }
