"""CSV and XLSX files as lines of text cells: streamed, and a broken line never ends the file."""

import csv
import os
import warnings
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final

import openpyxl

from adapters.cli.problems import InputError

BLOCK_BYTES: Final = 1 << 20
LINE_BYTES_MAX: Final = 1 << 16
"""A longer line is no row of ours; it is refused unread, so that memory stays bounded."""
ZIP_MARK: Final = b"PK\x03\x04"
EXACT_DIGITS: Final = 15
"""A spreadsheet keeps so many: a longer number was rounded by it, what is behind them is noise."""

OTHER_SEPARATORS: Final = (";", "\t")
"""What spreadsheets write instead of commas in some countries."""

Cells = list[str]


class MalformedError(ValueError):
    """A line that cannot be read as a row."""


Row = tuple[int, Cells | MalformedError]
"""Line number, and its cells or why there are none."""


@dataclass(slots=True)
class Table:
    """A header and its rows, none of them blank, all as wide as the header."""

    columns: Cells
    rows: Iterator[Row]
    done: int = 0
    """How far the file is read, of `total`."""
    total: int | None = None

    def place(self, column: str) -> int | None:
        """Index of a column; None where the file has none of this name."""
        return self.columns.index(column) if column in self.columns else None


@contextmanager
def open_table(path: Path) -> Iterator[Table]:
    """Open a file by what it holds, not by its name."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError("file_unreadable", f"{path}: {error.strerror}.") from error
    with file:
        is_zip = file.read(len(ZIP_MARK)) == ZIP_MARK
        file.seek(0)
        yield _xlsx(file, path) if is_zip else _csv(file, path)


def require_columns(table: Table, required: Sequence[str], optional: Sequence[str] = ()) -> None:
    """Refuse a file whose header says that it holds something else."""
    missing = [name for name in required if name not in table.columns]
    if missing:
        found = ", ".join(table.columns)
        other = next((mark for mark in OTHER_SEPARATORS if mark in found), None)
        if other is not None:
            raise InputError(
                "columns_missing", f"The cells are separated by {other!r}; commas are needed."
            )
        raise InputError(
            "columns_missing", f"The file lacks the column {', '.join(missing)}; it has: {found}."
        )
    known = {*required, *optional}
    unknown = [name for name in table.columns if name not in known]
    if unknown:
        raise InputError(
            "columns_unknown", f"The column {unknown[0]!r} has no meaning here; take it out."
        )


def _header(cells: Cells, path: Path) -> Cells:
    columns = [cell.strip().lower() for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise InputError("columns_twice", f"{path} has two columns {twice[0]!r}.")
    return columns


def _row(cells: Cells, width: int) -> Cells | MalformedError:
    """Exactly as many cells as the header has; empty ones behind it do not count."""
    if len(cells) == width:
        return cells
    if len(cells) > width and not any(cells[width:]):
        return cells[:width]
    return MalformedError(f"The line has {len(cells)} cells, the header {width}.")


# ---------------------------------------------------------------- CSV


def _csv(file: BinaryIO, path: Path) -> Table:
    table = Table([], iter(()), total=os.fstat(file.fileno()).st_size)
    lines = _lines(file, table)
    for _, line in lines:
        if isinstance(line, MalformedError):
            break
        if line.strip(", \t"):
            table.columns = _header(_cells(line), path)
            table.rows = _csv_rows(lines, len(table.columns))
            return table
    raise InputError("header_missing", f"{path} is no CSV file in UTF-8 with a header line.")


def _csv_rows(lines: Iterator[tuple[int, str | MalformedError]], width: int) -> Iterator[Row]:
    for number, line in lines:
        if isinstance(line, MalformedError):
            yield number, line
            continue
        try:
            cells = _cells(line)
        except csv.Error as error:
            yield number, MalformedError(f"The quotes of the line do not match: {error}.")
            continue
        if len(cells) == width and cells[0]:
            yield number, cells
        elif any(cells):
            yield number, _row(cells, width)


def _cells(line: str) -> Cells:
    """Cells of one line; a quoted cell may hold commas and quotes, but no line break."""
    return next(csv.reader([line], strict=True)) if '"' in line else line.split(",")


def _lines(file: BinaryIO, table: Table) -> Iterator[tuple[int, str | MalformedError]]:
    """Lines with their numbers, read in blocks; each stands for itself."""
    number, rest, is_inside_long = 0, b"", False
    table.done = len(BOM_UTF8) if file.read(len(BOM_UTF8)) == BOM_UTF8 else 0
    file.seek(table.done)
    while block := file.read(BLOCK_BYTES):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        for raw in lines:
            number += 1
            yield number, MalformedError(TOO_LONG) if is_inside_long else _text(raw)
            is_inside_long = False
        if len(rest) > LINE_BYTES_MAX:
            rest, is_inside_long = b"", True
        table.done += len(block)
    if rest or is_inside_long:
        yield number + 1, MalformedError(TOO_LONG) if is_inside_long else _text(rest)


TOO_LONG: Final = "The line is longer than any row."


def _text(raw: bytes) -> str | MalformedError:
    if len(raw) > LINE_BYTES_MAX:
        return MalformedError(TOO_LONG)
    try:
        return raw.decode().rstrip("\r")
    except UnicodeDecodeError:
        return MalformedError("The line is not UTF-8; save the file as CSV UTF-8.")


# ---------------------------------------------------------------- XLSX


def _xlsx(file: BinaryIO, path: Path) -> Table:
    lines = _sheet(file, path)
    for _, values in lines:
        if any(value is not None for value in values):
            columns = _header([str(value or "") for value in values], path)
            table = Table(columns, iter(()))
            table.rows = _xlsx_rows(lines, table)
            return table
    raise InputError("header_missing", f"{path} has no header line in its first sheet.")


def _sheet(file: BinaryIO, path: Path) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Rows of the first sheet, as they are needed."""
    # What the library does not know of a sheet (styles, validations) is not read by us either.
    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # Some programs state a size that their sheet does not have.
        yield from enumerate(sheet.iter_rows(values_only=True), start=1)
    except Exception as error:  # a broken archive fails in as many ways as it can be broken
        raise InputError("file_unreadable", f"{path} is no readable XLSX file: {error}.") from error


def _xlsx_rows(lines: Iterator[tuple[int, tuple[Any, ...]]], table: Table) -> Iterator[Row]:
    width = len(table.columns)
    for number, values in lines:
        table.done = number
        try:
            cells = [_cell_text(value) for value in values]
        except MalformedError as error:
            yield number, error
            continue
        if any(cells):
            yield number, _row(cells + [""] * (width - len(cells)), width)


def _cell_text(value: Any) -> str:  # noqa: ANN401 - whatever a cell holds
    """A cell as a person would have written it into a CSV file."""
    match value:
        case None:
            return ""
        case str():
            return value
        case float() if abs(value) >= 10**EXACT_DIGITS:
            raise MalformedError("A long number was rounded by the spreadsheet; keep it as text.")
        case float():
            return format(Decimal(f"{value:.{EXACT_DIGITS}g}"), "f")
        case datetime():
            return value.isoformat()
        case date():
            return f"{value.isoformat()}T00:00:00"
        case _:
            return str(value)
