"""The daily report from the terminal: a file that is whole or not there, and its sums."""

import csv
from pathlib import Path

import openpyxl
import pytest

from tests.harness.terminal import Terminal


def paid(terminal: Terminal) -> str:
    """Two accounts that paid; the day of it."""
    for number, amount in (("A1", "50"), ("A2", "0.05")):
        terminal.open(number, f"M-{number}", "--site", "=East", "--group", "homes")
        terminal.run("recharge", number, amount, "--channel", "cash", "--txn", f"T-{number}")
    terminal.open("A3", "M-A3")
    day: str = terminal.json("export", "daily-report", "-o", str(terminal.folder / "d.csv"))["from"]
    return day


def test_a_file_and_its_sums_say_the_same(terminal: Terminal) -> None:
    day = paid(terminal)
    file = terminal.folder / "report.csv"
    body = terminal.json("export", "daily-report", "--from", day, "-o", str(file))
    assert (body["file"], body["to"]) == (str(file), day)
    [total] = body["totals"]
    assert (total["accounts"], total["recharged_minor"], total["closing_minor"]) == (2, 5005, 5005)
    assert total["quantity_kwh"] == "0"
    *rows, sums = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert {row["Account number"] for row in rows} == {"A1", "A2"}
    assert {row["Site"] for row in rows} == {"'=East"}
    assert sums["Closing balance"] == "50.05"
    told = terminal.run("export", "daily-report", "-o", str(file)).stdout
    assert "closing CNY" in told
    assert "50.05" in told


def test_a_file_is_what_its_name_says(terminal: Terminal) -> None:
    paid(terminal)
    file = terminal.folder / "report.XLSX"
    terminal.run("export", "daily-report", "-o", str(file), "--language", "zh-CN")
    with file.open("rb") as book:
        sheet = openpyxl.load_workbook(book).worksheets[0]
        assert sheet["A1"].value == "户号"
    terminal.run("export", "daily-report", "-o", str(terminal.folder / "report.pdf"), exit_code=2)


def test_days_that_make_no_sense_leave_no_file(terminal: Terminal) -> None:
    paid(terminal)
    before = set(terminal.folder.iterdir())
    file = str(terminal.folder / "none.csv")
    for words in (("--from", "yesterday"), ("--from", "2026-02-02", "--to", "2026-02-01")):
        body = terminal.json("export", "daily-report", *words, "-o", file, exit_code=2)
        assert body["code"] == "days_invalid"
    nowhere = str(terminal.folder / "nowhere" / "none.csv")
    terminal.run("export", "daily-report", "-o", nowhere, exit_code=2)
    assert set(terminal.folder.iterdir()) == before


def test_without_a_name_it_is_called_after_its_days(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(terminal)
    monkeypatch.chdir(tmp_path)
    body = terminal.json("export", "daily-report", "--from", "2026-11-01", "--to", "2026-11-22")
    assert body["file"] == "daily-report-2026-11-01_2026-11-22.csv"
    assert (tmp_path / body["file"]).exists()
