import pytest
from starlette.testclient import TestClient

from tests.harness.desk import point
from tests.harness.office import Office, problem

READINGS = "/api/v1/readings"


def reading(meter_no: str, at: str, **registers: str) -> dict[str, object]:
    return {"meter_no": meter_no, "at": at, "registers": registers}


def batch(*readings: dict[str, object]) -> dict[str, object]:
    return {"readings": readings}


@pytest.fixture
def engineer(office: Office) -> TestClient:
    """A client that may send readings; an account with a meter and money."""
    office.desk.open("A1", point("M1"))
    office.desk.recharge("A1", 100_00)
    return TestClient(office.app, headers={"Authorization": f"Bearer {office.token('engineer')}"})


def test_a_batch_is_charged_known_or_kept_aside(office: Office, engineer: TestClient) -> None:
    sent = batch(
        reading("M1", "2026-01-02T00:00:00+08:00", total="12.5"),
        reading("M1", "2026-01-02T00:00:00+08:00", total="12.5"),
        reading("nobody", "2026-01-02T00:00:00Z", total="1"),
        reading("M1", "2026-01-03T00:00:00+08:00", total="1"),
    )
    answer = engineer.post(READINGS, json=sent)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["duplicate"]) == (1, 1)
    assert [item["index"] for item in body["quarantined"]] == [2, 3]
    assert body["quarantined"][0]["code"] == "meter_unknown"
    assert all(item["reason"] for item in body["quarantined"])
    assert body["positions"]
    office.catch_up()
    params = {"meter_no": "M1", "from": "2026-01-01T00:00:00Z"}
    (shown,) = engineer.get(READINGS, params=params).json()["items"]
    assert (shown["registers"], shown["quantity"]) == ({"total": "12.5"}, "12.5")
    assert shown["reading_id"] == "M1@2026-01-01T16:00:00Z"
    waiting = engineer.get("/api/v1/quarantine", params={"meter_no": "M1"}).json()["items"]
    assert [item["meter_no"] for item in waiting] == ["M1"]


def test_the_same_batch_again_is_silence(office: Office, engineer: TestClient) -> None:
    sent = batch(
        reading("M1", "2026-01-02T00:00:00Z", total="1"),
        reading("x", "2026-01-02T00:00:00Z", total="1"),
    )
    first = engineer.post(READINGS, json=sent).json()
    heads = office.desk.heads()
    again = engineer.post(READINGS, json=sent).json()
    assert (first["accepted"], first["duplicate"]) == (1, 0)
    assert (again["accepted"], again["duplicate"] + len(again["quarantined"])) == (0, 2)
    assert office.desk.heads() == heads


def test_more_than_five_thousand_are_too_many(engineer: TestClient) -> None:
    one = reading("M1", "2026-01-02T00:00:00Z", total="1")
    answer = engineer.post(READINGS, json=batch(*[one] * 5_001))
    assert (answer.status_code, problem(answer)) == (413, "too_large")
    whole = engineer.post(READINGS, json=batch(*[one] * 5_000))
    assert whole.json()["accepted"] + whole.json()["duplicate"] == 5_000


def test_a_body_of_many_bytes_is_too_large(engineer: TestClient) -> None:
    answer = engineer.post(READINGS, content=b'{"readings": [' + b" " * (5 << 20) + b"]}")
    assert (answer.status_code, problem(answer)) == (413, "too_large")


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"meter_no": "M1", "registers": {"total": "1"}}, "/readings/0/at"),
        (reading("M 1", "2026-01-02T00:00:00Z", total="1"), "/readings/0/meter_no"),
        (reading("M1", "2026-01-02T00:00:00", total="1"), "/readings/0/at"),
        (reading("M1", "2026-01-02T00:00:00Z", total="-1"), "/readings/0/registers/total"),
        (reading("M1", "2026-01-02T00:00:00Z", total="1.2345"), "/readings/0/registers/total"),
        (reading("M1", "2026-01-02T00:00:00Z", total="NaN"), "/readings/0/registers/total"),
        (reading("M1", "2026-01-02T00:00:00Z"), "/readings/0/registers"),
    ],
)
def test_what_is_malformed_is_named(
    office: Office, engineer: TestClient, wrong: dict[str, object], path: str
) -> None:
    heads = office.desk.heads()
    answer = engineer.post(READINGS, json=batch(wrong))
    assert (answer.status_code, problem(answer)) == (422, "invalid")
    assert [item["path"] for item in answer.json()["problems"]] == [path]
    assert office.desk.heads() == heads
