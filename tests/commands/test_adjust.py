"""A wallet is corrected by a named person, and the supply follows."""

import pytest

from ledger.aggregates import Refused
from ledger.commands.assign import AssignTariff, assign_tariff
from ledger.events.account import AccountAdjusted
from tests.harness.desk import ACTOR, Desk, point
from tests.harness.documents import sold


def test_paid_and_granted_money_are_corrected_apart(desk: Desk) -> None:
    desk.open("A1")
    desk.adjust("A1", 30_00)
    answer = desk.adjust("A1", 20_00, "granted")
    assert (answer["balance_minor"], answer["granted_minor"]) == (30_00, 20_00)
    assert answer["available_minor"] == 50_00


def test_a_correction_says_who_made_it_and_why(desk: Desk) -> None:
    desk.open("A1")
    desk.adjust("A1", -5_00)
    (made,) = [item for item in desk.recorded() if isinstance(item.event, AccountAdjusted)]
    assert isinstance(made.event, AccountAdjusted)
    assert made.event.reason == "goodwill"
    assert b'"actor":"clerk-1"' in made.metadata


def test_granted_credit_keeps_the_supply_on_and_is_used_first(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.adjust("A1", 30_00, "granted")
    desk.read("M1", "2026-01-02", 50_000)
    account = desk.account("A1")
    assert (account.balance_minor, account.granted_minor) == (0, 5_00)
    assert account.points[0].supply_intended == "on"
    desk.adjust("A1", -5_00, "granted")
    assert desk.account("A1").points[0].supply_intended == "off"


@pytest.mark.parametrize(
    ("amount_minor", "wallet", "currency", "code"),
    [
        (0, "paid", "CNY", "amount_zero"),
        (10**15, "paid", "CNY", "amount_too_large"),
        (5_00, "paid", "EUR", "wrong_currency"),
        (-1, "granted", "CNY", "granted_negative"),
    ],
)
def test_a_correction_that_cannot_be_made_leaves_nothing(
    desk: Desk, amount_minor: int, wallet: "str", currency: str, code: str
) -> None:
    desk.open("A1")
    heads = desk.heads()
    with pytest.raises(Refused) as refusal:
        desk.adjust("A1", amount_minor, wallet, currency)  # type: ignore[arg-type] # one of two
    assert (refusal.value.code, desk.heads()) == (code, heads)


def test_a_grant_that_would_buy_nothing_is_refused(desk: Desk) -> None:
    desk.publish(sold())
    desk.open("A1", point("M1", "sold"))
    with pytest.raises(Refused) as refused:
        desk.adjust("A1", 30_00, "granted")
    assert refused.value.code == "grant_buys_nothing"
    assert desk.account("A1").granted_minor == 0
    desk.adjust("A1", 30_00)
    assert desk.recharge("A1", 117_00)["units"]["sold"] == "50"  # 147.00 − 98.00 at 0.98
    desk.open("A2", point("N1", "sold"), point("N2"))
    desk.adjust("A2", 30_00, "granted")
    desk.read("N2", "2026-01-02", 10_000)
    assert desk.account("A2").granted_minor == 25_00


def test_what_was_granted_before_units_were_bought_can_be_taken_back(desk: Desk) -> None:
    desk.publish(sold())
    desk.open("A1", point("M1"))
    desk.adjust("A1", 30_00, "granted")
    assign_tariff(AssignTariff(account_no="A1", tariff_id="sold"), desk.ledger, ACTOR)
    assert desk.adjust("A1", -30_00, "granted")["granted_minor"] == 0
