import pytest
from starlette.testclient import TestClient

from ledger.aggregates.policy_windows import NoCutWindow
from tests.harness.desk import point
from tests.harness.documents import policy
from tests.harness.office import Office, problem

COMMANDS = "/api/v1/accounts/A1/commands"
RECALL = {"kind": "recall", "reason": "the customer asks"}


@pytest.fixture
def operator(office: Office) -> TestClient:
    """A client that may command meters; an account with a meter and money."""
    office.desk.open("A1", point("M1"))
    office.desk.recharge("A1", 100_00)
    return TestClient(office.app, headers={"Authorization": f"Bearer {office.token('operator')}"})


def test_a_command_is_accepted_listed_and_cancelled(office: Office, operator: TestClient) -> None:
    asked = operator.post(COMMANDS, json=RECALL)
    assert asked.status_code == 202
    command_id = asked.json()["command_id"]
    again = operator.post(COMMANDS, json=RECALL)
    assert (again.status_code, again.json()["command_id"] is not None) == (202, True)
    office.catch_up()
    listed = operator.get("/api/v1/commands", params={"status": "open"}).json()["items"]
    assert command_id in {item["command_id"] for item in listed}
    path = f"/api/v1/commands/{command_id}"
    cancelled = operator.post(f"{path}/cancel", json={"reason": "not any more"})
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    retried = operator.post(f"{path}/retry", json={})
    assert (retried.status_code, retried.json()["status"]) == (202, "queued") or (
        retried.json()["status"] in {"held", "requested"}
    )


def test_what_is_no_command_or_not_there_is_refused(operator: TestClient) -> None:
    wrong = operator.post(COMMANDS, json={"kind": "explode", "reason": "x"})
    assert [item["path"] for item in wrong.json()["problems"]] == ["/kind"]
    for number in ("0-c99999", "99-c1", "x"):
        answer = operator.post(f"/api/v1/commands/{number}/cancel", json={"reason": "x"})
        assert answer.status_code in {404, 409}, answer.text


def test_a_trip_of_a_guaranteed_point_is_refused(office: Office, operator: TestClient) -> None:
    guarantee = "/api/v1/accounts/A1/guarantee"
    started = operator.post(guarantee, json={"reason": "a sick child"})
    assert (started.status_code, started.json()["guaranteed"]) == (201, True)
    office.catch_up()
    assert operator.get("/api/v1/accounts/A1").json()["service_points"][0]["guaranteed"] is True
    tripped = operator.post(COMMANDS, json={"kind": "trip", "reason": "x"})
    assert (tripped.status_code, problem(tripped)) == (409, "guaranteed")
    ended = operator.request("DELETE", guarantee, json={"reason": "healthy"})
    assert (ended.status_code, ended.json()["guaranteed"]) == (200, False)
    assert operator.post(COMMANDS, json={"kind": "trip", "reason": "x"}).status_code == 202


def test_nobody_is_cut_by_hand_in_a_window_and_why_tells_it(
    office: Office, operator: TestClient
) -> None:
    always = NoCutWindow(name="summer", first_day="06-01", last_day="09-15")
    office.desk.publish(policy(no_cut_windows=(always,)))
    tripped = operator.post(COMMANDS, json={"kind": "trip", "reason": "x"})
    assert (tripped.status_code, problem(tripped)) == (409, "no_cut_window")
    assert "until 2026-09-15T16:00:00Z (summer)" in tripped.json()["detail"]
    office.desk.adjust("A1", -200_00)
    office.catch_up()
    why = operator.get("/api/v1/accounts/A1/why").json()
    assert why["decisions"][0]["decision"] == "account.supply_trip_postponed.v1"
    assert why["decisions"][0]["due"] == why["holds"][0]["until"] == "2026-09-15T16:00:00Z"
    alert = operator.get("/api/v1/alerts").json()["items"][0]
    assert (alert["level"], alert["due"]) == ("trip", "2026-09-15T16:00:00Z")


def test_a_site_is_guaranteed_to_a_time(office: Office, operator: TestClient) -> None:
    asked = {"trips": "off", "site": "East", "reason": "a flood"}
    until = {"until": "2026-08-01T08:00:00+08:00"}
    assert operator.post("/api/v1/trips", json=asked | until).is_success
    office.catch_up()
    (shown,) = operator.get("/api/v1/trips").json()["items"]
    assert (shown["site"], shown["until"]) == ("East", "2026-08-01T00:00:00Z")
    over = operator.post("/api/v1/trips", json=asked | {"until": "2020-01-01T00:00:00Z"})
    assert (over.status_code, problem(over)) == (409, "expires_in_the_past")


def test_a_dispute_is_held_and_released(operator: TestClient) -> None:
    dispute = "/api/v1/accounts/A1/dispute"
    assert operator.post(dispute, json={"reason": "x"}).json()["disputed"] is True
    released = operator.request("DELETE", dispute, json={"reason": "x"})
    assert released.json()["disputed"] is False


def test_the_kill_switch_is_thrown_shown_and_taken_back(
    office: Office, operator: TestClient
) -> None:
    off = operator.post("/api/v1/trips", json={"trips": "off", "reason": "a heat wave"})
    assert (off.status_code, off.json()["changed"]) == (201, True)
    asked = operator.post(COMMANDS, json={"kind": "trip", "reason": "x"}).json()
    assert asked["status"] == "held"
    office.catch_up()
    (shown,) = operator.get("/api/v1/trips").json()["items"]
    assert (shown["site"], shown["reason"]) == ("", "a heat wave")
    assert shown["by"].startswith("user:")
    operator.post("/api/v1/trips", json={"trips": "on", "reason": "it rained"})
    office.catch_up()
    assert operator.get("/api/v1/trips").json()["items"] == []
    wrong = operator.post("/api/v1/trips", json={"trips": "maybe", "reason": "x"})
    assert [item["path"] for item in wrong.json()["problems"]] == ["/trips"]


def test_whoever_works_for_a_site_switches_that_site_and_no_other(embedded: Office) -> None:
    with embedded.client("operator", "East") as client:
        for site, status in (("", 403), ("West", 403), ("East", 201)):
            body = {"trips": "off", "site": site, "reason": "a flood"}
            assert client.post("/api/v1/trips", json=body).status_code == status
        embedded.catch_up()
        assert [item["site"] for item in client.get("/api/v1/trips").json()["items"]] == ["East"]
    with embedded.client("cashier") as client:
        body = {"trips": "off", "reason": "x"}
        assert client.post("/api/v1/trips", json=body).status_code == 403


def test_what_a_meter_cannot_do_is_refused_and_what_it_can_is_listed(
    office: Office, operator: TestClient
) -> None:
    asked = operator.post(COMMANDS, json={"kind": "set_clock", "reason": "summer time"})
    assert (asked.status_code, problem(asked)) == (409, "command_not_supported")
    office.catch_up()
    obeyed = operator.get("/api/v1/meters/M1").json()["commands"]
    assert obeyed == ["close", "close_permit", "end_guarantee", "guarantee", "recall", "trip"]
