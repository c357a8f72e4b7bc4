"""The poller: what meters show is charged once, with the registers that their tariff has."""

import time
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapters.devices.fleet import Fleet
from adapters.devices.poller import Poller
from adapters.devices.recording import Recording, Tally
from ledger.devices import MeterAddress, MeterState
from ledger.events.account import AccountCharged
from ledger.ports import LogUnavailableError
from ledger.store import Context
from ledger.values import instant, stream_id
from tests.harness.desk import Desk, point
from tests.harness.tampering import smuggle
from tests.harness.umodbus_gateway import QUICK, Twin, UmodbusGateway

WAIT_S = 60
POLLER = Context("poller")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.at(f"sqlite:///{tmp_path}/ledger.db")
    opened.open("A1", point("M1"))
    opened.open("A2", point("M2", "tou", initial={"peak": 0, "valley": 0}))
    yield opened
    opened.close()


@pytest.fixture
def fleet(desk: Desk) -> Iterator[Fleet]:
    with Fleet(desk.clock, ZoneInfo("Asia/Shanghai"), QUICK) as started:
        yield started


@pytest.fixture
def gateway() -> Iterator[UmodbusGateway]:
    with UmodbusGateway(unit_1=Twin(), unit_2=Twin(), unit_3=Twin()) as listening:
        yield listening


def meters(gateway: UmodbusGateway, *units: int) -> list[MeterAddress]:
    return [MeterAddress(f"M{unit}", gateway.address, unit, "DDSY1352") for unit in units]


def charged(desk: Desk, account_no: str) -> list[AccountCharged]:
    return [fact for fact in desk.facts(account_no) if isinstance(fact, AccountCharged)]


def state(desk: Desk, total_wh: int) -> MeterState:
    return MeterState(desk.clock(), {"total": total_wh, "peak": 1}, "closed", "auto")


def test_a_sweep_charges_every_account_by_the_registers_of_its_tariff(
    desk: Desk, fleet: Fleet, gateway: UmodbusGateway
) -> None:
    gateway.units[1].show(total_wh=10_000)
    gateway.units[2].registers[0x21A] = 200  # peak, in hundredths of a kWh
    gateway.units[2].registers[0x21E] = 100  # valley
    poller = Poller(fleet, desk.ledger, lambda: meters(gateway, 1, 2))
    assert poller.sweep_once() == (Tally(accepted=2), [])
    (one,), (two,) = charged(desk, "A1"), charged(desk, "A2")
    assert one.registers == {"total": (0, 10_000, 10_000)}
    assert two.registers == {"peak": (0, 2_000, 2_000), "valley": (0, 1_000, 1_000)}


def test_a_meter_of_no_account_is_looked_at_and_not_charged(
    desk: Desk, fleet: Fleet, gateway: UmodbusGateway
) -> None:
    shown: list[str] = []
    poller = Poller(
        fleet,
        desk.ledger,
        lambda: meters(gateway, 3),
        on_state=lambda meter, _: shown.append(meter.meter_no),
    )
    assert poller.sweep_once() == (Tally(unassigned=1), [])
    assert shown == ["M3"]


def test_a_silent_meter_is_named_and_the_others_are_charged(
    desk: Desk, fleet: Fleet, gateway: UmodbusGateway
) -> None:
    gateway.units[1].is_silent = True
    poller = Poller(fleet, desk.ledger, lambda: meters(gateway, 1, 2))
    tally, silent = poller.sweep_once()
    assert tally == Tally(accepted=1)
    assert [address.meter_no for address, _ in silent] == ["M1"]
    assert poller.last_seen_us == {"M2": desk.clock()}
    assert poller.status().silent == 1


def test_a_meter_that_moved_to_another_account_is_charged_there_after_a_sweep(
    desk: Desk, fleet: Fleet, gateway: UmodbusGateway
) -> None:
    poller = Poller(fleet, desk.ledger, lambda: meters(gateway, 1))
    assert poller.sweep_once()[0] == Tally(accepted=1)
    colleague = desk.colleague()  # Another process moves it, so nothing here was told.
    desk.clock.pass_by(hours=1)
    colleague.remove_at("A1", desk.clock(), {"total": 0})
    colleague.open("A3", point("M9"))
    moved = point("M1", "tou", initial={"peak": 0, "valley": 0})
    colleague.install("A3", moved | {"installed_at": instant(desk.clock())})
    colleague.close()
    tally = Tally()
    for _ in range(2):
        desk.clock.pass_by(hours=1)
        tally = poller.sweep_once()[0]
    assert tally == Tally(accepted=1)
    assert len(charged(desk, "A3")) >= 1


def test_an_observer_that_fails_stops_nothing(
    desk: Desk, fleet: Fleet, gateway: UmodbusGateway, caplog: pytest.LogCaptureFixture
) -> None:
    def look(_meter: MeterAddress, _state: MeterState) -> None:
        raise RuntimeError("no")

    poller = Poller(fleet, desk.ledger, lambda: meters(gateway, 1, 2), on_state=look)
    assert poller.sweep_once()[0] == Tally(accepted=2)
    assert "could not be looked at" in caplog.text


def test_readings_wait_while_the_ledger_cannot_record(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording(desk.ledger, POLLER)
    address = MeterAddress("M1", "rtu+tcp://127.0.0.1:1", 1, "DDSY1352")

    def unavailable(*_given: object, **_named: object) -> object:
        raise LogUnavailableError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(desk.ledger, "submit", unavailable)
        assert recording.take([(address, state(desk, 1_000))]) == Tally()
    assert recording.held == 1
    desk.clock.pass_by(hours=1)
    assert recording.take([(address, state(desk, 2_000))]) == Tally(accepted=2)
    assert recording.held == 0


def test_an_account_that_cannot_be_read_keeps_no_other_from_being_charged(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3, 8):
        desk.open(f"A{number}", point(f"M{number}"))
    recording = Recording(desk.ledger, POLLER)
    smuggle(desk, 0, stream_id("account", "A4"), "account.promised.v1", "{}")
    for _ in range(2):
        desk.clock.pass_by(hours=1)
        shown = state(desk, 1_000)
        addresses = [MeterAddress(f"M{n}", "G1", n, "DDSY1352") for n in (1, 3, 4, 5, 6, 7)]
        done = recording.take([(address, shown) for address in addresses])
        assert done == Tally(accepted=5, broken=1)
    assert recording.held == 0
    told = [each.getMessage() for each in caplog.records if "recorded" in each.getMessage()]
    assert told == ["The reading of M4 could not be recorded."]


def test_it_reads_again_and_again_until_it_is_stopped(
    desk: Desk, fleet: Fleet, gateway: UmodbusGateway
) -> None:
    twin = gateway.units[1]
    shown: list[int] = []

    def look(_meter: MeterAddress, seen: MeterState) -> None:
        shown.append(seen.registers["total"])
        desk.clock.pass_by(minutes=1)
        twin.show(total_wh=1_000 * len(shown))

    poller = Poller(
        fleet, desk.ledger, lambda: meters(gateway, 1), interval_s=0.05, on_state=look
    ).start()
    deadline = time.monotonic() + WAIT_S
    while len(shown) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    poller.stop()
    assert shown[:3] == [0, 1_000, 2_000]
    assert len(charged(desk, "A1")) >= 3
    assert poller.status().tally.accepted == len(shown)
