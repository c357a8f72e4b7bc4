"""What the doctor says of settings, clocks and meters: warnings, with what to do."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert

from adapters.cli import doctor
from adapters.store.engine import create_engine
from adapters.views.tables import feed_positions
from adapters.wiring import now_us
from ledger.values import MICROS_PER_SECOND
from tests.commands.test_hours_of_a_register import BY_DAY_TYPE, by_hours
from tests.harness.desk import at_us
from tests.harness.postgres import Postgres, find_programs
from tests.harness.terminal import Terminal


def checks(terminal: Terminal) -> dict[str, Any]:
    """Status and detail by name; nothing of it has failed."""
    body = terminal.json("doctor")
    assert body["ok"]
    return {check["name"]: (check["status"], check["detail"]) for check in body["checks"]}


@pytest.mark.postgres
def test_a_server_as_installed_is_told_what_a_large_ledger_wants(
    tmp_path: Path, postgres_url: str
) -> None:
    found = checks(Terminal(tmp_path, postgres_url).prepare())
    status, detail = found["memory"]
    assert status == "warning"
    assert "shared_buffers is 64MB: a large ledger wants a quarter of the machine's" in detail
    assert "max_wal_size is 1GB: a large ledger wants 8GB to 16GB" in detail
    status, detail = found["durability"]
    assert status == "warning"
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert f"{name} is off: a crash can" in detail


@pytest.mark.postgres
def test_a_server_that_was_set_up_is_left_in_peace(tmp_path: Path) -> None:
    settings = {"shared_buffers": "160MB", "max_wal_size": "2GB"}
    with Postgres(durable=True, settings=settings, programs=find_programs()) as server:
        found = checks(Terminal(tmp_path, server.new_database()).prepare())
    assert found["memory"] == ("ok", "shared_buffers 160MB, max_wal_size 2GB")
    assert found["durability"] == ("ok", "on")
    assert found["server clock"][0] == "ok"


@pytest.mark.postgres
def test_a_clock_that_differs_from_the_server_s_is_a_warning(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(tmp_path, postgres_url).prepare()
    monkeypatch.setattr("adapters.cli.doctor.now_us", lambda: now_us() + 60 * MICROS_PER_SECOND)
    status, detail = checks(terminal)["server clock"]
    assert status == "warning"
    assert detail.startswith(("59.", "60."))


def test_a_kill_switch_that_is_off_is_not_forgotten(
    embedded: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks(embedded)["trips"] == ("ok", "sent")
    monkeypatch.setenv("LEDGER_TRIPS", "off")
    assert checks(embedded)["trips"] == ("warning", "LEDGER_TRIPS=off: nobody is cut")


def test_meters_that_nobody_tells_what_was_decided_are_a_warning(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks(terminal)["steering"] == ("ok", "no process has acted on meters yet")
    engine = create_engine(terminal.database_url)
    with engine.begin() as connection:
        row = {"shard": 0, "feed": "supply_policy", "position": 1}
        connection.execute(insert(feed_positions).values(row))
    engine.dispose()
    assert checks(terminal)["steering"] == ("ok", "1 events behind")
    monkeypatch.setattr(doctor, "LAG_MAX", 0)
    status, detail = checks(terminal)["steering"]
    assert status == "warning"
    assert "see LEDGER_DEVICES" in detail


def test_holidays_that_are_not_known_yet_are_a_warning(
    embedded: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks(embedded)["holidays"] == ("ok", "no policy or tariff asks a calendar")
    window = {"name": "holidays", "days": ["holiday"], "holidays": "cn", "through_year": 2026}
    document = {"policy_id": "standard", "no_cut_windows": [window]}
    file = embedded.folder / "policy.json"
    file.write_bytes(msgspec.json.encode(document))
    embedded.json("policy", "publish", str(file))
    monkeypatch.setattr("adapters.cli.doctor.now_us", lambda: at_us("2026-11-30"))
    assert checks(embedded)["holidays"] == ("ok", "policy standard: known through 2026")
    monkeypatch.setattr("adapters.cli.doctor.now_us", lambda: at_us("2026-12-03"))
    status, detail = checks(embedded)["holidays"]
    assert status == "warning"
    assert detail.endswith("; publish it again when those of 2027 are announced")


def test_a_year_that_a_tariff_cannot_charge_is_a_warning_in_time(
    embedded: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = by_hours(BY_DAY_TYPE)
    path = embedded.write("hours.json", msgspec.json.encode(document).decode())
    embedded.json("tariff", "publish", path)
    monkeypatch.setattr("adapters.cli.doctor.now_us", lambda: at_us("2026-11-30"))
    assert checks(embedded)["holidays"] == ("ok", "tariff hours: known through 2026")
    monkeypatch.setattr("adapters.cli.doctor.now_us", lambda: at_us("2026-12-03"))
    status, detail = checks(embedded)["holidays"]
    assert status == "warning"
    assert "readings of 2027 would wait" in detail
    assert "wattledger tariff add-holidays FILE" in detail
