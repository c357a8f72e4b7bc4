"""The demonstration as anybody starts it: a process, its page, real frames, and Ctrl-C."""

import json
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from adapters.devices.park.frames import sealed
from tests.e2e.conftest import METERS, Demo, Json
from tests.harness.terminal import PROGRAM, ROOT

WAIT_S = 120
RESTORE_S = 10
PATIENCE = 3
"""Times are of a quiet machine; a busy one may take so much longer before a test fails."""


def supply(account: Json) -> tuple[str, str]:
    shown = account["service_points"][0]["supply"]
    return shown["intended"], shown["actual"]


def is_closed(client: httpx.Client, account: Json) -> bool:
    """The relay as the meter itself says it, over its wire."""
    line = client.get(f"/api/v1/meters/{account['service_points'][0]['meter_no']}").json()["line"]
    gateways = client.get("/api/v1/gateways").json()["items"]
    [url] = [each["url"] for each in gateways if each["gateway_id"] == line["gateway_id"]]
    host, _, port = url.removeprefix("rtu+tcp://").rpartition(":")
    with socket.create_connection((host, int(port)), 5) as wire:
        wire.sendall(sealed(struct.pack(">BBHH", line["unit"], 3, 0x0224, 1)))
        status: int = struct.unpack(">H", wire.recv(7)[3:5])[0]
    return bool(status & 0x2000)


def until(look: Callable[[], Any], wait_s: float = WAIT_S) -> Any:  # noqa: ANN401 - what was looked for
    """What a look finds, once it finds something."""
    end_s = time.monotonic() + wait_s
    while not (found := look()):
        assert time.monotonic() < end_s, "it did not come to pass in time"
        time.sleep(0.05)
    return found


def test_a_customer_is_drained_cut_off_pays_and_is_supplied_again(demo: Demo) -> None:
    with demo.client() as client:

        def account(number: str) -> Json:
            answer = client.get(f"/api/v1/accounts/{number}")
            assert answer.status_code == 200, answer.text
            body: Json = answer.json()
            return body

        def commands(number: str) -> list[Json]:
            items: list[Json] = client.get("/api/v1/commands?limit=100").json()["items"]
            return [item for item in items if item["account_no"] == number]

        everybody = client.get("/api/v1/accounts?limit=100").json()["items"]
        assert len(everybody) == METERS
        hasty = min(
            (each for each in everybody if each["balance_minor"] > 0),
            key=lambda each: each["balance_minor"],
        )["account_no"]
        assert supply(account(hasty))[0] == "on"
        assert is_closed(client, account(hasty))

        until(lambda: supply(account(hasty)) == ("off", "off"))
        [trip] = [each for each in commands(hasty) if each["kind"] == "trip"]
        assert trip["status"] == "verified"
        assert account(hasty)["balance_minor"] <= 0
        assert not is_closed(client, account(hasty))

        paid = client.post(
            f"/api/v1/accounts/{hasty}/recharges",
            json={
                "amount_minor": 50_00,
                "currency": "CNY",
                "channel": "cash",
                "channel_txn_id": "COUNTER-1",
            },
            headers={"Idempotency-Key": "counter-1"},
        )
        paid_at_s = time.monotonic()
        assert paid.status_code == 201, paid.text
        until(lambda: supply(account(hasty)) == ("on", "on"), RESTORE_S * PATIENCE)
        print(f"supplied again {time.monotonic() - paid_at_s:.2f} s after the payment")
        assert is_closed(client, account(hasty))
        assert {each["status"] for each in commands(hasty)} == {"verified"}
        balance = account(hasty)["balance_minor"]
        until(lambda: account(hasty)["balance_minor"] < balance)


def test_ctrl_c_ends_everything_and_leaves_nothing(demo: Demo) -> None:
    assert {"operator", "cashier", "auditor", "admin", "customer"} <= set(demo.ready["links"])
    assert demo.ready["gateways"] >= 2
    assert demo.ready["readings"] >= METERS * 150
    place = httpx.URL(demo.ready["url"])
    with demo.client() as client:
        assert client.get("/api/v1/accounts").status_code == 200
    demo.process.send_signal(signal.SIGINT)
    printed, talked = demo.process.communicate(timeout=WAIT_S)
    assert demo.process.returncode == 0
    assert printed == "", "data alone goes to stdout"
    assert "request" not in talked
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.process.pid, 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((place.host, place.port or 0), 1)
    assert list(demo.folder.iterdir()) == []


def test_a_port_that_is_busy_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [*PROGRAM, "demo", "--port", port, "--json"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "port_busy"


def test_a_fault_that_no_meter_has_is_told_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "demo", "--port", "0", "--fault", "dizzy=1", "--json"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["code"] == "fault_unknown"
