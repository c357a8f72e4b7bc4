"""`wattledger meter simulate` as a process of its own, asked over its sockets."""

import json
import signal
import socket
from collections.abc import Iterator
from subprocess import Popen
from typing import Any

import pytest

from adapters.devices.park.frames import sealed
from tests.harness.ports import held_port
from tests.harness.terminal import Terminal

WAIT_S = 60


@pytest.fixture
def program(embedded: Terminal) -> Iterator[Popen[str]]:
    faults = ("--fault", "silent=1", "--fault", "near_wrap=0.5")
    with embedded.start(
        "meter", "simulate", "--gateways", "2", "--meters", "4",
        "--port", "0", *faults, "--json",
    ) as process:  # fmt: skip
        yield process
        process.kill()


def test_the_park_says_where_its_meters_are_and_ends_on_ctrl_c(program: Popen[str]) -> None:
    assert program.stdout is not None
    lines: list[dict[str, Any]] = [json.loads(program.stdout.readline()) for _ in range(4)]
    assert [line["unit"] for line in lines] == [1, 2, 1, 2]
    assert len({line["gateway"] for line in lines}) == 2
    assert all("silent" in line["faults"] for line in lines)
    host, _, port = lines[0]["gateway"].removeprefix("rtu+tcp://").rpartition(":")
    with socket.create_connection((host, int(port)), WAIT_S) as line:
        line.settimeout(0.3)
        line.sendall(sealed(bytes.fromhex("010302000001")))
        with pytest.raises(TimeoutError):
            line.recv(16)
    program.send_signal(signal.SIGINT)
    assert program.wait(WAIT_S) == 0


def test_meters_answer_on_the_ports_that_were_asked_for(embedded: Terminal) -> None:
    with (
        held_port() as port,
        embedded.start("meter", "simulate", "--port", str(port), "--meters", "1") as process,
    ):
        assert process.stdout is not None
        told = process.stdout.readline()
        assert f"--gateway rtu+tcp://127.0.0.1:{port} --unit 1 --model DDSY1352" in told
        with socket.create_connection(("127.0.0.1", port), WAIT_S) as line:
            line.sendall(sealed(bytes.fromhex("010302000001")))
            assert line.recv(16) == sealed(bytes.fromhex("0103020007"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0


def test_each_circuit_of_a_box_is_a_meter_with_a_number_of_its_own(embedded: Terminal) -> None:
    words = ("--model", "ADF300L", "--meters", "3", "--port", "0", "--json")
    with embedded.start("meter", "simulate", *words) as process:
        assert process.stdout is not None
        circuits = [json.loads(process.stdout.readline()) for _ in range(3)]
        assert [(each["unit"], each["model"]) for each in circuits] == [
            (unit, "ADF300L") for unit in (1, 2, 3)
        ]
        at = ("--gateway", circuits[2]["gateway"], "--model", "ADF300L", "--unit")
        body = embedded.json("meter", "read", *at, "3")
        assert (body["relay"], body["flags"]) == ("closed", [])
        assert embedded.json("meter", "recall", *at, "4", exit_code=6)["code"] == "no_answer"
        embedded.run("meter", "read", *at, "0", exit_code=2)
        embedded.run("meter", "read", *at, "248", exit_code=2)
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_S) == 0


def test_a_port_that_is_taken_is_told_and_not_a_fault_of_ours(embedded: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = embedded.json("meter", "simulate", "--port", port, "--meters", "1", exit_code=6)
        assert told["code"] == "port_taken"
        assert port in told["detail"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--fault", "dizzy=0.1"), "fault_unknown"),
        (("--fault", "silent=2"), "share_invalid"),
        (("--fault", "silent=x"), "share_invalid"),
        (("--fault", "silent=nan"), "share_invalid"),
        (("--model", "DDS1"), "model_unknown"),
        (("--meters", "300"), "too_many_meters"),
        (("--gateways", "9", "--port", "65530"), "port_invalid"),
    ],
)
def test_what_no_park_can_be_is_told(embedded: Terminal, words: tuple[str, ...], code: str) -> None:
    assert embedded.json("meter", "simulate", *words, exit_code=2)["code"] == code
