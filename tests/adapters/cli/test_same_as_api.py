"""What `--json` prints is the API's body, unchanged."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.testclient import TestClient

from tests.harness.busy_day import busy_day
from tests.harness.desk import Desk
from tests.harness.office import Office, key
from tests.harness.terminal import Terminal


class Doors(NamedTuple):
    """Both ways into one ledger."""

    terminal: Terminal
    client: TestClient
    office: Office


@pytest.fixture
def doors(database_url: str, tmp_path: Path) -> Iterator[Doors]:
    desk = Desk.at(database_url, shards=3)
    office = Office.of(desk, tmp_path)
    busy_day(desk)
    office.catch_up()
    with office.client() as client:
        yield Doors(Terminal(tmp_path, database_url), client, office)
    desk.close()


ANSWERED = {
    "account show A1": "/accounts/A1",
    "account list": "/accounts",
    "account list --limit 2": "/accounts?limit=2",
    "account list --alert none --supply on": "/accounts?alert_level=none&supply=on",
    "account list --group shops": "/accounts?group=shops",
    "account list --find w1": "/accounts?q=w1",
    "why A2": "/accounts/A2/why",
    "readings quarantine list": "/quarantine",
    "readings quarantine list --code backward --limit 1": "/quarantine?code=backward&limit=1",
    "command list": "/commands?limit=50",
    "command list --account A2 --status open": "/commands?account_no=A2&status=open&limit=50",
    "command orders": "/work-orders?status=open&limit=50",
}
REFUSED = {
    "account show A9": "/accounts/A9",
    "why A9": "/accounts/A9/why",
    "explain A1 1": "/accounts/A1/explain/1",
    "account list --cursor x": "/accounts?cursor=x",
}


def test_a_question_has_one_answer(doors: Doors) -> None:
    told = {words: doors.terminal.json(*words.split()) for words in ANSWERED}
    answered = {
        words: doors.client.get(f"/api/v1{path}").json() for words, path in ANSWERED.items()
    }
    assert told == answered


def test_a_question_without_an_answer_has_one_problem(doors: Doors) -> None:
    for words, path in REFUSED.items():
        problem = doors.client.get(f"/api/v1{path}").json()
        exit_code = 4 if problem["status"] == 404 else 1
        told = doors.terminal.json(*words.split(), exit_code=exit_code)
        for each in (problem, told):
            assert each.pop("detail")  # Each door in its own words.
        assert told == problem


def test_pages_of_the_terminal_go_on_where_those_of_the_api_ended(doors: Doors) -> None:
    first = doors.client.get("/api/v1/accounts?limit=2").json()
    rest = doors.client.get(f"/api/v1/accounts?cursor={first['cursor']}").json()
    assert rest["items"]
    assert doors.terminal.json("account", "list", "--cursor", first["cursor"]) == rest
    last = first["items"][-1]["account_no"]
    assert doors.terminal.json("account", "list", "--after", last) == rest


def test_events_and_derivations_are_the_same(doors: Doors) -> None:
    events = doors.client.get("/api/v1/accounts/A1/events?limit=500").json()["items"]
    assert doors.terminal.lines("events", "--account", "A1") == events
    charged = [each for each in events if each["topic"] == "account.charged.v1"]
    for position in (charged[0]["position"], charged[-1]["position"]):
        asked = doors.client.get(f"/api/v1/accounts/A1/explain/{position}").json()
        assert doors.terminal.json("explain", "A1", str(position)) == asked


def test_a_payment_booked_at_the_terminal_is_a_repeat_for_the_api(doors: Doors) -> None:
    paid = ("--channel", "cash", "--txn", "X1")
    booked = doors.terminal.json("recharge", "A1", "5", *paid)
    body = {"amount_minor": 500, "currency": "CNY", "channel": "cash", "channel_txn_id": "X1"}
    again = doors.client.post("/api/v1/accounts/A1/recharges", json=body, headers=key())
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json() == booked
    other = doors.terminal.json("recharge", "A1", "6", *paid, exit_code=5)
    body["amount_minor"] = 600
    refused = doors.client.post("/api/v1/accounts/A1/recharges", json=body, headers=key())
    assert refused.json() == other
