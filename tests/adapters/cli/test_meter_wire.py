"""`wattledger meter read|recall|poll` over real sockets, to meters of another Modbus stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.commands import connect_meter, register_gateway
from tests.harness.desk import ACTOR, Desk, point
from tests.harness.terminal import Terminal
from tests.harness.umodbus_gateway import Twin, UmodbusGateway


@pytest.fixture
def nowhere(tmp_path: Path) -> Terminal:
    """A terminal without any ledger."""
    return Terminal(tmp_path, f"sqlite:///{tmp_path}/none.db")


@pytest.fixture
def gateway() -> Iterator[UmodbusGateway]:
    with UmodbusGateway(unit_1=Twin(), unit_2=Twin()) as listening:
        yield listening


def to(gateway: UmodbusGateway | str, unit: int = 1, model: str = "DDSY1352") -> tuple[str, ...]:
    url = gateway if isinstance(gateway, str) else gateway.address
    return ("--gateway", url, "--unit", str(unit), "--model", model, "--timeout", "0.2")


def test_a_meter_is_read_without_a_ledger(nowhere: Terminal, gateway: UmodbusGateway) -> None:
    gateway.units[1].show(total_wh=1_234_560)
    gateway.units[1].registers[0x201] = 2301
    body = nowhere.json("meter", "read", *to(gateway))
    assert (body["relay"], body["mode"], body["own_prepayment"]) == ("closed", "auto", False)
    assert body["registers"]["total"] == "1234.56"
    assert body["values"]["energy_total"] == {"value": "1234.56", "unit": "kWh"}
    assert body["values"]["voltage_a"] == {"value": "230.1", "unit": "V"}
    assert body["raw"]["0x0201"] == 2301
    assert len(body["raw"]) == 48
    assert not (nowhere.folder / "none.db").exists()
    assert "1234.56" in nowhere.run("meter", "read", *to(gateway)).stdout


def test_a_recall_tells_relay_and_mode(nowhere: Terminal, gateway: UmodbusGateway) -> None:
    gateway.units[1].force = (1, 1)
    body = nowhere.json("meter", "recall", *to(gateway))
    assert (body["relay"], body["mode"]) == ("open", "forced_open")


def test_a_meter_that_does_not_answer_is_not_available(
    nowhere: Terminal, gateway: UmodbusGateway
) -> None:
    assert nowhere.json("meter", "read", *to(gateway, 9), exit_code=6)["code"] == "no_answer"
    closed = "rtu+tcp://127.0.0.1:1"
    assert nowhere.json("meter", "recall", *to(closed), exit_code=6)["code"] == "offline"


def test_a_meter_that_answers_no_refuses(nowhere: Terminal, gateway: UmodbusGateway) -> None:
    del gateway.units[1].registers[0x201]
    assert nowhere.json("meter", "read", *to(gateway), exit_code=1)["code"] == "device_failure"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (to("tcp://127.0.0.1:502"), "gateway_invalid"),
        (to("rtu+tcp://127.0.0.1:1", model="X1"), "model_unknown"),
        ((*to("rtu+tcp://127.0.0.1:1"), "--timezone", "Mars/Olympus"), "timezone_unknown"),
    ],
)
def test_a_line_that_cannot_be_understood_is_no_line(
    nowhere: Terminal, words: tuple[str, ...], code: str
) -> None:
    assert nowhere.json("meter", "read", *words, exit_code=2)["code"] == code


def test_a_poll_charges_what_every_connected_meter_shows(
    tmp_path: Path, gateway: UmodbusGateway
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    desk = Desk.at(url)
    line = register_gateway.RegisterGateway(gateway_id="G1", url=gateway.address)
    register_gateway.handle(line, desk.ledger, ACTOR)
    for number in (1, 2, 3):
        desk.open(f"A{number}", point(f"M{number}"))
    for unit, model in ((1, "DDSY1352"), (2, "DTSY1352")):
        at = connect_meter.ConnectMeter(
            meter_no=f"M{unit}", gateway_id="G1", unit=unit, model=model
        )
        connect_meter.handle(at, desk.ledger, ACTOR)
    desk.close()
    gateway.units[1].show(total_wh=10_000)
    gateway.units[2].is_silent = True
    terminal = Terminal(tmp_path, url)
    body = terminal.json("meter", "poll", "--timeout", "0.2", exit_code=3)
    assert (body["meters"], body["accepted"]) == (2, 1)
    (unread,) = body["unread"]
    assert (unread["meter_no"], unread["code"]) == ("M2", "no_answer")
    shown = terminal.json("account", "show", "A1")
    assert shown["balance_minor"] < 0
    assert shown["service_points"][0]["registers"] == {"total": "10"}
