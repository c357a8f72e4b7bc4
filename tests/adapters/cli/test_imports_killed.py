"""An import that ends in the middle is run again and goes on where it ended."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from adapters.store.engine import create_engine
from adapters.store.tables import log_heads
from tests.harness.import_files import (
    RECHARGES,
    account_rows,
    balances,
    counts,
    reading_rows,
    refused,
)
from tests.harness.terminal import Terminal

WAIT_S = 60


@contextmanager
def killed_midway(terminal: Terminal, position: int, *words: str) -> Iterator[None]:
    """Start a command and kill it without warning as soon as the log has reached a position."""
    engine = create_engine(terminal.database_url)
    process = terminal.start(*words)
    try:
        until = time.monotonic() + WAIT_S
        while _head(engine) < position:
            assert process.poll() is None, f"it ended too early: {process.communicate()}"
            assert time.monotonic() < until
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        yield
    finally:
        process.kill()
        process.communicate()
        engine.dispose()


def _head(engine: Any) -> int:  # noqa: ANN401 - an engine
    with engine.execution_options(read_only=True).connect() as connection:
        return int(connection.scalar(select(func.sum(log_heads.c.position))))


@pytest.fixture
def uninterrupted(tmp_path: Path) -> Terminal:
    """A second ledger, on which nothing is killed."""
    folder = tmp_path / "uninterrupted"
    folder.mkdir()
    return Terminal(folder, f"sqlite:///{folder / 'ledger.db'}").prepare()


def test_readings_that_were_killed_midway_go_on_where_they_ended(
    terminal: Terminal, uninterrupted: Terminal
) -> None:
    meters, days = 120, 140
    accounts = terminal.write("a.csv", account_rows(meters))
    readings = terminal.write("r.csv", reading_rows(meters, days) + "M1,noon,1\n")
    for each in (terminal, uninterrupted):
        each.run("account", "import", accounts)
    with killed_midway(terminal, 5_500, "readings", "import", readings):
        pass
    body = terminal.json("readings", "import", readings, exit_code=3)
    accepted, duplicate, *rest = counts(body)
    assert (accepted + duplicate, rest) == (meters * days, [1, 0])
    assert accepted > 0
    assert duplicate >= 5_000
    assert refused(terminal, "r.csv") == [(meters * days + 2, "malformed")]
    whole = uninterrupted.json("readings", "import", readings, exit_code=3)
    assert counts(whole) == (meters * days, 0, 1, 0)
    assert balances(terminal) == balances(uninterrupted)
    terminal.run("verify")


def test_payments_that_were_killed_midway_are_each_booked_once(
    terminal: Terminal, uninterrupted: Terminal
) -> None:
    accounts = terminal.write("a.csv", account_rows(50))
    payments = terminal.write(
        "p.csv", RECHARGES + "".join(f"A{n % 50},bank,T{n},{n}.25,\n" for n in range(2_500))
    )
    for each in (terminal, uninterrupted):
        each.run("account", "import", accounts)
    with killed_midway(terminal, 1_500, "recharge", "import", payments):
        pass
    body = terminal.json("recharge", "import", payments)
    assert body["accepted"] + body["duplicate"] == 2_500
    assert body["accepted"] > 0
    assert body["duplicate"] > 0
    uninterrupted.run("recharge", "import", payments)
    assert balances(terminal) == balances(uninterrupted)
    terminal.run("verify")


def test_accounts_that_were_killed_midway_are_each_opened_once(terminal: Terminal) -> None:
    rows = account_rows(1_500) + "A7,electricity,flat,N7,2026-01-01T00:00:00,0\n"
    accounts = terminal.write("a.csv", rows)
    with killed_midway(terminal, 1_000, "account", "import", accounts):
        pass
    body = terminal.json("account", "import", accounts)
    assert body["accepted"] + body["duplicate"] == 1_501
    assert body["accepted"] > 0
    assert body["duplicate"] > 0
    found = balances(terminal)
    assert len(found) == 1_500
    assert [meter for meter, *_ in found["A7"][1]] == ["M7", "N7"]


def test_two_processes_may_import_one_file_at_once(
    terminal: Terminal, uninterrupted: Terminal
) -> None:
    meters, days = 100, 60
    accounts = terminal.write("a.csv", account_rows(meters))
    readings = terminal.write("r.csv", reading_rows(meters, days) + "M1,noon,1\n")
    for each in (terminal, uninterrupted):
        each.run("account", "import", accounts)
    both = [terminal.start("readings", "import", readings, "--json") for _ in range(2)]
    bodies = [json.loads(process.communicate(timeout=WAIT_S)[0]) for process in both]
    assert [process.returncode for process in both] == [3, 3]
    for body in bodies:
        accepted, duplicate, *rest = counts(body)
        assert (accepted + duplicate, rest) == (meters * days, [1, 0])
    assert sum(body["accepted"] for body in bodies) == meters * days
    assert refused(terminal, "r.csv") == [(meters * days + 2, "malformed")]
    assert {path.name for path in terminal.folder.glob("r.csv*")} == {
        "r.csv",
        "r.csv.refused.csv",
    }
    uninterrupted.run("readings", "import", readings, exit_code=3)
    assert balances(terminal) == balances(uninterrupted)
    terminal.run("verify")


def test_an_import_that_is_interrupted_says_how_to_go_on(embedded: Terminal) -> None:
    embedded.run("account", "import", embedded.write("a.csv", account_rows(100)))
    readings = embedded.write("r.csv", reading_rows(100, 200))
    engine = create_engine(embedded.database_url)
    process = embedded.start("readings", "import", readings)
    while _head(engine) < 5_000:
        assert process.poll() is None, f"it ended too early: {process.communicate()}"
        time.sleep(0.002)
    engine.dispose()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130
    assert stdout == ""
    assert "run the command again to go on" in stderr
    assert "Traceback" not in stderr
    body = embedded.json("readings", "import", readings)
    assert body["accepted"] + body["duplicate"] == 20_000
    assert body["duplicate"] >= 5_000


def test_an_import_that_can_record_no_more_ends_with_6_and_goes_on_later(
    embedded: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.run("account", "import", embedded.write("a.csv", account_rows(10)))
    readings = embedded.write("r.csv", reading_rows(10, 5) + "M1,noon,1\n")
    pragmas = ("PRAGMA busy_timeout=50", "PRAGMA synchronous=FULL", "PRAGMA recursive_triggers=ON")
    monkeypatch.setattr("adapters.store.engine.SQLITE_PRAGMAS", pragmas)
    path = make_url(embedded.database_url).database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = embedded.run("readings", "import", readings, "--json", exit_code=6)
    assert json.loads(result.stdout)["code"] == "unavailable"
    assert "Stopped; 0 rows are recorded. Run the command again" in result.stderr
    body = embedded.json("readings", "import", readings, exit_code=3)
    assert counts(body) == (50, 0, 1, 0)
    assert refused(embedded, "r.csv") == [(52, "malformed")]
