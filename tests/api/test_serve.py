"""The served application as an operator meets it: a real process, real sockets, a real stop."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.harness.office import key
from tests.harness.served import Served, served
from tests.harness.terminal import Terminal

STOP_MAX_S = 10
WAIT_S = 60


@pytest.fixture
def terminal(tmp_path: Path, database_url: str) -> Terminal:
    """A ledger with an account, on each store in turn."""
    terminal = Terminal(tmp_path, database_url).prepare()
    terminal.open("A1", "M1")
    terminal.run("user", "add", "anna", "--role", "admin")
    return terminal


@pytest.fixture
def client(terminal: Terminal) -> Iterator[tuple[Served, httpx2.Client]]:
    """The served application, and an administrator's client."""
    token = terminal.json("user", "token", "anna")["token"]
    headers = {"Authorization": f"Bearer {token}"}
    with served(terminal) as server, httpx2.Client(base_url=server.url, headers=headers) as client:
        yield server, client


def test_a_payment_is_seen_on_the_stream_and_read_behind_it(
    client: tuple[Served, httpx2.Client],
) -> None:
    server, anna = client
    messages: list[tuple[str, str, dict[str, object]]] = []
    is_ready, has_paid = threading.Event(), threading.Event()

    def listen() -> None:
        with anna.stream(
            "GET", "/api/v1/stream", params={"views": "accounts"}, timeout=WAIT_S
        ) as told:
            event = id_ = ""
            for line in told.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "id":
                    id_ = value
                elif name == "data":
                    messages.append((event, id_, json.loads(value)))
                    is_ready.set()
                    if event == "accounts":
                        has_paid.set()

    listener = threading.Thread(target=listen)
    listener.start()
    assert is_ready.wait(WAIT_S)
    body = {"amount_minor": 5_00, "currency": "CNY", "channel": "cash", "channel_txn_id": "T1"}
    paid = anna.post("/api/v1/accounts/A1/recharges", json=body, headers=key())
    assert paid.status_code == 201
    after = ",".join(f"{shard}:{at}" for shard, at in paid.json()["positions"].items())
    shown = anna.get("/api/v1/accounts/A1", params={"after": after}).json()
    assert shown["balance_minor"] == 5_00
    assert has_paid.wait(WAIT_S)
    assert server.stop() < STOP_MAX_S  # The stream ended, though its listener would go on.
    assert server.process.returncode == 0
    listener.join(WAIT_S)
    assert not listener.is_alive()
    event, id_, last = messages[-1]
    assert (messages[0][0], event) == ("ready", "accounts")
    assert id_
    rows = last["accounts"]
    assert isinstance(rows, list)
    assert [(row["account_no"], row["balance_minor"]) for row in rows] == [("A1", 5_00)]


def test_a_listener_who_comes_back_is_told_what_was_missed(
    client: tuple[Served, httpx2.Client],
) -> None:
    _, anna = client

    def first_message(**headers: str) -> dict[str, str]:
        with anna.stream("GET", "/api/v1/stream", headers=headers, timeout=WAIT_S) as told:
            assert told.headers["Content-Type"].startswith("text/event-stream")
            message: dict[str, str] = {}
            for line in told.iter_lines():
                name, _, value = line.partition(": ")
                message[name] = value
                if name == "data":
                    return message
        raise AssertionError("the stream ended")

    ready = first_message()
    assert ready["event"] == "ready"
    body = {"amount_minor": 5_00, "currency": "CNY", "channel": "cash", "channel_txn_id": "T1"}
    paid = anna.post("/api/v1/accounts/A1/recharges", json=body, headers=key())
    after = ",".join(f"{shard}:{at}" for shard, at in paid.json()["positions"].items())
    assert anna.get("/api/v1/accounts/A1", params={"after": after}).status_code == 200
    missed = first_message(**{"Last-Event-ID": ready["id"]})
    rows = json.loads(missed["data"])["accounts"]
    assert (missed["event"], [row["balance_minor"] for row in rows]) == ("accounts", [5_00])
    assert first_message(**{"Last-Event-ID": missed["id"]})["event"] == "ready"
    assert first_message(**{"Last-Event-ID": "nonsense"})["event"] == "ready"


def test_the_log_says_who_asked_what_and_nothing_else(terminal: Terminal) -> None:
    token = terminal.json("user", "token", "anna")["token"]
    body = {"account_no": "A2", "name": "Qin Secret", "phone": "13800000000"}
    with served(terminal) as server:
        headers = {"Authorization": f"Bearer {token}", "X-Request-Id": "mine-1"}
        answer = httpx2.post(f"{server.url}/api/v1/accounts", json=body, headers=headers)
        assert answer.status_code == 201
        server.process.terminate()
        printed, talked = server.process.communicate(timeout=WAIT_S)
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("request_id") == "mine-1"]
    assert (line["actor"], line["route"], line["status"]) == ("user:anna", "/api/v1/accounts", 201)
    for secret in ("Qin Secret", "13800000000", token):
        assert secret not in printed + talked


def test_an_unknown_setting_is_an_error_at_the_start(terminal: Terminal) -> None:
    process = terminal.start("serve", "--json", LEDGER_PORTT="1")
    printed, _ = process.communicate(timeout=WAIT_S)
    assert process.returncode == 2
    assert json.loads(printed)["detail"].startswith("unknown setting LEDGER_PORTT")
