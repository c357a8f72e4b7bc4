"""Money comes, is taken back, is corrected, and an account ends."""

import pytest

from ledger.aggregates.account import Account
from ledger.aggregates.account.money import AMOUNT_MAX_MINOR, adjust, close, credit, reverse_credit
from ledger.events import account as facts
from tests.harness.past import NO, OPENED, PAID_50, added, adjusted, an_account, charged, closed
from tests.harness.past import paid as paid_fact
from tests.scenario import Scenario

CASH = {"receipt_no": "0-1", "channel": "cash", "channel_txn_id": "T1"}


def pay(account: Account, amount_minor: int, currency: str = "CNY") -> facts.AccountCredited:
    return credit(account, **CASH, currency=currency, amount_minor=amount_minor)


def correct(
    account: Account, amount_minor: int, wallet: str = "paid", currency: str = "CNY"
) -> facts.AccountAdjusted:
    return adjust(
        account, amount_minor=amount_minor, currency=currency, wallet=wallet, reason="goodwill"
    )


def test_a_payment_adds_to_the_balance() -> None:
    Scenario(Account).given(OPENED, PAID_50).when(pay, 25_00).then(paid_fact(25_00, 75_00))


def test_a_payment_leaves_granted_credit_alone() -> None:
    (
        Scenario(Account)
        .given(OPENED, adjusted(5_00, 0, 5_00, "granted"))
        .when(pay, 25_00)
        .then(paid_fact(25_00, 25_00, 5_00))
    )


@pytest.mark.parametrize(
    ("amount_minor", "code"),
    [
        (0, "amount_not_positive"),
        (-1, "amount_not_positive"),
        (AMOUNT_MAX_MINOR + 1, "amount_too_large"),
        (10**40, "amount_too_large"),
    ],
)
def test_an_amount_that_nobody_pays_is_refused(amount_minor: int, code: str) -> None:
    Scenario(Account).given(OPENED).when(pay, amount_minor).refused(code)


def test_the_largest_amount_is_taken_to_the_last_fen() -> None:
    largest = paid_fact(AMOUNT_MAX_MINOR, AMOUNT_MAX_MINOR)
    Scenario(Account).given(OPENED).when(pay, AMOUNT_MAX_MINOR).then(largest)


def test_money_of_another_currency_is_refused() -> None:
    Scenario(Account).given(OPENED).when(pay, 25_00, "EUR").refused("wrong_currency")
    Scenario(Account).given(OPENED).when(correct, 25_00, "paid", "EUR").refused("wrong_currency")


def test_a_closed_account_takes_no_money_and_gives_none_back() -> None:
    past = Scenario(Account).given(OPENED, closed())
    past.when(pay, 25_00).refused("account_not_open")
    past.when(correct, 25_00).refused("account_not_open")
    past.when(reverse_credit, PAID_50, "mistyped").refused("account_not_open")
    past.when(close, "again").refused("account_not_open")


def test_a_reversal_takes_the_whole_payment_back_even_below_zero() -> None:
    account = an_account(added(), PAID_50)
    charged(account, "2026-01-02", 80_000)
    assert account.balance_minor == 10_00
    fact = reverse_credit(account, PAID_50, "mistyped")
    assert (fact.amount_minor, fact.balance_after_minor) == (50_00, -40_00)
    assert (fact.channel, fact.channel_txn_id, fact.receipt_no) == ("cash", "T1", "0-1")


def test_an_adjustment_may_go_either_way_and_below_zero() -> None:
    past = Scenario(Account).given(OPENED, PAID_50)
    past.when(correct, -80_00).then(adjusted(-80_00, -30_00))
    past.when(correct, 100_00).then(adjusted(100_00, 70_00))


def test_granted_credit_is_a_wallet_of_its_own() -> None:
    past = Scenario(Account).given(OPENED, PAID_50)
    past.when(correct, 30_00, "granted").then(adjusted(30_00, 50_00, 30_00, "granted"))
    past.when(correct, -30_00, "granted").then(adjusted(-30_00, 50_00, 0, "granted"))


def test_granted_credit_cannot_become_negative() -> None:
    past = Scenario(Account).given(OPENED, PAID_50, adjusted(5_00, 50_00, 5_00, "granted"))
    past.when(correct, -5_01, "granted").refused("granted_negative")


@pytest.mark.parametrize(
    ("amount_minor", "code"),
    [
        (0, "amount_zero"),
        (AMOUNT_MAX_MINOR + 1, "amount_too_large"),
        (-AMOUNT_MAX_MINOR - 1, "amount_too_large"),
    ],
)
def test_an_adjustment_of_nothing_or_of_too_much_is_refused(amount_minor: int, code: str) -> None:
    Scenario(Account).given(OPENED).when(correct, amount_minor).refused(code)


def test_an_account_without_meters_and_money_is_closed() -> None:
    Scenario(Account).given(OPENED).when(close, "moved out").then(
        facts.AccountClosed(NO, "moved out", 0, 0)
    )


def test_granted_credit_that_is_left_does_not_keep_an_account_open() -> None:
    (
        Scenario(Account)
        .given(OPENED, adjusted(5_00, 0, 5_00, "granted"))
        .when(close, "moved out")
        .then(facts.AccountClosed(NO, "moved out", 0, 5_00))
    )


@pytest.mark.parametrize("balance_minor", [50_00, -1])
def test_an_account_with_money_or_debt_is_not_closed(balance_minor: int) -> None:
    past = Scenario(Account).given(OPENED, adjusted(balance_minor, balance_minor))
    past.when(close, "moved out").refused("balance_not_zero")


def test_an_account_with_a_meter_is_not_closed() -> None:
    past = Scenario(Account).given(OPENED, added())
    past.when(close, "moved out").refused("service_points_left")
