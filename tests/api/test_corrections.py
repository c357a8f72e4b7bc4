import pytest
from starlette.testclient import TestClient

from tests.harness.desk import point
from tests.harness.office import Office, problem

FIRST = "M1@2026-01-01T16:00:00Z"


@pytest.fixture
def engineer(office: Office) -> TestClient:
    """A client that may correct readings; a meter that was read twice."""
    desk = office.desk
    desk.open("A1", point("M1"), site="East")
    desk.recharge("A1", 100_00)
    desk.read("M1", "2026-01-02", 20_000)
    desk.read("M1", "2026-01-03", 30_000)
    office.catch_up()
    return TestClient(office.app, headers={"Authorization": f"Bearer {office.token('engineer')}"})


def test_a_correction_is_previewed_then_booked(office: Office, engineer: TestClient) -> None:
    body = {"registers": {"total": "10"}, "reason": "misread"}
    path = f"/api/v1/readings/{FIRST}/correction"
    heads = office.desk.heads()
    preview = engineer.post(path, json=body, params={"preview": "true"})
    assert (preview.status_code, preview.json()["changed"]) == (200, True)
    assert office.desk.heads() == heads
    booked = engineer.post(path, json=body)
    assert (booked.status_code, booked.json()["reason"]) == (201, "misread")
    assert office.desk.heads() != heads
    again = engineer.post(path, json=body)
    assert again.json()["changed"] is False
    nothing = engineer.post("/api/v1/readings/M1@2026-01-09T00:00:00Z/correction", json=body)
    assert (nothing.status_code, problem(nothing)) == (404, "reading_unknown")
    wrong = engineer.post("/api/v1/readings/M1@yesterday/correction", json=body)
    assert [item["path"] for item in wrong.json()["problems"]] == ["/at"]


def test_a_reading_of_another_site_is_not_corrected(office: Office, engineer: TestClient) -> None:
    assert engineer.get("/api/v1/meters/M1").status_code == 200
    with office.client("engineer", "West") as west:
        body = {"registers": {"total": "10"}, "reason": "x"}
        answer = west.post(f"/api/v1/readings/{FIRST}/correction", json=body)
        assert (answer.status_code, problem(answer)) == (404, "reading_unknown")


def test_what_waits_is_tried_again_corrected_or_dismissed(
    office: Office, engineer: TestClient
) -> None:
    office.desk.read("M1", "2026-01-04", 1)
    office.desk.read("M1", "2026-01-05", 2)
    office.catch_up()
    tried = engineer.post("/api/v1/quarantine/recompute", json={"meter_no": "M1"})
    assert (tried.status_code, len(tried.json()["waiting"])) == (200, 2)
    assert tried.json()["positions"] == {}  # Nothing was written.
    items = engineer.get("/api/v1/quarantine").json()["items"]
    later, earlier = (f"/api/v1/quarantine/{i['shard']}:{i['position']}" for i in items)
    dismissed = engineer.post(f"{earlier}/dismissal", json={"reason": "a test of the meter"})
    assert (dismissed.status_code, dismissed.json()["outcome"]) == (201, "dismissed")
    body = {"registers": {"total": "40"}, "reason": "read again"}
    corrected = engineer.post(f"{later}/correction", json=body)
    assert (corrected.status_code, corrected.json()["outcome"]) == (201, "corrected")
    office.catch_up()
    assert engineer.get("/api/v1/quarantine").json()["items"] == []
    gone = engineer.post(f"{later}/dismissal", json={"reason": "x"})
    assert (gone.status_code, problem(gone)) == (404, "quarantine_unknown")


def test_a_charge_is_explained(office: Office, engineer: TestClient) -> None:
    events = engineer.get("/api/v1/accounts/A1/events", params={"type": "account.charged"}).json()
    position = events["items"][0]["position"]
    answer = engineer.get(f"/api/v1/accounts/A1/explain/{position}")
    assert answer.status_code == 200
    assert answer.json()["account_no"] == "A1"
    assert engineer.get("/api/v1/accounts/A1/explain/1000000").status_code == 404


def test_attributes_are_told_anew(office: Office) -> None:
    office.desk.open("A2")
    office.catch_up()
    with office.client("operator") as operator:
        path = "/api/v1/accounts/A2/attributes"
        body = {"attributes": {"household_size": 5}, "reason": "certificate 17"}
        assert operator.post(path, json=body).json()["changed"] is True
        assert operator.post(path, json=body).json()["changed"] is False
        none = operator.post(path, json={**body, "attributes": {}})
        assert [item["path"] for item in none.json()["problems"]] == ["/attributes"]
