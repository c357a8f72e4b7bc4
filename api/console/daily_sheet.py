"""The daily report (日报) as a sheet: its columns, its sums, CSV and XLSX; made row by row."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import IO, Any, Final, Literal, NamedTuple

from babel.numbers import get_currency_precision

from api.console import words
from api.console.language import Language
from api.console.words import N_
from api.console.workbook import Cell, workbook
from ledger.access import Reach
from ledger.queries import LIMIT_MAX, DailyAsked, Queries

Json = dict[str, Any]
Format = Literal["csv", "xlsx"]
MEDIA_TYPES: Final[dict[str, str]] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
DAYS_MAX: Final = 366
MILLI: Final = Decimal("0.001")
BLOCK_LINES: Final = 500
WIDTHS: Final = {"text": 16, "word": 12, "minor": 14, "quantity": 14}
FORMULA: Final = ("=", "+", "-", "@")
"""What begins so is reckoned by a spreadsheet, whoever wrote it."""
DIGITS_KEPT: Final = 11
"""A spreadsheet writes a longer number of a CSV file as a power of ten."""


class Column(NamedTuple):
    """A column by the field of the report that it shows."""

    name: str
    head: str
    kind: Literal["text", "word", "minor", "quantity"]


COLUMNS: Final = (
    Column("account_no", N_("Account number"), "text"),
    Column("site", N_("Site"), "text"),
    Column("group", N_("Group"), "text"),
    Column("status", N_("Status"), "word"),
    Column("currency", N_("Currency"), "text"),
    Column("from", N_("First day"), "text"),
    Column("to", N_("Last day"), "text"),
    Column("opening_minor", N_("Opening balance"), "minor"),
    Column("recharged_minor", N_("Recharged"), "minor"),
    Column("reversed_minor", N_("Reversed"), "minor"),
    Column("adjusted_minor", N_("Adjusted"), "minor"),
    Column("charged_minor", N_("Charged"), "minor"),
    Column("granted_used_minor", N_("Paid by grants"), "minor"),
    Column("units_used_minor", N_("Paid by units held"), "minor"),
    Column("units_bought_minor", N_("Units bought for"), "minor"),
    Column("closing_minor", N_("Closing balance"), "minor"),
    Column("granted_opening_minor", N_("Granted, opening"), "minor"),
    Column("granted_minor", N_("Newly granted"), "minor"),
    Column("granted_closing_minor", N_("Granted, closing"), "minor"),
    Column("quantity_kwh", N_("Charged for, kWh"), "quantity"),
    Column("quantity_m3", N_("Charged for, m³"), "quantity"),
    Column("alert_level", N_("Alert now"), "word"),
    Column("supply_intended", N_("Supply wanted now"), "word"),
    Column("supply_actual", N_("Meter shows now"), "word"),
)
WORDS: Final = {
    "status": words.STATUS,
    "alert_level": words.LEVELS,
    "supply_intended": words.SUPPLY,
    "supply_actual": words.SUPPLY,
}
SUMMED: Final = tuple(column.name for column in COLUMNS if column.kind in {"minor", "quantity"})


class DaysError(ValueError):
    """Days that make no sense; `place` is the one to be mended, `from` or `to`."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


def days_of(first: str, last: str, today: str) -> tuple[str, str]:
    """The days that are meant: today where none is told, one where only one is."""
    first = first or last or today
    last = last or first
    try:
        span = date.fromisoformat(last) - date.fromisoformat(first)
    except ValueError as error:
        raise DaysError("from", "Days such as 2026-11-22 are needed.") from error
    if not timedelta(0) <= span < timedelta(days=DAYS_MAX):
        told = f"The last day is the first one, or at most {DAYS_MAX - 1} days later."
        raise DaysError("to", told)
    return first, last


def file_name(asked: DailyAsked, kind: Format) -> str:
    """What the file is called where nobody says otherwise."""
    span = "" if asked.first_day == asked.last_day else f"_{asked.last_day}"
    return f"daily-report-{asked.first_day}{span}.{kind}"


def rows_of(queries: Queries, asked: DailyAsked, reach: Reach) -> Iterator[Json]:
    """Every account of the report, gathered from its pages; the first page at once."""
    page = queries.daily(asked._replace(limit=LIMIT_MAX), reach)
    return _onwards(queries, asked, reach, page.items, page.cursor)


def _onwards(
    queries: Queries, asked: DailyAsked, reach: Reach, items: list[Json], cursor: str | None
) -> Iterator[Json]:
    yield from items
    while cursor is not None:
        page = queries.daily(asked._replace(limit=LIMIT_MAX, cursor=cursor), reach)
        yield from page.items
        cursor = page.cursor


class Totals:
    """Sums over all rows that passed, by currency."""

    def __init__(self) -> None:
        self.by_currency: dict[str, Json] = {}

    def through(self, rows: Iterable[Json]) -> Iterator[Json]:
        """The same rows, added up as they pass."""
        for row in rows:
            sums = self.by_currency.get(row["currency"])
            if sums is None:
                sums = self.by_currency[row["currency"]] = _nothing(row)
            sums["accounts"] += 1
            for name in SUMMED:
                value = row[name]
                sums[name] += value if isinstance(value, int) else Decimal(value)
            yield row


def _nothing(row: Json) -> Json:
    sums: Json = {"accounts": 0, "currency": row["currency"], "from": row["from"], "to": row["to"]}
    return sums | {name: 0 if isinstance(row[name], int) else Decimal() for name in SUMMED}


def lines(rows: Iterable[Json], language: Language) -> Iterator[list[Cell]]:
    """The head, a line an account, and the sums of each currency."""
    yield [language.say(column.head) for column in COLUMNS]
    totals = Totals()
    for row in totals.through(rows):
        yield [_cell(column, row, language) for column in COLUMNS]
    for sums in totals.by_currency.values():
        number = sums["accounts"]
        total = language.count(
            "Total of %(number)s account", "Total of %(number)s accounts", number
        )
        named = dict.fromkeys((c.name for c in COLUMNS), "") | sums | {"account_no": total}
        yield [_cell(column, named, language) for column in COLUMNS]


def _cell(column: Column, row: Json, language: Language) -> Cell:
    value = row[column.name]
    if column.kind == "minor":
        return Decimal(value).scaleb(-get_currency_precision(row["currency"]))
    if column.kind == "quantity":
        return Decimal(value).quantize(MILLI)
    if column.kind == "word":
        return language.say(words.word(WORDS[column.name], value)) if value else ""
    return _text(value)


def _text(value: str) -> str:
    """Text that no spreadsheet takes for a formula, whoever named a site or a group."""
    return f"'{value}" if value.startswith(FORMULA) else value


def as_csv(made: Iterable[list[Cell]]) -> Iterator[bytes]:
    """UTF-8 that begins with a mark, so that Excel reads Chinese; a block at a time."""
    yield b"\xef\xbb\xbf"
    block = io.StringIO()
    writer = csv.writer(block, lineterminator="\r\n")
    for number, line in enumerate(made, start=1):
        writer.writerow([_kept(cell) for cell in line])
        if number % BLOCK_LINES == 0:
            yield block.getvalue().encode()
            block.seek(0)
            block.truncate()
    yield block.getvalue().encode()


def _kept(cell: Cell) -> str:
    """Plain figures; long digits of a name behind a tab, so that none of them is lost."""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    is_number = cell.isdecimal() and (len(cell) > DIGITS_KEPT or cell[0] == "0" != cell)
    return f"\t{cell}" if is_number else cell


def blocks_of(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a file, which is closed behind the last."""
    with file:
        while block := file.read(1 << 16):
            yield block


def written(kind: Format, made: Iterable[list[Cell]], title: str) -> Iterator[bytes]:
    """The sheet in one of its forms, as bytes to be sent or kept."""
    if kind == "csv":
        return as_csv(made)
    return blocks_of(workbook(made, title, [WIDTHS[column.kind] for column in COLUMNS]))
