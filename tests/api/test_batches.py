"""Batches of commands over HTTP: previewed, asked for once, approved by somebody else."""

from collections.abc import Sequence
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.harness.office import Office, key, problem
from tests.harness.street import FIVE, protect, street

BATCH = "/api/v1/commands/batch"
BATCHES = "/api/v1/commands/batches"
Json = dict[str, Any]


def client(office: Office, role: str = "operator", *sites: str) -> TestClient:
    token = office.token(role, *sites)
    return TestClient(office.app, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def operator(office: Office) -> TestClient:
    """Somebody who may command meters; five accounts with money, the second one guaranteed."""
    street(office.desk)
    protect(office.desk, "A1")
    office.catch_up()
    return client(office)


def wish(kind: str = "trip", numbers: Sequence[str] = FIVE, **more: Any) -> Json:  # noqa: ANN401 - as the body names them
    named = [{"account_no": number} for number in numbers]
    return {"kind": kind, "reason": "a fire", "accounts": named, **more}


def test_a_filter_is_previewed_and_what_it_named_is_asked_for(operator: TestClient) -> None:
    looked = operator.post(f"{BATCH}/preview", json={"kind": "trip", "filter": {}})
    assert looked.status_code == 200
    told = looked.json()
    assert (told["count"], [each["code"] for each in told["excluded"]]) == (4, ["guaranteed"])
    body = {"kind": "trip", "reason": "a fire", "accounts": told["accounts"]}
    asked = operator.post(BATCH, json=body)
    assert (asked.status_code, asked.json()["status"]) == (202, "done")
    reached = sorted(each["account_no"] for each in asked.json()["accepted"])
    assert reached == ["A0", "A2", "A3", "A4"]


def test_a_filter_finds_what_the_monitor_finds(office: Office, operator: TestClient) -> None:
    street(office.desk, ("B1", "B2"), "West")
    office.desk.adjust("B2", -90_00)
    office.catch_up()

    def found(**wanted: str) -> list[str]:
        body = {"kind": "recall", "filter": wanted}
        told = operator.post(f"{BATCH}/preview", json=body).json()
        return [each["account_no"] for each in told["accounts"]]

    assert found(site="West") == ["B1", "B2"]
    assert found(site="West", alert_level="trip") == found(supply="off") == ["B2"]
    assert found(service_kind="water") == []
    both = {"kind": "recall", "filter": {}, "accounts": [{"account_no": "A0"}]}
    for body in (both, {"kind": "recall"}):
        assert operator.post(f"{BATCH}/preview", json=body).status_code == 422


def test_the_same_key_is_one_batch_and_another_body_is_refused(operator: TestClient) -> None:
    header = key()
    first = operator.post(BATCH, json=wish("recall"), headers=header)
    again = operator.post(BATCH, json=wish("recall"), headers=header)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    other = operator.post(BATCH, json=wish(), headers=header)
    assert (other.status_code, problem(other)) == (422, "key_reused")


def test_many_trips_wait_until_somebody_else_approves_them(
    office: Office, operator: TestClient
) -> None:
    office.desk.ledger.trips_alone_max = 4
    asked = operator.post(BATCH, json=wish(), headers=key())
    assert (asked.status_code, asked.json()["status"]) == (202, "awaiting_approval")
    path = f"{BATCHES}/{asked.json()['batch_id']}"
    after = {"after": ",".join(f"{s}:{n}" for s, n in asked.json()["positions"].items())}
    office.catch_up()
    (waiting,) = operator.get(BATCHES, params={"status": "awaiting_approval", **after}).json()[
        "items"
    ]
    assert (waiting["counts"], waiting["decided_by"]) == ({"waiting": 5}, None)
    himself = operator.post(f"{path}/approve", headers=key())
    assert (himself.status_code, problem(himself)) == (409, "same_person")
    approved = client(office).post(f"{path}/approve", headers=key())
    assert (approved.status_code, len(approved.json()["accepted"])) == (202, 4)
    office.catch_up()
    told = operator.get(path).json()
    assert told["counts"] == {"not_ordered": 1, "queued": 4}
    assert told["orders"][1]["code"] == "guaranteed"
    rejected = client(office).post(f"{path}/reject", json={"reason": "too late"})
    assert (rejected.status_code, problem(rejected)) == (409, "batch_not_waiting")


def test_a_batch_that_waits_is_rejected(office: Office, operator: TestClient) -> None:
    office.desk.ledger.trips_alone_max = 0
    batch_id = operator.post(BATCH, json=wish()).json()["batch_id"]
    path = f"{BATCHES}/{batch_id}"
    answer = client(office).post(f"{path}/reject", json={"reason": "the wrong quarter"})
    assert (answer.status_code, answer.json()["status"]) == (202, "rejected")
    assert problem(client(office).post(f"{path}/approve")) == "batch_not_waiting"


def test_sites_bound_what_is_in_a_batch_and_who_sees_it(office: Office) -> None:
    street(office.desk, ("E1",), "East")
    street(office.desk, ("W1",), "West")
    office.desk.ledger.trips_alone_max = 0
    office.catch_up()
    east, west, everywhere = (
        client(office, "operator", *sites) for sites in (("East",), ("West",), ())
    )
    told = east.post(f"{BATCH}/preview", json={"kind": "trip", "filter": {}}).json()
    assert [each["account_no"] for each in told["accounts"]] == ["E1"]
    batch_id = east.post(BATCH, json=wish(numbers=("E1", "W1"))).json()["batch_id"]
    office.catch_up()
    path = f"{BATCHES}/{batch_id}"
    assert [len(each.get(BATCHES).json()["items"]) for each in (east, west, everywhere)] == [
        1,
        0,
        1,
    ]
    assert problem(west.get(path)) == "batch_unknown"
    assert problem(west.post(f"{path}/approve")) == "batch_unknown"
    body = everywhere.post(f"{path}/approve").json()
    assert [each["account_no"] for each in body["accepted"]] == ["E1"]
    assert [each["code"] for each in body["refused"]] == ["account_unknown"]


def test_only_whoever_may_command_meters_may_ask(office: Office, operator: TestClient) -> None:
    batch_id = operator.post(BATCH, json=wish("recall")).json()["batch_id"]
    for role in ("cashier", "auditor", "tariff_manager"):
        somebody = client(office, role)
        for path in (BATCH, f"{BATCH}/preview", f"{BATCHES}/{batch_id}/approve"):
            answer = somebody.post(path, json=wish())
            assert (answer.status_code, problem(answer)) == (403, "forbidden"), (role, path)


def test_what_is_no_batch_is_refused(operator: TestClient) -> None:
    for body in (wish(numbers=()), wish("explode"), wish(numbers=("A0",) * 5_001)):
        assert operator.post(BATCH, json=body).status_code == 422
    for batch_id in ("0-b99999", "99-b1", "x"):
        for action in ("approve", "reject"):
            path = f"{BATCHES}/{batch_id}/{action}"
            assert operator.post(path, json={"reason": "x"}).status_code == 404
        assert problem(operator.get(f"{BATCHES}/{batch_id}")) == "batch_unknown"
