"""A disk that is full or may not be written: exit 6, nothing half-written, and on it goes later."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from adapters.store.engine import SQLITE_PRAGMAS
from tests.harness.import_files import account_rows, counts, reading_rows, refused
from tests.harness.terminal import PROGRAM, Terminal

METERS, DAYS = 60, 60
PAGES_MAX = 700
"""Of 4 KiB: an import comes to a part of its rows."""


@pytest.fixture
def read(embedded: Terminal) -> Terminal:
    """Accounts that are waiting for a file of readings."""
    embedded.run("account", "import", embedded.write("a.csv", account_rows(METERS)))
    embedded.write("r.csv", reading_rows(METERS, DAYS) + "M1,noon,1\n")
    return embedded


def test_an_import_into_a_full_database_goes_on_when_there_is_room(
    read: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = str(read.folder / "r.csv")
    read.write("r.csv.refused.csv", "of an earlier run\n")
    with monkeypatch.context() as limit:
        pragmas = (*SQLITE_PRAGMAS, f"PRAGMA max_page_count={PAGES_MAX}")
        limit.setattr("adapters.store.engine.SQLITE_PRAGMAS", pragmas)
        result = read.run("readings", "import", readings, "--json", exit_code=6)
    problem = json.loads(result.stdout)
    assert (problem["code"], problem["status"]) == ("unavailable", 503)
    assert "full" in problem["detail"]
    assert "Run the command again to go on." in result.stderr
    assert read.read("r.csv.refused.csv") == "of an earlier run\n"
    body = read.json("readings", "import", readings, exit_code=3)
    accepted, duplicate, *rest = counts(body)
    assert (accepted + duplicate, rest) == (METERS * DAYS, [1, 0])
    assert accepted > 0
    assert refused(read, "r.csv") == [(METERS * DAYS + 2, "malformed")]
    assert len(read.lines("events", "--topic", "account.charged")) == METERS * DAYS
    read.run("verify")


@pytest.mark.postgres
def test_a_report_that_has_no_room_ends_with_6_and_the_rows_are_kept(
    tmp_path: Path, postgres_url: str
) -> None:
    """The disk of the server has room, that of the file has not."""
    terminal = Terminal(tmp_path, postgres_url).prepare()
    terminal.run("account", "import", terminal.write("a.csv", account_rows(METERS)))
    readings = terminal.write("r.csv", reading_rows(METERS, 5) + "M1,noon,1\n" * 500)
    problem = json.loads(_limited(terminal, 4, "readings", "import", readings))
    assert (problem["code"], problem["status"]) == ("no_room", 503)
    assert "What was acknowledged is recorded" in problem["detail"]
    assert [path.name for path in tmp_path.glob("r.csv*")] == ["r.csv"]
    body = terminal.json("readings", "import", readings, exit_code=3)
    assert counts(body) == (0, METERS * 5, 500, 0)
    assert len(refused(terminal, "r.csv")) == 500


def _limited(terminal: Terminal, kibibytes: int, *words: str) -> str:
    """What a command prints that may make no file longer than this."""
    command = shlex.join([*PROGRAM, *words, "--json"])
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f {kibibytes}; exec {command}"],
        cwd=terminal.folder,
        env=terminal.process_environment,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 6, done
    return done.stdout


def test_an_init_without_room_leaves_no_part_of_a_ledger_behind(
    tmp_path: Path, sqlite_url: str
) -> None:
    blank = Terminal(tmp_path, sqlite_url)
    assert json.loads(_limited(blank, 100, "init"))["status"] == 503
    assert not list(blank.folder.glob("*.key*"))
    assert blank.json("init")["created"]
    assert blank.json("doctor")["ok"]


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    terminal = Terminal(tmp_path, f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")
    problem = terminal.json("init", exit_code=6)
    assert (problem["code"], problem["status"]) == ("unavailable", 503)
