"""The contract's own examples, sent in the order of a day: each does what its route says."""

from typing import Any

import pytest

from tests.harness.contract import Contract
from tests.harness.desk import moment
from tests.harness.documents import policy
from tests.harness.office import Office, key

A = "/api/v1/accounts/{account_no}"
DAY: tuple[tuple[str, str, int], ...] = (
    ("post", "/api/v1/tariffs", 201),
    ("post", "/api/v1/policies", 201),
    ("post", "/api/v1/accounts", 201),
    ("post", f"{A}/recharges", 201),
    ("post", f"{A}/adjustments", 201),
    ("post", f"{A}/attributes", 201),
    ("post", f"{A}/tariff", 201),
    ("post", f"{A}/policy", 201),
    ("post", f"{A}/group", 201),
    ("post", f"{A}/guarantee", 201),
    ("delete", f"{A}/guarantee", 200),
    ("post", f"{A}/dispute", 201),
    ("delete", f"{A}/dispute", 200),
    ("post", "/api/v1/gateways", 201),
    ("post", "/api/v1/meters/{meter_no}/line", 201),
    ("post", "/api/v1/readings", 200),
    ("post", "/api/v1/readings/{reading_id}/correction", 201),
    ("post", "/api/v1/readings/{reading_id}/cancellation", 201),
    ("post", f"{A}/commands", 202),
    ("post", "/api/v1/commands/{command_id}/cancel", 202),
    ("post", "/api/v1/commands/{command_id}/retry", 202),
    ("post", "/api/v1/commands/batch/preview", 200),
    ("post", "/api/v1/commands/batch", 202),
    ("post", "/api/v1/tariffs/preview", 200),
    ("post", "/api/v1/quarantine/recompute", 200),
    ("post", "/api/v1/receipts/{receipt_no}/reversal", 201),
)
NAMES = {
    "account_no": "A000001",
    "meter_no": "M000001",
    "reading_id": "M000001@2026-11-22T00:00:00Z",
    "tariff_id": "residential",
    "policy_id": "standard",
}


@pytest.fixture
def contract(office: Office) -> Contract:
    """The contract as it is served."""
    return Contract(office.app.openapi())


def test_the_examples_of_bodies_do_what_they_say_and_every_question_is_answered(
    office: Office, contract: Contract
) -> None:
    office.desk.clock.now_us = int(moment("2026-11-22T12:00").timestamp()) * 10**6
    office.desk.publish(policy())
    operations = dict(contract.operations())
    names = dict(NAMES)
    with office.client() as admin:
        for method, template, status in DAY:
            told = operations[f"{method} {template}"]
            body = told["requestBody"]["content"]["application/json"]["example"]
            path = template.format_map(names)
            answer = admin.request(method, path, json=body, headers=key())
            assert answer.status_code == status, (method, path, answer.text)
            got: dict[str, Any] = answer.json()
            minted = ("batch_id", "command_id", "receipt_no")
            names |= {name: got[name] for name in minted if name in got}
            office.catch_up()
        charged = admin.get(f"/api/v1/accounts/{names['account_no']}/events?type=account.charged")
        names["position"] = str(charged.json()["items"][0]["position"])
        asked = [route for route in operations if route.startswith("get ")]
        assert len(asked) > 25
        for route in asked:
            path = route.removeprefix("get ").format_map(names)
            if "/stream" in path:
                continue  # It never ends; see test_stream.
            params = {"meter_no": NAMES["meter_no"]} if path.endswith("/readings") else {}
            answer = admin.get(path, params=params)
            assert answer.status_code == 200, (path, answer.text)
