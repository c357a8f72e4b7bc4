"""What the papers tell people to type is typed here, word for word."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from tests.harness.ports import held_port
from tests.harness.postgres import Postgres
from tests.harness.program import Program

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PATIENCE_S = 300
OWNER, SERVING, DATABASE = "ledger_owner", "ledger_serving", "ledger"


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


FIRST_MINUTES = blocks(README.partition("## The first five minutes")[2], "sh")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it is after `make install`: the papers with their files, and `.venv`."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "docs", folder / "docs")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture(scope="module")
def told(clone: Path) -> list[str]:
    """What each step of the first five minutes printed."""
    return [run(clone, step) for step in FIRST_MINUTES]


def test_the_first_five_minutes_are_as_printed(clone: Path, told: list[str]) -> None:
    (printed,) = blocks(README, "text")
    assert printed in told
    assert "Everything follows from the log" in told[-1]
    shown = run(clone, "wattledger account show A-1001 --json")
    assert json.loads(shown)["service_points"][0]["supply"]["intended"] == "on"


def test_what_is_said_of_serving_can_be_typed(clone: Path, told: list[str]) -> None:
    assert told
    *people, serve = "".join(blocks(README, "bash")).splitlines()
    told_link = [run(clone, line) for line in people][-1]
    assert "/login/" in told_link
    with held_port() as port:
        run_until_told_to_stop(clone, serve, "The console: ", LEDGER_PORT=str(port))


@pytest.mark.parametrize(
    "command", [line for block in blocks(OPERATIONS, "sh") for line in block.splitlines()]
)
def test_what_operations_prints_can_be_typed(clone: Path, told: list[str], command: str) -> None:
    assert told
    if "worker" in command:
        run_until_told_to_stop(clone, command, "Following the log")
    else:
        run(clone, command)


@pytest.mark.postgres
def test_the_serving_role_does_all_daily_work_and_cannot_touch_the_past(
    clone: Path, roles: Postgres
) -> None:
    create, grant = blocks(OPERATIONS, "sql")
    as_role(roles, "postgres", "postgres", *statements(create))
    run(clone, "wattledger init", url(roles, OWNER))
    as_role(roles, OWNER, DATABASE, *statements(grant))
    run(clone, FIRST_MINUTES[0], url(roles, SERVING))
    run(clone, "wattledger rebuild && wattledger verify", url(roles, OWNER))
    shown = json.loads(run(clone, "wattledger account show A-1001 --json", url(roles, SERVING)))
    assert shown["balance_minor"] == -24_73
    for statement in ("UPDATE events SET topic = ''", "DELETE FROM events", "TRUNCATE events"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            as_role(roles, SERVING, DATABASE, statement)


@pytest.mark.postgres
def test_every_check_of_the_doctor_is_told_and_no_other(clone: Path, postgres_url: str) -> None:
    told = set(
        re.findall(r"^\| `(?!wattledger)([a-z ]+?)(?: <\w+>)?` \|", OPERATIONS, re.MULTILINE)
    )
    found: set[str] = set()
    for database in (f"sqlite:///{clone / 'ledger.db'}", postgres_url):
        run(clone, "wattledger init", database)
        checks = json.loads(run(clone, "wattledger doctor --json", database))["checks"]
        found |= {re.sub(r" (\d+|front|detail)$", "", check["name"]) for check in checks}
    assert told == found


@pytest.fixture
def roles(postgres: Postgres) -> Iterator[Postgres]:
    """A server on which the roles of the papers may be made; they are gone afterwards."""
    yield postgres
    as_role(postgres, "postgres", "postgres", f"DROP DATABASE {DATABASE} WITH (FORCE)")
    as_role(postgres, "postgres", "postgres", f"DROP ROLE {OWNER}, {SERVING}")


def statements(block: str) -> list[str]:
    return [statement for statement in block.split(";") if statement.strip()]


def url(server: Postgres, role: str) -> str:
    return server.url(DATABASE).replace("postgres@", f"{role}@")


def as_role(server: Postgres, role: str, database: str, *commands: str) -> None:
    connection = psycopg2.connect(server.url(database).replace("postgres@", f"{role}@"))
    connection.autocommit = True  # A database cannot be made inside a transaction.
    with connection.cursor() as cursor:
        for command in commands:
            cursor.execute(command)
    connection.close()


def environment(folder: Path, database: str | None) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    own["PATH"] = f"{folder / '.venv' / 'bin'}:{own['PATH']}"
    return own | ({"LEDGER_DATABASE_URL": database} if database else {})


def run(folder: Path, script: str, database: str | None = None) -> str:
    """Type a script as a person would; each of its commands must succeed."""
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", script],
        cwd=folder,
        env=environment(folder, database),
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def run_until_told_to_stop(folder: Path, command: str, ready: str, **settings: str) -> None:
    """Start what runs for ever, wait until it says that it does, and end it as a service is."""
    with Program(
        command.split(),
        cwd=folder,
        env=environment(folder, None) | settings,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert ready in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
