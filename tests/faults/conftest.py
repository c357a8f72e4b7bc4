from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.devices.park.meter import SimulatedMeter
from tests.harness.chaos_proxy import ChaosProxy
from tests.harness.faulty_line import Line
from tests.harness.ledgers import Opened, open_ledger
from tests.harness.postgres import Postgres


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[Opened]:
    """A ledger with a tariff and a policy, in one shard."""
    with open_ledger(database_url, tmp_path) as opened:
        opened.publish()
        yield opened


@pytest.fixture
def line(postgres: Postgres, postgres_url: str, tmp_path: Path) -> Iterator[Line]:
    with ChaosProxy(postgres.port) as proxy:
        far = open_ledger(proxy.route(postgres_url), tmp_path)
        near = open_ledger(postgres_url, tmp_path)
        with far as beyond, near as beside:
            beside.publish()
            beside.open("A1", "M1")
            yield Line(proxy, beyond, beside)
            proxy.heal()


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Meters that were told to open by force, each time."""
    told: list[str] = []
    force = SimulatedMeter.force

    def noted(meter: SimulatedMeter, *, is_on: bool, is_open: bool) -> None:
        if is_on and is_open:
            told.append(meter.meter_no)
        force(meter, is_on=is_on, is_open=is_open)

    monkeypatch.setattr(SimulatedMeter, "force", noted)
    return told
