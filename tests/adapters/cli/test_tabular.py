import tempfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cli.problems import InputError
from adapters.cli.readings import thousandths
from adapters.cli.tabular import (
    BLOCK_BYTES,
    LINE_BYTES_MAX,
    MalformedError,
    open_table,
    require_columns,
)
from ledger.commands.quantities import decimal_text, milli

Found = list[tuple[int, list[str] | str]]


def rows_of(path: Path, content: bytes) -> tuple[list[str], Found]:
    path.write_bytes(content)
    with open_table(path) as table:
        return table.columns, [
            (line, str(cells) if isinstance(cells, MalformedError) else cells)
            for line, cells in table.rows
        ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def test_a_byte_order_mark_and_windows_line_ends_are_no_data(file: Path) -> None:
    columns, rows = rows_of(file, b"\xef\xbb\xbfMeter_No, at\r\nM1,2026\r\n\r\n,,\r\nM2,2027")
    assert columns == ["meter_no", "at"]
    assert rows == [(2, ["M1", "2026"]), (5, ["M2", "2027"])]


def test_a_quoted_cell_holds_commas_and_quotes(file: Path) -> None:
    _, rows = rows_of(file, 'a,b\n"x, y","say ""hi"""\n1,张三\n'.encode())
    assert rows == [(2, ["x, y", 'say "hi"']), (3, ["1", "张三"])]


def test_an_open_quote_spoils_its_own_line_only(file: Path) -> None:
    _, rows = rows_of(file, b'a,b\n"1,2\n3,4\n5,"6"7\n8,9\n')
    assert [line for line, cells in rows if isinstance(cells, str)] == [2, 4]
    assert [cells for _, cells in rows if isinstance(cells, list)] == [["3", "4"], ["8", "9"]]


def test_lines_of_another_width_and_other_bytes_are_named(file: Path) -> None:
    _, rows = rows_of(file, b"a,b\n1\n1,2,3\n1,2,,\n\xd5\xc5,2\n1,2\n")
    assert rows == [
        (2, "The line has 1 cells, the header 2."),
        (3, "The line has 3 cells, the header 2."),
        (4, ["1", "2"]),
        (5, "The line is not UTF-8; save the file as CSV UTF-8."),
        (6, ["1", "2"]),
    ]


def test_a_line_without_an_end_is_refused_unread(file: Path) -> None:
    long = b"x" * (LINE_BYTES_MAX + 1)
    endless = b"y" * (3 * BLOCK_BYTES)
    _, rows = rows_of(file, b"a,b\n" + long + b"\n1,2\n" + endless + b"\n3,4\n" + endless)
    assert [line for line, _ in rows] == [2, 3, 4, 5, 6]
    assert [cells for _, cells in rows if isinstance(cells, list)] == [["1", "2"], ["3", "4"]]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40), st.integers(1, 64))
def test_where_a_block_ends_makes_no_difference(values: list[int], block: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("adapters.cli.tabular.BLOCK_BYTES", block)
        text = "n,m\n" + "".join(f"{value},1\n" for value in values)
        _, rows = rows_of(Path(folder) / "f.csv", text.encode())
    assert rows == [(line, [str(value), "1"]) for line, value in enumerate(values, start=2)]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00m\x00", b"," * 10])
def test_a_file_without_a_header_is_no_table(file: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="header"):
        rows_of(file, content)


def test_a_column_that_is_missing_unknown_or_doubled_is_named(file: Path) -> None:
    with pytest.raises(InputError, match="two columns 'a'"):
        rows_of(file, b"a,b,A\n")
    file.write_bytes(b"a,c\n")
    with open_table(file) as table:
        with pytest.raises(InputError, match="lacks the column b"):
            require_columns(table, ("a", "b"), ("c",))
        with pytest.raises(InputError, match="'c' has no meaning"):
            require_columns(table, ("a",))


def test_a_spreadsheet_says_what_a_csv_file_would(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["at", "total", "meter_no", None])
    sheet.append([datetime(2026, 1, 5, 8, 30), 12.345, 10_000_123])  # noqa: DTZ001 - a cell
    sheet.append([])
    sheet.append(["2026-01-06 08:30", 7.0, "007"])
    sheet.append(["2026-01-06 09:30", 0.1 + 0.2, "007"])
    sheet.append(["2026-01-06 08:30", 7, 1e17])
    path = tmp_path / "rows.xlsx"
    book.save(path)
    with open_table(path) as table:
        assert table.columns == ["at", "total", "meter_no"]
        rows = list(table.rows)
    assert rows[:3] == [
        (2, ["2026-01-05T08:30:00", "12.345", "10000123"]),
        (4, ["2026-01-06 08:30", "7", "007"]),
        (5, ["2026-01-06 09:30", "0.3", "007"]),
    ]
    assert rows[3][0] == 6
    assert "keep it as text" in str(rows[3][1])


@pytest.mark.parametrize("separator", [";", "\t"])
def test_cells_that_no_comma_separates_are_said_to_be_so(file: Path, separator: str) -> None:
    file.write_text(separator.join(("meter_no", "at", "total")) + "\n")
    with open_table(file) as table, pytest.raises(InputError, match="commas are needed"):
        require_columns(table, ("meter_no", "at"), table.columns)


def test_a_broken_spreadsheet_is_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    path.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(InputError, match="no readable XLSX"), open_table(path):
        pass


@given(st.integers(0, 10**15 - 1))
def test_a_register_value_is_read_exactly(wh: int) -> None:
    assert thousandths(decimal_text(wh)) == wh


@given(st.text("0123456789.-+eE _٣", max_size=20))
def test_the_fast_way_reads_what_the_exact_way_reads(text: str) -> None:
    try:
        expected: int | None = milli(text)
    except ValueError:
        expected = None
    if expected is None or not 0 <= expected < 10**15:
        with pytest.raises(ValueError, match=r"."):
            thousandths(text)
    else:
        assert thousandths(text) == expected
