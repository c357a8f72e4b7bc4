import pytest
from starlette.testclient import TestClient

from tests.harness.desk import point
from tests.harness.documents import FLAT
from tests.harness.office import Office, problem


def test_tariffs_and_policies_are_published_and_read(office: Office, admin: TestClient) -> None:
    document = {**FLAT, "tariff_id": "other"}
    made = admin.post("/api/v1/tariffs", json=document)
    assert (made.status_code, made.json()["changed"]) == (201, True)
    assert admin.post("/api/v1/tariffs", json=document).json()["changed"] is False
    policy = {"policy_id": "shops", "trip": {"available_minor": 0}}
    assert admin.post("/api/v1/policies", json=policy).status_code == 201
    office.catch_up()
    after = ",".join(f"{shard}:{at}" for shard, at in made.json()["positions"].items())
    ids = [
        item["tariff_id"]
        for item in admin.get("/api/v1/tariffs", params={"after": after}).json()["items"]
    ]
    assert "other" in ids
    assert admin.get("/api/v1/tariffs/other").json()["document"] == document
    assert len(admin.get("/api/v1/tariffs/other/versions").json()["items"]) == 1
    assert admin.get("/api/v1/policies/shops").json()["policy_id"] == "shops"
    for path in ("tariffs/none", "tariffs/none/versions", "policies/none", "meters/none"):
        assert admin.get(f"/api/v1/{path}").status_code == 404, path


def test_what_is_wrong_with_a_document_is_told_with_its_place(admin: TestClient) -> None:
    wrong = admin.post("/api/v1/tariffs", json={**FLAT, "currency": "XX"})
    assert (wrong.status_code, problem(wrong)) == (422, "tariff_invalid")
    assert any("currency" in item["path"] for item in wrong.json()["problems"])
    lines = {"remind": {"available_minor": 1}, "warn": {"available_minor": 2}}
    policy: dict[str, object] = {"policy_id": "p", **lines}
    wrong = admin.post("/api/v1/policies", json=policy)
    assert (wrong.status_code, problem(wrong)) == (422, "invalid")
    spans = ("18:00-08:00", "08:00-17:30")
    windows = [{"name": span, "hours": span} for span in spans]
    policy = {"policy_id": "p", "trip": {"available_minor": 0}, "no_cut_windows": windows}
    wrong = admin.post("/api/v1/policies", json=policy)
    assert (wrong.status_code, problem(wrong)) == (422, "policy_invalid")
    assert [each["path"] for each in wrong.json()["problems"]] == ["/no_cut_windows"]
    assert admin.post("/api/v1/policies", json=policy | {"no_cut_windows": windows[:1]}).is_success


@pytest.mark.parametrize("odd", ["\x00", "a b", "电", "../x", "x" * 65, ""])
def test_a_tariff_whose_id_no_path_can_name_is_not_published(
    office: Office, admin: TestClient, odd: str
) -> None:
    answer = admin.post("/api/v1/tariffs", json={**FLAT, "tariff_id": odd})
    assert (answer.status_code, problem(answer)) == (422, "tariff_invalid")
    assert "/tariff_id" in [each["path"] for each in answer.json()["problems"]]
    office.catch_up()  # Nothing that a view cannot hold has come into the log.
    assert admin.get("/api/v1/tariffs").status_code == 200


def test_a_gateway_is_registered_and_a_meter_connected(office: Office, admin: TestClient) -> None:
    office.desk.open("A1", point("M1"), site="East")
    body = {"gateway_id": "G1", "url": "rtu+tcp://127.0.0.1:1502", "site": "East"}
    assert admin.post("/api/v1/gateways", json=body).status_code == 201
    line = {"gateway_id": "G1", "unit": 7, "model": "DDSY1352"}
    assert admin.post("/api/v1/meters/M1/line", json=line).status_code == 201
    assert admin.post("/api/v1/meters/M9/line", json=line).status_code == 404
    office.catch_up()
    assert admin.get("/api/v1/meters/M1").json()["line"] == line
    (gateway,) = admin.get("/api/v1/gateways").json()["items"]
    assert (gateway["gateway_id"], gateway["meters"]) == ("G1", 1)
