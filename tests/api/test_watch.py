import pytest
from starlette.testclient import TestClient

from tests.harness.busy_day import busy_day
from tests.harness.office import Office, problem


def test_alerts_events_and_totals_tell_the_same_story(office: Office, admin: TestClient) -> None:
    busy_day(office.desk)
    office.catch_up()
    totals = admin.get("/api/v1/totals").json()
    alerts = admin.get("/api/v1/alerts").json()["items"]
    held = sum(count for level, count in totals["alert_levels"].items() if level != "none")
    assert len({item["account_no"] for item in alerts}) == held
    assert admin.get("/api/v1/alerts", params={"level": "none"}).status_code == 422
    told = 0
    for shard, head in office.desk.heads().items():
        after = 0
        while True:
            asked = {"shard": shard, "after": after, "limit": 7}
            page = admin.get("/api/v1/events", params=asked).json()
            assert [item["position"] for item in page["items"]] == list(
                range(after + 1, after + 1 + len(page["items"]))
            )
            told += len(page["items"])
            if page["cursor"] is None:
                break
            after = int(page["cursor"])
        assert after <= head
    assert told == sum(office.desk.heads().values())
    charges = admin.get("/api/v1/events", params={"type": "account.charged", "shard": 0}).json()
    assert {item["topic"] for item in charges["items"]} <= {"account.charged.v1"}


def test_a_monitor_reads_the_metrics(office: Office, admin: TestClient) -> None:
    admin.get("/api/v1/accounts")
    text = admin.get("/metrics").text
    assert (
        'wattledger_http_requests_total{method="GET",route="/api/v1/accounts",status="200"} 1.0'
        in text
    )
    assert 'wattledger_feed_lag_events{feed="front"}' in text


def test_nobody_is_sent_to_views_that_are_behind(
    office: Office, admin: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert admin.get("/readyz").json()["status"] == "ready"
    monkeypatch.setattr("api.routers.health.LAG_MAX", 2)
    for number in range(4):
        office.desk.open(f"A{number}")
    behind = admin.get("/readyz")
    assert (behind.status_code, behind.json()["status"]) == (503, "behind")
    assert behind.json()["lag"]["front"] > 2
    office.catch_up()
    assert admin.get("/readyz").status_code == 200


def test_the_contract_names_each_scope_and_has_examples(embedded: Office) -> None:
    with embedded.client(None) as client:
        contract = client.get("/api/v1/openapi.json").json()
    assert contract["openapi"].startswith("3.1")
    operations = [
        (path, method, operation)
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) > 40
    for path, method, operation in operations:
        is_open = path in {"/healthz", "/readyz", "/api/v1/openapi.json"}
        is_open = is_open or (path, method) == ("/api/v1/session", "post")
        assert ("x-scope" in operation) != is_open, (path, method)
        body = operation.get("requestBody")
        if body and path != "/api/v1/tariffs":
            content = body["content"]["application/json"]
            assert "example" in content, path
            assert set(content["example"]) <= set(content["schema"]["properties"]), path
    assert "$defs" not in str(contract)


def test_what_no_route_answers_is_a_problem_too(admin: TestClient) -> None:
    assert problem(admin.get("/api/v1/nothing")) == "http_404"
    refused = admin.put("/api/v1/accounts")
    assert (refused.status_code, problem(refused)) == (405, "http_405")
