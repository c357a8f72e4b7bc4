from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from tests.harness.office import Office, key, problem

PAYMENT = {"amount_minor": 100_00, "currency": "CNY", "channel": "cash", "channel_txn_id": "T1"}
RECHARGES = "/api/v1/accounts/A1/recharges"


@pytest.fixture
def cashier(office: Office) -> TestClient:
    """A client that may take money, for an account that is open."""
    office.desk.open("A1")
    office.catch_up()
    return TestClient(office.app, headers={"Authorization": f"Bearer {office.token('cashier')}"})


def test_a_recharge_is_booked_once_under_its_key(office: Office, cashier: TestClient) -> None:
    one = key()
    first = cashier.post(RECHARGES, json=PAYMENT, headers=one)
    assert first.status_code == 201
    body = first.json()
    assert (body["balance_minor"], body["currency"]) == (100_00, "CNY")
    assert set(body["positions"]) == {str(office.desk.ledger.shard_of("A1"))}
    again = cashier.post(RECHARGES, json=PAYMENT, headers=one)
    assert (again.status_code, again.json()) == (201, body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    fresh = cashier.post(RECHARGES, json=PAYMENT, headers=key())
    assert (fresh.status_code, fresh.json()) == (201, body)
    assert office.desk.account("A1").balance_minor == 100_00


def test_another_body_under_the_same_key_is_refused(office: Office, cashier: TestClient) -> None:
    one = key()
    assert cashier.post(RECHARGES, json=PAYMENT, headers=one).status_code == 201
    other = {**PAYMENT, "amount_minor": 1, "channel_txn_id": "T2"}
    answer = cashier.post(RECHARGES, json=other, headers=one)
    assert (answer.status_code, problem(answer)) == (422, "key_reused")
    assert office.desk.account("A1").balance_minor == 100_00


def test_the_same_payment_with_another_content_is_refused(cashier: TestClient) -> None:
    assert cashier.post(RECHARGES, json=PAYMENT, headers=key()).status_code == 201
    answer = cashier.post(RECHARGES, json={**PAYMENT, "amount_minor": 1}, headers=key())
    assert (answer.status_code, problem(answer)) == (409, "payment_contradiction")


def test_a_key_belongs_to_its_user_and_its_route(office: Office, cashier: TestClient) -> None:
    office.desk.open("A2")
    office.catch_up()
    one = key()
    assert cashier.post(RECHARGES, json=PAYMENT, headers=one).status_code == 201
    other = {**PAYMENT, "channel_txn_id": "T2"}
    elsewhere = cashier.post("/api/v1/accounts/A2/recharges", json=other, headers=one)
    assert elsewhere.status_code == 201
    with office.client("cashier") as colleague:
        third = {**PAYMENT, "channel_txn_id": "T3"}
        assert colleague.post(RECHARGES, json=third, headers=one).status_code == 201


def test_without_a_key_or_with_an_odd_one_no_money_moves(
    office: Office, cashier: TestClient
) -> None:
    answer = cashier.post(RECHARGES, json=PAYMENT)
    assert (answer.status_code, problem(answer)) == (400, "idempotency_key_missing")
    answer = cashier.post(RECHARGES, json=PAYMENT, headers={"Idempotency-Key": "x" * 256})
    assert (answer.status_code, problem(answer)) == (400, "idempotency_key_invalid")
    assert office.desk.account("A1").balance_minor == 0


@pytest.mark.parametrize(
    "odd",
    [0, 1_700_000_000, 1.5e9, "1700000000", "2026-01-01", "2026-01-01T00:00:00", True, [], "now"],
    ids=repr,
)
def test_a_time_is_rfc_3339_or_it_is_named(cashier: TestClient, odd: object) -> None:
    answer = cashier.post(RECHARGES, json={**PAYMENT, "paid_at": odd}, headers=key())
    assert (answer.status_code, problem(answer)) == (422, "invalid")
    assert [each["path"] for each in answer.json()["problems"]] == ["/paid_at"]


def test_a_refusal_is_not_kept_under_the_key(office: Office, cashier: TestClient) -> None:
    one = key()
    wrong = cashier.post(RECHARGES, json={**PAYMENT, "currency": "EUR"}, headers=one)
    assert (wrong.status_code, problem(wrong)) == (409, "wrong_currency")
    assert cashier.post(RECHARGES, json=PAYMENT, headers=one).status_code == 201


def test_many_at_once_under_one_key_pay_once(office: Office, cashier: TestClient) -> None:
    one = key()
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(cashier.post, RECHARGES, json=PAYMENT, headers=one) for _ in range(24)]
        answers = [each.result() for each in asked]
    codes = {answer.status_code for answer in answers}
    assert codes <= {201, 409}
    assert 201 in codes
    running = [answer for answer in answers if answer.status_code == 409]
    assert {problem(answer) for answer in running} <= {"request_running"}
    assert all("Retry-After" in answer.headers for answer in running)
    assert len({answer.text for answer in answers if answer.status_code == 201}) == 1
    assert office.desk.account("A1").balance_minor == 100_00


def test_money_is_corrected_and_reversed_by_those_who_may(office: Office) -> None:
    office.desk.open("A1")
    receipt = office.desk.recharge("A1", 50_00)["receipt_no"]
    office.catch_up()
    with office.client("finance") as finance:
        body = {"amount_minor": -5_00, "currency": "CNY", "reason": "misread"}
        answer = finance.post("/api/v1/accounts/A1/adjustments", json=body, headers=key())
        assert (answer.status_code, answer.json()["balance_minor"]) == (201, 45_00)
        path = f"/api/v1/receipts/{receipt}/reversal"
        reversed_ = finance.post(path, json={"reason": "mistyped"}, headers=key())
        assert (reversed_.status_code, reversed_.json()["balance_minor"]) == (201, -5_00)
        twice = finance.post(path, json={"reason": "mistyped"}, headers=key())
        assert twice.status_code == 409
        nothing = finance.post(
            "/api/v1/receipts/0-99/reversal", json={"reason": "x"}, headers=key()
        )
        assert (nothing.status_code, problem(nothing)) == (404, "receipt_unknown")
