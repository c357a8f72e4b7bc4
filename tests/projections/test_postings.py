"""The books: every fact that moves money is balanced, by itself and over any history."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given

from ledger.events import Event
from ledger.events import account as facts
from ledger.projections.postings import (
    ADJUSTMENT,
    LIABILITY,
    PROMOTION,
    RECEIVABLE,
    REVENUE,
    VAT,
    postings,
)
from tests.harness.past import added, adjusted, an_account, paid, read
from tests.harness.story import Story
from tests.strategies import stories


def booked(*events: Event) -> dict[str, int]:
    """What events add up to on each ledger account, without the empty ones."""
    totals: Counter[str] = Counter()
    for event in events:
        for account, amount_minor in postings(event):
            totals[account] += amount_minor
    return {account: total for account, total in totals.items() if total}


def reversed_(amount_minor: int, balance_after_minor: int) -> facts.CreditReversed:
    return facts.CreditReversed(
        "A1", "0-1", "cash", "T1", "CNY", amount_minor, "mistyped", balance_after_minor, 0
    )


def test_a_payment_is_owed_to_the_customer() -> None:
    assert booked(paid(50_00, 80_00)) == {"1012/cash": 50_00, LIABILITY: -50_00}


def test_a_payment_settles_the_debt_first() -> None:
    assert booked(paid(50_00, 20_00)) == {
        "1012/cash": 50_00,
        RECEIVABLE: -30_00,
        LIABILITY: -20_00,
    }
    assert booked(paid(50_00, -10_00)) == {"1012/cash": 50_00, RECEIVABLE: -50_00}


def test_a_reversal_undoes_a_payment_on_the_same_accounts() -> None:
    assert booked(paid(50_00, 20_00), reversed_(50_00, -30_00)) == {}


def test_a_charge_is_income_with_its_tax_apart() -> None:
    fact = read(an_account(added(), paid(50_00, 50_00)), "2026-01-02", 100_000)
    assert booked(fact) == {LIABILITY: 50_00, REVENUE: -44_25, VAT: -5_75}


def test_a_charge_beyond_the_balance_is_a_claim_on_the_customer() -> None:
    fact = read(an_account(added(), paid(20_00, 20_00)), "2026-01-02", 100_000)
    assert booked(fact) == {LIABILITY: 20_00, RECEIVABLE: 30_00, REVENUE: -44_25, VAT: -5_75}


def test_granted_credit_costs_when_it_is_used_and_not_before() -> None:
    given_away = adjusted(30_00, 0, 30_00, "granted")
    assert booked(given_away) == {}
    fact = read(an_account(added(), given_away), "2026-01-02", 100_000)
    assert booked(fact) == {PROMOTION: 30_00, RECEIVABLE: 20_00, REVENUE: -44_25, VAT: -5_75}


def test_a_correction_is_no_revenue() -> None:
    assert booked(adjusted(-30_00, -10_00)) == {
        ADJUSTMENT: -30_00,
        LIABILITY: 20_00,
        RECEIVABLE: 10_00,
    }


@pytest.mark.parametrize(
    ("gl", "account"),
    [
        ("revenue", "6001"),
        ("credit", "6001/credit"),
        ("tax", "2221"),
        ("pass_through:sewage", "2241.02/sewage"),
    ],
)
def test_a_line_is_booked_by_its_kind(gl: str, account: str) -> None:
    charge = read(an_account(added(), paid(50_00, 50_00)), "2026-01-02", 100_000)
    (line,) = charge.lines
    untaxed = msgspec.structs.replace(line, gl=gl, vat_minor=0)
    fact = msgspec.structs.replace(charge, lines=(untaxed,))
    assert booked(fact) == {LIABILITY: 50_00, account: -50_00}


def test_what_moves_no_money_books_nothing() -> None:
    account = an_account(added())
    assert postings(read(account, "2026-01-02", 0)) == []
    assert postings(added()[0]) == []


@given(stories())
def test_the_postings_of_every_fact_add_up_to_nothing(story: Story) -> None:
    for fact, _ in story.past:
        assert sum(amount_minor for _, amount_minor in postings(fact)) == 0


@given(stories())
def test_the_books_agree_with_the_account_at_every_moment(story: Story) -> None:
    liability = receivable = 0
    for fact, _ in story.past:
        balance_minor = getattr(fact, "balance_after_minor", None)
        for account, amount_minor in postings(fact):
            liability += amount_minor if account == LIABILITY else 0
            receivable += amount_minor if account == RECEIVABLE else 0
        if balance_minor is not None:
            assert (liability, receivable) == (-max(balance_minor, 0), -min(balance_minor, 0))


@given(stories())
def test_income_tax_and_gifts_are_what_the_charges_say(story: Story) -> None:
    charges = [fact for fact, _ in story.past if isinstance(fact, facts.AccountCharged)]
    totals = booked(*charges)
    assert totals.get(VAT, 0) == -sum(line.vat_minor for c in charges for line in c.lines)
    assert totals.get(PROMOTION, 0) == sum(c.granted_used_minor for c in charges)
    gross = sum(c.amount_minor for c in charges)
    assert totals.get(REVENUE, 0) + totals.get(VAT, 0) == -gross
