"""What all imports share: the file, the report of refused rows, the tally, the answer."""

import csv
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from adapters.cli.opening import Opened, opened
from adapters.cli.output import Advance, Shown, facts, progress, say
from adapters.cli.problems import DIFFERENCE, OK, InputError
from adapters.cli.tabular import Table, open_table
from adapters.cli.times import Times
from ledger.commands import Json
from ledger.ports import LogUnavailableError

MALFORMED: Final = "malformed"
REPORT_SUFFIX: Final = ".refused.csv"

File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV (UTF-8) or XLSX with a header.")]


class Refusal(NamedTuple):
    """A line that was not taken, and why."""

    line: int
    code: str
    message: str


@dataclass(slots=True)
class Tally:
    """How many rows went which way."""

    accepted: int = 0
    duplicate: int = 0
    refused: int = 0
    quarantined: int = 0

    @property
    def rows(self) -> int:
        """All rows that were answered."""
        return self.accepted + self.duplicate + self.refused + self.quarantined


class Report:
    """`<file>.refused.csv`, written while the import runs and put in place at its end."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(path.name + REPORT_SUFFIX)
        self._draft = self.path.with_name(self.path.name + ".part")
        try:
            self._file = self._draft.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise InputError(
                "report_unwritable", f"The report {self.path} cannot be written: {error.strerror}."
            ) from error
        self._writer = csv.writer(self._file)
        self._writer.writerow(Refusal._fields)
        self.count = 0

    def add(self, refusals: list[Refusal]) -> None:
        """Report lines, in their order."""
        self._writer.writerows(sorted(refusals))
        self.count += len(refusals)

    def close(self) -> None:
        """Keep the report where it says something, else take away an older one."""
        self._file.close()
        if self.count:
            self._draft.replace(self.path)
        else:
            self._draft.unlink()
            self.path.unlink(missing_ok=True)


@dataclass(slots=True)
class Import:
    """One import under way."""

    here: Opened
    table: Table
    report: Report
    times: Times
    advance: Advance
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0
    """Until the last row was durable."""

    def settle(self, refusals: list[Refusal]) -> None:
        """Report lines that were not taken, and show how far the file is read."""
        self.report.add(refusals)
        self.advance(self.table.done, self.table.total)


@contextmanager
def importing(file: Path, what: str) -> Iterator[Import]:
    """Open the ledger, the file and its report; bring the views to the log's end afterwards."""
    begun = time.monotonic()
    with open_table(file) as table, opened() as here:
        with closing(Report(file)) as report, progress(what) as advance:
            run = Import(here, table, report, Times(here.terms.timezone), advance)
            try:
                yield run
            except LogUnavailableError:
                recorded = run.tally.rows - run.tally.refused
                say(f"Stopped; {recorded} rows are recorded. Run the command again to go on.")
                raise
        run.seconds = time.monotonic() - begun
        say("All rows are recorded; bringing the views to the log's end.", style="dim")
        here.views()


def shown(done: Import, hint: str) -> Shown:
    """The summary of an import; exit 3 where rows were refused."""
    tally, seconds = done.tally, done.seconds
    body: Json = {
        "accepted": tally.accepted,
        "duplicate": tally.duplicate,
        "refused": tally.refused,
        "quarantined": tally.quarantined,
        "seconds": round(seconds, 3),
        "rate": round(tally.rows / seconds) if seconds else 0,
        "report": str(done.report.path) if done.report.count else None,
    }
    if done.report.count:
        say(f"{done.report.count} rows were refused or quarantined; see {done.report.path}")
    return Shown(
        body=body,
        human=facts({**body, "rate": f"{body['rate']} rows/s"}),
        hint=hint,
        exit_code=DIFFERENCE if done.report.count else OK,
    )
