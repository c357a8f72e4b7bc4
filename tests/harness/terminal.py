"""A terminal: the real command line on one database, in this process or in one of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from adapters.cli import app
from tests.harness.ledgers import tariff
from tests.harness.program import Program

PROGRAM = (sys.executable, "-c", "from adapters.cli import main; main()")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Terminal:
    """Runs commands from one folder on one database."""

    folder: Path
    database_url: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LEDGER_DATABASE_URL": self.database_url,
            "LEDGER_VAULT_KEY_FILE": str(self.folder / "vault.key"),
        }

    @property
    def process_environment(self) -> dict[str, str]:
        return os.environ | self.environment | {"PYTHONPATH": str(ROOT)}

    def run(self, *words: str, exit_code: int = 0) -> Result:
        """Run a command and see that it ends as expected."""
        result = CliRunner().invoke(app, list(words), env=self.environment)
        assert result.exit_code == exit_code, f"{words}: {result.output}"
        return result

    def json(self, *words: str, exit_code: int = 0) -> Any:  # noqa: ANN401 - any body
        """The body that a command prints."""
        return json.loads(self.run(*words, "--json", exit_code=exit_code).stdout)

    def lines(self, *words: str, exit_code: int = 0) -> list[Any]:
        """The objects that a command prints, one a line."""
        printed = self.run(*words, "--json", exit_code=exit_code).stdout
        # A line of JSON may hold what Python takes for the end of a line, such as U+2028.
        return [json.loads(line) for line in printed.split("\n") if line]

    def start(self, *words: str, **environment: str) -> Program:
        """The same in a process of its own."""
        return Program(
            [*PROGRAM, *words],
            cwd=self.folder,
            env=self.process_environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> str:
        """A file in the folder; its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def prepare(self, *options: str) -> "Terminal":
        """Make the ledger and publish the tariff `flat` of 0.50 a kWh."""
        self.run("init", *options)
        self.run("tariff", "publish", self.write("flat.json", json.dumps(tariff())))
        return self

    def open(self, account: str, meter: str, *options: str) -> Any:  # noqa: ANN401 - a body
        """Open an account whose meter stood at zero on New Year's Day."""
        installed = ("--installed-at", "2026-01-01 00:00", "--initial", "0")
        point = ("--meter", meter, "--tariff", "flat", *installed)
        return self.json("account", "open", account, *point, *options)
