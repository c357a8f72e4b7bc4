"""A payment is booked once, whatever its channel repeats, and taken back once, by its receipt."""

from concurrent.futures import wait
from typing import Any

import pytest
from pydantic import ValidationError

from ledger.aggregates import Refused
from ledger.aggregates.payment import Payment
from ledger.commands import recharge
from ledger.commands.recharge import Recharge
from ledger.events.account import AccountCredited
from ledger.ports import Claim
from ledger.store import Contradiction
from ledger.values import shard_of
from tests.harness.desk import ACTOR, Desk, moment, point


def refused(desk: Desk, code: str, *args: Any, **particulars: Any) -> None:  # noqa: ANN401 - of `recharge`
    heads = desk.heads()
    with pytest.raises(Refused) as refusal:
        desk.recharge(*args, **particulars)
    assert (refusal.value.code, desk.heads()) == (code, heads)


def test_a_payment_is_booked_with_its_receipt(desk: Desk) -> None:
    desk.open("A1")
    answer = desk.recharge("A1", 50_00)
    assert (answer["balance_minor"], answer["positions"]) == (50_00, {"0": desk.heads()[0]})
    booked = desk.ledger.event(0, int(answer["receipt_no"].removeprefix("0-")))
    assert isinstance(booked, AccountCredited)
    assert (booked.amount_minor, booked.receipt_no) == (50_00, answer["receipt_no"])
    assert desk.topics()[-2:] == ["account.credited.v1", "payment.settled.v1"]


def test_the_same_payment_again_answers_as_the_first_time(desk: Desk) -> None:
    desk.open("A1")
    first = desk.recharge("A1", 50_00, "T1")
    desk.recharge("A1", 10_00, "T2")
    heads = desk.heads()
    command = Recharge(
        account_no="A1", amount_minor=50_00, currency="CNY", channel="cash", channel_txn_id="T1"
    )
    for _ in range(2):
        again = recharge.handle(command, desk.ledger, ACTOR)
        assert (again.replayed, again.body) == (True, first)
        desk.restart()
    assert desk.heads() == heads


@pytest.mark.parametrize(
    "other", [{"amount_minor": 50_01}, {"account_no": "A2"}, {"paid_at": moment("2026-06-01")}]
)
def test_the_same_payment_with_another_content_is_a_contradiction(
    desk: Desk, other: dict[str, Any]
) -> None:
    desk.open("A1")
    desk.open("A2")
    desk.recharge("A1", 50_00, "T1")
    heads = desk.heads()
    with pytest.raises(Contradiction) as refusal:
        desk.recharge(**{"account_no": "A1", "amount_minor": 50_00, "txn": "T1", **other})
    assert (refusal.value.code, desk.heads()) == ("payment_contradiction", heads)


def test_the_same_number_of_another_channel_is_another_payment(desk: Desk) -> None:
    desk.open("A1")
    desk.recharge("A1", 50_00, "T1", channel="wechat")
    assert desk.recharge("A1", 50_00, "T1", channel="alipay")["balance_minor"] == 100_00


def test_a_payment_told_in_another_time_zone_is_the_same(desk: Desk) -> None:
    desk.open("A1")
    first = desk.recharge("A1", 50_00, "T1", paid_at="2026-06-01T08:00:00+08:00")
    assert desk.recharge("A1", 50_00, "T1", paid_at="2026-06-01T00:00:00Z") == first


def test_one_payment_is_booked_once_in_all_shards(shards: Desk) -> None:
    for number in ("A5", "A1", "A4", "A0"):
        shards.open(number)
    first = shards.recharge("A1", 50_00, "T1")
    for number in ("A5", "A4", "A0"):
        refused(shards, "payment_contradiction", number, 50_00, "T1")
    assert shards.recharge("A1", 50_00, "T1") == first
    assert shard_of("A1", 4) == 1 == int(first["receipt_no"].partition("-")[0])


def test_many_tellers_with_one_payment_book_it_once(desk: Desk) -> None:
    desk.open("A1")
    colleague = desk.colleague()
    command = Recharge(
        account_no="A1", amount_minor=50_00, currency="CNY", channel="cash", channel_txn_id="T1"
    )
    waiting = [
        recharge.submit(command, teller.ledger, ACTOR)
        for _ in range(10)
        for teller in (desk, colleague)
    ]
    wait(waiting)
    answers = [answer.result() for answer in waiting]
    assert [answer.replayed for answer in answers].count(False) == 1
    assert {answer.body["receipt_no"] for answer in answers} == {answers[0].body["receipt_no"]}
    assert desk.account("A1").balance_minor == 50_00
    colleague.close()


def test_a_request_and_a_payment_may_both_be_claimed(desk: Desk) -> None:
    desk.open("A1")
    command = Recharge(
        account_no="A1", amount_minor=50_00, currency="CNY", channel="cash", channel_txn_id="T1"
    )
    request = ACTOR._replace(request=Claim("request", "k1", command.fingerprint("r"), "clerk-1"))
    first = recharge.handle(command, desk.ledger, request)
    assert recharge.handle(command, desk.ledger, request).body == first.body
    other = Recharge(**{**command.model_dump(), "channel_txn_id": "T2"})
    contradicting = request._replace(
        request=Claim("request", "k1", other.fingerprint("r"), "clerk-1")
    )
    with pytest.raises(Contradiction) as refusal:
        recharge.handle(other, desk.ledger, contradicting)
    assert refusal.value.code == "key_reused"


def test_what_cannot_be_booked_is_refused_and_leaves_nothing(desk: Desk) -> None:
    desk.open("A1")
    desk.clock.go("2026-07-01T12:00")
    refused(desk, "account_unknown", "A9", 50_00)
    refused(desk, "wrong_currency", "A1", 50_00, currency="EUR")
    refused(desk, "amount_not_positive", "A1", 0)
    refused(desk, "amount_not_positive", "A1", -50_00)
    refused(desk, "amount_too_large", "A1", 10**14 + 1)
    refused(desk, "paid_in_the_future", "A1", 50_00, paid_at=moment("2026-07-01T12:06"))
    desk.close_account("A1")
    refused(desk, "account_not_open", "A1", 50_00)


def test_a_refused_payment_may_be_told_again_rightly(desk: Desk) -> None:
    desk.open("A1")
    refused(desk, "wrong_currency", "A1", 50_00, "T1", currency="EUR")
    assert desk.recharge("A1", 50_00, "T1")["balance_minor"] == 50_00


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_minor": 50.0},
        {"amount_minor": "50"},
        {"amount_minor": True},
        {"currency": "yuan"},
        {"account_no": "A 1"},
        {"channel_txn_id": ""},
        {"channel_txn_id": "T\n1"},
        {"paid_at": "2026-06-01T08:00:00"},
        {"paid_at": "0001-01-01T00:00:00Z"},
        {"paid_at": "9999-12-31T00:00:00Z"},
        {"tip": 1},
    ],
)
def test_a_malformed_payment_is_no_command(wrong: dict[str, Any]) -> None:
    right = {"account_no": "A1", "amount_minor": 1, "currency": "CNY", "channel": "cash"}
    with pytest.raises(ValidationError):
        Recharge.model_validate({**right, "channel_txn_id": "T1", **wrong})


def test_a_receipt_is_reversed_once(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    receipt_no = desk.recharge("A1", 50_00)["receipt_no"]
    desk.read("M1", "2026-01-02", 60_000)
    answer = desk.reverse(receipt_no)
    assert (answer["balance_minor"], answer["alert_level"]) == (-30_00, "trip")
    heads = desk.heads()
    desk.restart()
    with pytest.raises(Refused) as refusal:
        desk.reverse(receipt_no)
    assert (refusal.value.code, desk.heads()) == ("already_reversed", heads)
    assert desk.fold(Payment, "cash/T1", shard=0).status == "reversed"


@pytest.mark.parametrize("receipt_no", ["0-999", "7-1", "0-1"])
def test_what_is_no_receipt_is_not_reversed(desk: Desk, receipt_no: str) -> None:
    desk.open("A1")
    with pytest.raises(Refused) as refusal:
        desk.reverse(receipt_no)
    assert refusal.value.code == "receipt_unknown"


def test_a_reversed_payment_is_not_booked_again_by_a_repeat(desk: Desk) -> None:
    desk.open("A1")
    first = desk.recharge("A1", 50_00, "T1")
    desk.reverse(first["receipt_no"])
    assert desk.recharge("A1", 50_00, "T1") == first
    assert desk.account("A1").balance_minor == 0
