"""`wattledger readings import`: a file of meter readings, charged in batches."""

import re
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from adapters.cli.imports import (
    MALFORMED,
    File,
    Import,
    Refusal,
    importing,
    shown,
)
from adapters.cli.output import Shown
from adapters.cli.problems import InputError
from adapters.cli.tabular import Cells, MalformedError, require_columns
from adapters.cli.verbs import topic, verb
from ledger.commands import record_readings
from ledger.commands.late_readings import Reading
from ledger.commands.quantities import milli
from ledger.store import Answer

BATCH_ROWS: Final = 5_000
IN_FLIGHT: Final = 2
"""One batch commits while the next one is read."""
WHOLE_DIGITS_MAX: Final = 12
MILLI_DIGITS: Final = 3
FIXED_COLUMNS: Final = ("meter_no", "at")
_METER_NO: Final = re.compile(r"[A-Za-z0-9_.-]{1,32}").fullmatch
_REGISTER: Final = re.compile(r"[a-z0-9][a-z0-9_.+-]{0,31}").fullmatch

ReadCells = Callable[[Cells], Reading]

group = topic("readings", "Meter readings")


@verb(group, "import")
def import_(file: File) -> Shown:
    """Import readings (meter_no, at, registers); running it again goes on where it ended."""
    with importing(file, "Readings") as run:
        _Readings(run).take_all()
    return shown(run, "wattledger account list")


@dataclass(slots=True)
class _Batch:
    """Rows on their way, each with its line, and the lines between them that were no rows."""

    readings: list[Reading] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    answer: Future[Answer] | None = None


class _Readings:
    """Reads, submits and settles batches, in order."""

    def __init__(self, run: Import) -> None:
        self._run = run
        self._read = reader(run)
        self._in_flight: deque[_Batch] = deque()

    def take_all(self) -> None:
        """Every row of the file, or as many as the ledger can be reached for."""
        batch, read = _Batch(), self._read
        for line, cells in self._run.table.rows:
            try:
                if isinstance(cells, MalformedError):
                    raise cells
                batch.readings.append(read(cells))
                batch.lines.append(line)
            except ValueError as error:
                self._refuse_or_clean(batch, line, cells, error)
            if len(batch.lines) + len(batch.refused) >= BATCH_ROWS:
                self._submit(batch)
                batch = _Batch()
        self._submit(batch)
        while self._in_flight:
            self._settle()

    def _refuse_or_clean(
        self, batch: _Batch, line: int, cells: Cells | MalformedError, error: ValueError
    ) -> None:
        """Try a row once more without the blanks around its cells."""
        cleaned = [] if isinstance(cells, MalformedError) else [cell.strip() for cell in cells]
        if cleaned and cleaned != cells:
            try:
                batch.readings.append(self._read(cleaned))
            except ValueError as still:
                error = still
            else:
                batch.lines.append(line)
                return
        batch.refused.append(Refusal(line, MALFORMED, str(error)))

    def _submit(self, batch: _Batch) -> None:
        if batch.readings:
            here = self._run.here
            batch.answer = record_readings.submit(batch.readings, here.ledger, here.context)
        self._in_flight.append(batch)
        if len(self._in_flight) > IN_FLIGHT:
            self._settle()

    def _settle(self) -> None:
        """Wait for the oldest batch and report what it did not take."""
        run, batch = self._run, self._in_flight.popleft()
        run.tally.refused += len(batch.refused)
        if batch.answer is not None:
            batch.refused += self._tally(batch, batch.answer.result())
        run.settle(batch.refused)

    def _tally(self, batch: _Batch, answer: Answer) -> list[Refusal]:
        """Count what became of a batch; the readings that went into quarantine."""
        tally, body = self._run.tally, answer.body
        tally.accepted += body["accepted"]
        tally.duplicate += body["duplicate"]
        tally.quarantined += len(body["quarantined"])
        return [
            Refusal(batch.lines[item["index"]], item["code"], item["reason"])
            for item in body["quarantined"]
        ]


def reader(run: Import) -> ReadCells:
    """How a row of this file becomes a reading; the hot path of an import."""
    require_columns(run.table, FIXED_COLUMNS, run.table.columns)
    columns = run.table.columns
    meter_at, time_at = (columns.index(name) for name in FIXED_COLUMNS)
    registers = [(name, at) for at, name in enumerate(columns) if name not in FIXED_COLUMNS]
    for name, _ in registers:
        if not _REGISTER(name):
            raise InputError("columns_unknown", f"The column {name!r} is no name of a register.")
    if not registers:
        raise InputError("columns_missing", "The file lacks a register's column, such as total.")
    micros = run.times.micros

    def read(cells: Cells) -> Reading:
        meter_no = cells[meter_at]
        if not _METER_NO(meter_no):
            raise MalformedError(f"A meter number such as M-000123 is needed, not {meter_no!r}.")
        values = {name: thousandths(cells[at]) for name, at in registers if cells[at]}
        if not values:
            raise MalformedError("The row has no register value.")
        return Reading(meter_no, micros(cells[time_at]), values)

    return read


def thousandths(text: str) -> int:
    """Wh of kWh or litres of m³, exactly; what is usual is read without a pattern."""
    whole, point, fraction = text.partition(".")
    if text.isascii() and whole.isdecimal() and len(whole) <= WHOLE_DIGITS_MAX:
        if not point:
            return int(whole) * 1000
        if fraction.isdecimal() and len(fraction) <= MILLI_DIGITS:
            return int(whole + fraction.ljust(MILLI_DIGITS, "0"))
    value = milli(text)
    if not 0 <= value < 10 ** (WHOLE_DIGITS_MAX + MILLI_DIGITS):
        raise MalformedError(f"A register shows no value such as {text}.")
    return value
