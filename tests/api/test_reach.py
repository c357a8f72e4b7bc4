"""Whose accounts somebody sees: every route keeps to sites, and a customer to one account."""

from collections import defaultdict

import pytest
from starlette.testclient import TestClient

from api.auth import scopes_by_route
from ledger.access import SCOPES
from ledger.commands import request_command
from ledger.commands.request_command import RequestCommand
from tests.harness.desk import ACTOR, point
from tests.harness.documents import FLAT
from tests.harness.office import Office, key, problem

EAST, WEST = "E1", "W1"


@pytest.fixture
def town(office: Office) -> Office:
    """An account at each of two sites, both cut, each with a reading that waits."""
    desk = office.desk
    for number, site, group in ((EAST, "East", "homes"), (WEST, "West", "shops")):
        meter = f"M{number}"
        desk.open(number, point(meter), site=site, group=group, name=f"name of {number}")
        desk.recharge(number, 10_00)
        desk.read(meter, "2026-01-02", 40_000)
        desk.read(meter, "2026-01-03", 1)
        command = RequestCommand(account_no=number, kind="recall", reason="a look")
        request_command.handle(command, desk.ledger, ACTOR)
    office.catch_up()
    return office


LISTS = (
    "/api/v1/accounts",
    "/api/v1/meters",
    "/api/v1/alerts",
    "/api/v1/quarantine",
    "/api/v1/commands",
    "/api/v1/groups",
    "/api/v1/sites",
)
OF_AN_ACCOUNT = ("", "/events", "/statement", "/usage", "/why")


def test_lists_hold_the_own_site_alone(town: Office) -> None:
    with town.client("operator", "East") as east, town.client("operator") as everybody:
        for path in LISTS:
            assert len(everybody.get(path).json()["items"]) == 2, path
            answer = east.get(path)
            assert len(answer.json()["items"]) == 1, path
            assert "W1" not in answer.text, path
            assert "West" not in answer.text, path
        assert east.get("/api/v1/totals").json()["accounts"] == 1
        readings = east.get("/api/v1/readings", params={"meter_no": "MW1"})
        assert readings.json()["items"] == []


@pytest.mark.parametrize("path", OF_AN_ACCOUNT)
def test_an_account_out_of_reach_is_as_if_it_did_not_exist(town: Office, path: str) -> None:
    with (
        town.client("operator", "East") as east,
        town.client("customer", account_no=EAST) as customer,
    ):
        for client in (east, customer):
            assert client.get(f"/api/v1/accounts/{EAST}{path}").status_code == 200
            answer = client.get(f"/api/v1/accounts/{WEST}{path}")
            assert (answer.status_code, problem(answer)) == (404, "account_unknown")
            nobody = client.get(f"/api/v1/accounts/nobody{path}")
            assert nobody.json()["detail"] == answer.json()["detail"].replace(WEST, "nobody")


def test_nothing_is_written_out_of_reach(town: Office) -> None:
    with town.client("admin", "East") as east:
        body = {"amount_minor": 1, "currency": "CNY", "channel": "cash", "channel_txn_id": "X"}
        paths = {
            "recharges": body,
            "adjustments": {"amount_minor": 1, "currency": "CNY", "reason": "x"},
            "group": {"group": "shops"},
            "commands": {"kind": "recall", "reason": "x"},
            "close": {"reason": "x"},
            "guarantee": {"reason": "x"},
            "dispute": {"reason": "x"},
        }
        before = town.desk.heads()
        for path, sent in paths.items():
            answer = east.post(f"/api/v1/accounts/{WEST}/{path}", json=sent, headers=key())
            assert answer.status_code == 404, path
        opened = east.post("/api/v1/accounts", json={"account_no": "N1", "site": "West"})
        assert problem(opened) == "forbidden"
        batch = {"readings": [{"meter_no": "MW1", "at": "2026-02-01T00:00:00Z", "registers": {}}]}
        batch["readings"][0]["registers"] = {"total": "99"}
        assert problem(east.post("/api/v1/readings", json=batch)) == "forbidden"
        gateway = {"gateway_id": "G1", "url": "rtu+tcp://h:1", "site": "West"}
        assert problem(east.post("/api/v1/gateways", json=gateway)) == "forbidden"
        assert problem(east.get("/api/v1/events")) == "forbidden"
        assert town.desk.heads() == before


def test_a_gateway_of_another_site_is_not_taken_over(town: Office) -> None:
    west = {"gateway_id": "G1", "url": "rtu+tcp://west:502", "site": "West"}
    with town.client("admin") as admin, town.client("engineer", "East") as east:
        assert admin.post("/api/v1/gateways", json=west).status_code == 201
        town.catch_up()
        taken = east.post("/api/v1/gateways", json={**west, "site": "East"})
        assert (taken.status_code, problem(taken)) == (403, "forbidden")
        (gateway,) = admin.get("/api/v1/gateways").json()["items"]
        assert (gateway["url"], gateway["site"]) == (west["url"], "West")


def test_a_draft_is_tried_on_accounts_in_reach_alone(town: Office) -> None:
    path = "/api/v1/tariffs/preview"
    with town.client("tariff_manager", "East") as east:
        everybody = east.post(path, json={"document": FLAT})
        assert (everybody.status_code, problem(everybody)) == (403, "forbidden")
        other = east.post(path, json={"document": FLAT, "accounts": [EAST, WEST]})
        assert (other.status_code, problem(other)) == (404, "account_unknown")
        own = east.post(path, json={"document": FLAT, "accounts": [EAST]})
        assert (own.status_code, own.json()["accounts"]) == (200, 1)


@pytest.mark.parametrize("number", ["%00", "0-1%00", "a%20b", "%F0%9F%98%80", "x" * 65])
def test_a_number_that_nobody_minted_is_no_fault(town: Office, number: str) -> None:
    with town.client("operator", "East") as east:
        for path, body in (
            (f"commands/{number}/cancel", {"reason": "x"}),
            (f"commands/{number}/retry", {}),
            (f"work-orders/{number}/settle", {"actual": "on"}),
        ):
            assert 400 <= east.post(f"/api/v1/{path}", json=body).status_code < 500, path


def test_a_command_or_receipt_out_of_reach_is_not_found(town: Office) -> None:
    with town.client("admin") as admin, town.client("admin", "East") as east:
        commands = admin.get("/api/v1/commands", params={"account_no": WEST}).json()["items"]
        path = f"/api/v1/commands/{commands[0]['command_id']}/cancel"
        answer = east.post(path, json={"reason": "x"})
        assert (answer.status_code, problem(answer)) == (404, "command_unknown")
        booked = _pay(admin)
        reversal = f"/api/v1/receipts/{booked['receipt_no']}/reversal"
        refused = east.post(reversal, json={"reason": "x"}, headers=key())
        assert (refused.status_code, problem(refused)) == (404, "receipt_unknown")
        assert WEST not in refused.text
        assert admin.post(reversal, json={"reason": "x"}, headers=key()).status_code == 201


def test_a_role_does_what_its_scopes_say(town: Office) -> None:
    with town.client("auditor") as auditor, town.client("customer", account_no=EAST) as customer:
        for client in (auditor, customer):
            sent = {"amount_minor": 1, "currency": "CNY", "channel": "c", "channel_txn_id": "1"}
            path = f"/api/v1/accounts/{EAST}/recharges"
            assert problem(client.post(path, json=sent, headers=key())) == "forbidden"
        assert auditor.get("/api/v1/events").status_code == 200
        assert problem(customer.get("/api/v1/events")) == "forbidden"
        assert problem(customer.get("/metrics")) == "forbidden"


def _pay(client: TestClient) -> dict[str, str]:
    body = {"amount_minor": 100, "currency": "CNY", "channel": "cash", "channel_txn_id": "P1"}
    answer = client.post(f"/api/v1/accounts/{WEST}/recharges", json=body, headers=key())
    assert answer.status_code == 201
    found: dict[str, str] = answer.json()
    return found


def test_every_route_asks_for_its_scope_and_no_other(embedded: Office) -> None:
    """From the routes themselves, so that a new one is asked as well."""
    embedded.desk.open("A1", point("M1"))
    embedded.catch_up()
    user = embedded.hire("admin")
    with embedded.client(None) as client:
        for route, scope in scopes_by_route(embedded.app):
            if not scope:
                continue
            methods, _, template = route.partition(" ")
            path = template.format_map(defaultdict(lambda: "1", account_no="A1"))
            method = methods.split(",")[0]
            assert client.request(method, path).status_code == 401, route
            token = embedded.users.issue_token(user.user_id, SCOPES - {scope})
            headers = {"Authorization": f"Bearer {token}", **key()}
            answer = client.request(method, path, headers=headers)
            assert answer.status_code == 403, (route, answer.text)
