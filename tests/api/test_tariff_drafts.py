import pytest
from starlette.testclient import TestClient

from tests.harness.desk import point
from tests.harness.documents import energy, tariff, version
from tests.harness.office import Office, problem


def client(office: Office, role: str) -> TestClient:
    return TestClient(office.app, headers={"Authorization": f"Bearer {office.token(role)}"})


@pytest.fixture
def author(office: Office) -> TestClient:
    """A client that writes tariffs; two accounts with a reading each."""
    for number, kwh in (("A1", 10), ("A2", 200)):
        office.desk.open(number, point(f"M{number}"))
        office.desk.read(f"M{number}", "2026-01-20", kwh * 1_000)
    office.catch_up()
    return client(office, "tariff_manager")


def test_a_draft_is_tried_on_real_history(office: Office, author: TestClient) -> None:
    draft = tariff("flat", version(energy(["0.4", "0.8"]), bounds=["100"]))
    heads = office.desk.heads()
    body = author.post("/api/v1/tariffs/preview", json={"document": draft}).json()
    assert (body["winners"], body["losers"], body["after_minor"]) == (1, 1, 4_00 + 120_00)
    one = {"document": draft, "accounts": ["A1"], "readings_until": "2026-01-01T00:00:00Z"}
    assert author.post("/api/v1/tariffs/preview", json=one).json()["before_minor"] == 0
    broken = {"document": {**draft, "versions": []}}
    answer = author.post("/api/v1/tariffs/preview", json=broken)
    assert (answer.status_code, problem(answer)) == (422, "tariff_invalid")
    assert office.desk.heads() == heads


def test_a_draft_waits_for_somebody_else(office: Office, author: TestClient) -> None:
    office.desk.ledger.approvals = frozenset({"tariff"})
    drafted = author.post("/api/v1/tariffs", json=tariff("new"))
    assert (drafted.status_code, drafted.json()["waits_for_approval"]) == (201, True)
    (waiting,) = author.get("/api/v1/tariffs/new/drafts").json()["items"]
    assert (waiting["draft"], waiting["document"]["tariff_id"]) == (1, "new")
    assert author.get("/api/v1/tariffs/newer/drafts").status_code == 404
    unknown = client(office, "admin").post("/api/v1/tariffs/new/drafts/2/approval")
    assert (unknown.status_code, problem(unknown)) == (404, "draft_unknown")
    path = "/api/v1/tariffs/new/drafts/1/approval"
    own = author.post(path)
    assert problem(own) == "same_person"
    other = client(office, "admin").post(path)
    assert (other.status_code, other.json()["changed"]) == (201, True)
    assert author.get("/api/v1/tariffs/new/drafts").json()["items"] == []
    assert problem(client(office, "cashier").post(path)) == "forbidden"


def test_a_key_of_a_preview_does_not_stand_for_the_correction(office: Office) -> None:
    office.desk.open("A1", point("M1"))
    office.desk.read("M1", "2026-01-02", 20_000)
    engineer = client(office, "engineer")
    path = "/api/v1/readings/M1@2026-01-01T16:00:00Z/correction"
    body = {"registers": {"total": "10"}, "reason": "misread"}
    key = {"Idempotency-Key": "K1"}
    preview = engineer.post(path, json=body, params={"preview": "true"}, headers=key)
    assert preview.json()["amount_minor"] == -5_00
    booked = engineer.post(path, json=body, headers=key)
    again = engineer.post(path, json=body, headers=key)
    assert booked.json()["balance_minor"] == again.json()["balance_minor"] == -5_00
    assert again.headers["Idempotency-Replayed"] == "true"
    assert office.desk.account("A1").balance_minor == -5_00
