"""What all imports share: the file, the report of refused rows, the tally, the answer."""

import csv
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Final, NamedTuple, Self

import typer

from adapters.cli.opening import Opened, opened
from adapters.cli.output import Advance, Shown, facts, progress, say
from adapters.cli.problems import DIFFERENCE, NO_ROOM, OK, InputError
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
    """`<file>.refused.csv`, put in place when the import ends, however many run at once.

    Until then it has no name, so that nothing is left of it where the process is killed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(path.name + REPORT_SUFFIX)
        try:
            self._file = TemporaryFile(  # noqa: SIM115 - open as long as the import
                "w+", encoding="utf-8", newline="", dir=path.parent
            )
        except OSError as error:
            if error.errno in NO_ROOM:
                raise
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, broken: type[BaseException] | None, *_about: object) -> None:
        """Keep the report where it says something; an import that came to its end has the word."""
        with self._file:
            if self.count:
                self._keep()
            elif broken is None:
                self.path.unlink(missing_ok=True)

    def _keep(self) -> None:
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        self._file.seek(0)
        try:
            with draft.open("w", encoding="utf-8", newline="") as file:
                shutil.copyfileobj(self._file, file)
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)


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
        with Report(file) as report, progress(what) as advance:
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
