"""What a monitor is told of buses and poller is what happened on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.devices.figures import device_figures
from adapters.devices.fleet import Fleet
from adapters.devices.poller import Poller
from api.metrics import Metrics
from ledger.devices import MeterAddress
from tests.harness.desk import Desk, point
from tests.harness.umodbus_gateway import Twin, UmodbusGateway


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk.at(f"sqlite:///{tmp_path}/ledger.db")
    opened.open("A1", point("M1"))
    yield opened
    opened.close()


def test_a_monitor_reads_what_buses_and_poller_did(desk: Desk, fleet: Fleet) -> None:
    with UmodbusGateway(unit_1=Twin(), unit_2=Twin(is_silent=True)) as gateway:
        meters = [MeterAddress(f"M{n}", gateway.address, n, "DDSY1352") for n in (1, 2)]
        poller = Poller(fleet, desk.ledger, lambda: meters)
        poller.sweep_once()
        text = Metrics().text({"front": 3}, device_figures(fleet.status(), poller.status()))
    told = {
        (sample.name.removeprefix("wattledger_"), *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }
    at = gateway.address
    assert told["feed_lag_events", "front"] == 3
    assert told["bus_connected", at] == 1
    assert told["bus_outcomes", "answered", at] == 1
    assert told["bus_outcomes", at, "unanswered"] == 1
    assert told["poller_meters",] == 2
    assert told["poller_silent",] == 1
    assert told["poller_readings", "accepted"] == 1
