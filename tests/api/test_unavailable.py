"""The database goes away under the doors: a problem that says so, and the same key counts once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.harness.chaos_proxy import ChaosProxy
from tests.harness.desk import Desk
from tests.harness.office import Office, key, problem

pytestmark = pytest.mark.postgres
PAYMENT = {"amount_minor": 100, "currency": "CNY", "channel": "cash", "channel_txn_id": "T1"}
RECHARGES = "/api/v1/accounts/A1/recharges"


@pytest.fixture
def cut_off(postgres_url: str, tmp_path: Path) -> Iterator[tuple[Office, ChaosProxy]]:
    """The doors of a ledger behind a line that can be cut."""
    port = make_url(postgres_url).port
    assert port is not None
    with ChaosProxy(port) as proxy:
        desk = Desk.at(proxy.route(postgres_url), shards=2)
        desk.open("A1")
        office = Office.of(desk, tmp_path)
        office.catch_up()
        yield office, proxy
        proxy.heal()
        desk.close()


def test_what_cannot_be_recorded_is_told_and_goes_through_later(
    cut_off: tuple[Office, ChaosProxy],
) -> None:
    office, proxy = cut_off
    once = key()
    with office.client() as client:
        assert client.get("/api/v1/accounts").status_code == 200
        proxy.faults.refuse = True
        proxy.cut()
        for answer in (
            client.post(RECHARGES, json=PAYMENT, headers=once),
            client.get("/api/v1/accounts"),
            client.get("/api/v1/accounts/A1", params={"after": "0:1"}),
        ):
            assert (answer.status_code, problem(answer)) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
            assert "127.0.0.1" not in answer.text
            assert str(proxy.port) not in answer.json()["detail"]
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        proxy.heal()
        assert client.post(RECHARGES, json=PAYMENT, headers=once).status_code == 201
        again = client.post(RECHARGES, json=PAYMENT, headers=once)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert client.get("/readyz").status_code == 200
    assert office.desk.account("A1").balance_minor == 100


def test_a_payment_whose_commit_went_unanswered_is_answered_truly(
    cut_off: tuple[Office, ChaosProxy],
) -> None:
    office, proxy = cut_off
    with office.client() as client:
        client.get("/api/v1/accounts")
        proxy.faults.lose_answer_to = b"COMMIT"
        answer = client.post(RECHARGES, json=PAYMENT, headers=key())
        assert answer.status_code == 201, answer.text
    assert office.desk.account("A1").balance_minor == 100
