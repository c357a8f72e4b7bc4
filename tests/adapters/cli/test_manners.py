"""How the program speaks: documents, exit codes, streams, colours."""

import json
import re
import shlex
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text
from sqlalchemy.engine import make_url
from typer.main import get_command
from typer.testing import CliRunner

from adapters.cli import TOPICS, app
from adapters.cli.output import cell
from tests.harness.ports import held_port
from tests.harness.postgres import Postgres
from tests.harness.terminal import PROGRAM, Terminal

ESCAPE = "\x1b"
COMMAND = shlex.join(PROGRAM)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_command_says_what_it_does(topic: str) -> None:
    result = CliRunner().invoke(app, [topic, "--help"])
    assert result.exit_code == 0
    assert f"wattledger {topic}" in result.stdout or f"root {topic}" in result.stdout


def test_the_help_of_a_group_names_every_command_of_it() -> None:
    told = {}
    for name in TOPICS:
        command = get_command(app).commands[name]  # type: ignore[attr-defined]
        for each in getattr(command, "commands", ()):
            told[name, each] = re.search(rf"\b{each}\b", command.help)
    assert {key for key, found in told.items() if not found} == {
        ("recharge", "to"),
        ("command", "request"),
    }
    assert ("policy", "preview") in told


def test_no_word_of_a_help_is_taken_for_a_style() -> None:
    def helps(command: Any) -> Iterator[str]:  # noqa: ANN401 - a private type of the library
        yield from (param.help for param in command.params if getattr(param, "help", None))
        for inner in getattr(command, "commands", {}).values():
            yield from helps(inner)

    told = list(helps(get_command(app)))
    assert len(told) > 100
    assert [text for text in told if Text.from_markup(text).plain != text] == []


def test_data_goes_to_stdout_and_talk_to_stderr(embedded: Terminal) -> None:
    opened = embedded.run("account", "open", "A1")
    assert "A1" in opened.stdout
    assert "Next: wattledger recharge A1" in opened.stderr
    assert "Next" not in opened.stdout
    assert embedded.run("account", "show", "A1", "--quiet").stderr == ""
    assert embedded.run("account", "show", "A1", "--json").stderr == ""


def test_a_problem_is_a_document_with_a_stable_type(embedded: Terminal) -> None:
    problem = embedded.json("account", "show", "A9", exit_code=4)
    assert problem == {
        "type": "urn:wattledger:problem:account_unknown",
        "title": "Not found",
        "status": 404,
        "detail": "There is no account A9.",
        "code": "account_unknown",
    }
    told = embedded.run("account", "show", "A9", exit_code=4)
    assert told.stdout == ""
    assert "Error: There is no account A9." in told.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("recharge", "A1"),
        ("recharge", "A1", "5", "--channel", "cash"),
        ("recharge", "A1", "5", "--channel", "cash", "--txn", "T1", "--colour", "red"),
        ("acount", "show", "A1"),
        ("account", "shwo", "A1"),
        ("account", "list", "--limit", "0"),
        ("recharge", "A 1", "5", "--channel", "cash", "--txn", "T1"),
        ("recharge", "A1", "five", "--channel", "cash", "--txn", "T1"),
        ("recharge", "A1", "5", "--channel", "cash", "--txn", "T1", "--paid-at", "noon"),
        ("meter", "remove", "A1", "--final", "1", "--final", "total=2", "--reason", "x"),
        ("readings", "import", "missing.csv"),
        ("tariff", "lint", "missing.json"),
        ("events", "--after", "0:x"),
    ],
)
def test_what_cannot_be_understood_ends_with_2_and_a_document(
    embedded: Terminal, words: tuple[str, ...]
) -> None:
    problem = embedded.json(*words, exit_code=2)
    assert problem["type"] == f"urn:wattledger:problem:{problem['code']}"
    assert problem["status"] in {400, 422}
    assert problem["detail"]
    told = embedded.run(*words, exit_code=2)
    assert told.stdout == ""
    assert told.stderr


def test_a_setting_that_does_not_exist_is_named(
    embedded: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_DATABSE_URL", "sqlite:///x")
    problem = embedded.json("account", "list", exit_code=2)
    assert problem["code"] == "settings_invalid"
    assert "LEDGER_DATABSE_URL" in problem["detail"]


@pytest.mark.parametrize("url", ["mysql://root@localhost/x", "not a url", ""])
def test_a_database_of_another_kind_is_a_wrong_setting(tmp_path: Path, url: str) -> None:
    assert (
        Terminal(tmp_path, url).json("account", "list", exit_code=2)["code"] == "settings_invalid"
    )


def test_a_database_that_does_not_answer_is_unavailable(tmp_path: Path) -> None:
    with held_port() as port:
        url = f"postgresql://postgres:s3cret@127.0.0.1:{port}/nothing"
        result = Terminal(tmp_path, url).run("account", "show", "A1", "--json", exit_code=6)
    problem = json.loads(result.stdout)
    assert (problem["code"], problem["status"]) == ("unavailable", 503)
    assert "s3cret" not in result.output


@pytest.mark.postgres
def test_a_wrong_password_is_unavailable_and_is_not_shown(
    tmp_path: Path, durable_postgres: Postgres
) -> None:
    with closing(durable_postgres.connect()) as session, session.cursor() as cursor:
        cursor.execute("ALTER ROLE postgres PASSWORD 'r1ght'")
        session.commit()
        cursor.execute("SHOW hba_file")
        (path,) = cursor.fetchone() or ("",)
        Path(path).write_text("host all all 127.0.0.1/32 scram-sha-256\n", encoding="utf-8")
        cursor.execute("SELECT pg_reload_conf()")
    url = durable_postgres.url().replace("postgres@", "postgres:wr0ng@")
    result = Terminal(tmp_path, url).run("init", "--json", exit_code=6)
    assert "authentication failed" in json.loads(result.stdout)["detail"]
    assert "wr0ng" not in result.output
    right = Terminal(tmp_path, url.replace("wr0ng", "r1ght"))
    missing = right.json("account", "list", exit_code=6)
    assert missing["code"] == "not_initialised"
    assert "in postgresql://postgres:***@127.0.0.1" in missing["detail"]


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, f"sqlite:///{tmp_path / 'notes.txt'}")
    terminal.write("notes.txt", "These are notes, and not short ones. " * 200)
    problem = terminal.json("account", "show", "A1", exit_code=6)
    assert "not a database" in problem["detail"]


def test_a_locked_database_is_unavailable_and_nothing_was_recorded(
    embedded: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.run("account", "open", "A1")
    monkeypatch.setattr(
        "adapters.store.engine.SQLITE_PRAGMAS",
        ("PRAGMA busy_timeout=50", "PRAGMA synchronous=FULL", "PRAGMA recursive_triggers=ON"),
    )
    other = sqlite3.connect(make_url(embedded.database_url).database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    payment = ("recharge", "A1", "5", "--channel", "cash", "--txn", "T1")
    problem = embedded.json(*payment, exit_code=6)
    other.execute("ROLLBACK")
    other.close()
    assert problem["code"] == "unavailable"
    assert embedded.json(*payment)["balance_minor"] == 500


def test_a_fault_of_the_program_is_a_document_and_its_trace_goes_to_stderr(
    embedded: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("the roof is open")

    monkeypatch.setattr("adapters.cli.config.read_settings", fail)
    result = embedded.run("config", "show", "--json", exit_code=1)
    problem = json.loads(result.stdout)
    assert (problem["code"], problem["status"]) == ("internal", 500)
    assert "the roof is open" in problem["detail"]
    assert "Traceback" in result.stderr


def test_a_pipe_gets_whole_cells_without_colours(embedded: Terminal) -> None:
    name = "A very long name of a customer, " * 6
    embedded.run("account", "open", "A1", "--name", name.strip())
    with embedded.start("account", "show", "A1") as process:
        stdout, stderr = process.communicate()
    assert process.returncode == 0
    assert name.strip() in stdout
    assert ESCAPE not in stdout + stderr


def test_no_color_is_respected_on_a_terminal(embedded: Terminal) -> None:
    assert f"{ESCAPE}[3" in _on_a_terminal(embedded, NO_COLOR="")
    assert f"{ESCAPE}[3" not in _on_a_terminal(embedded, NO_COLOR="1")


def _on_a_terminal(terminal: Terminal, **environment: str) -> str:
    """What is said about an unknown account where somebody looks at it."""
    script = f"{COMMAND} account show A9"
    done = subprocess.run(
        ["script", "-qec", script, "/dev/null"],
        env=terminal.process_environment | {"TERM": "xterm-256color"} | environment,
        capture_output=True,
        check=False,
        text=True,
    )
    return done.stdout


def test_whoever_reads_our_output_may_stop_reading(embedded: Terminal) -> None:
    for number in range(30):
        embedded.run("account", "open", f"A{number}")
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {COMMAND} events | head -n 1"],
        env=embedded.process_environment,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["position"] == 1


def test_a_name_cannot_steer_the_terminal() -> None:
    assert cell("\x9b31mred\x1b[0m\u202e") == "�31mred�[0m�"
    assert cell("张三 (A1)") == "张三 (A1)"


def test_the_password_of_the_database_is_not_shown(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "postgresql://clerk:s3cret@db.example/ledger")
    shown = terminal.json("config", "show")
    assert "s3cret" not in json.dumps(shown)
    assert shown["database_url"] == "postgresql://clerk:***@db.example/ledger"
