"""The daily report over HTTP: pages, and sheets that a spreadsheet reads as they are meant."""

import csv
import io
from decimal import Decimal

import openpyxl
import pytest

from tests.harness.desk import point, water
from tests.harness.office import Office, problem

REPORT = "/api/v1/finance/energy-report"
SHEET = f"{REPORT}/sheet"
DAY = {"from": "2026-07-01", "to": "2026-07-01"}
AMOUNTS = ("Opening balance", "Recharged", "Charged", "Closing balance")


@pytest.fixture
def town(office: Office) -> Office:
    """Accounts at two sites; a name that would be reckoned, and a number that would be rounded."""
    desk = office.desk
    desk.open("A1", point("M1"), water("W1"), site="=HYPERLINK(1)", group="学生公寓")
    desk.open("123456789012", point("M2"), site="West", group="@homes")
    desk.open("-7", point("M3"), site="+West End", group="-")
    for number, amount in (("A1", 50_00), ("123456789012", 20_01), ("-7", 5)):
        desk.recharge(number, amount)
    desk.read("M1", "2026-01-05", 12_345)
    desk.read("W1", "2026-01-05", 2_500)
    office.catch_up()
    return office


def sheet(text: bytes) -> list[dict[str, str]]:
    assert text.startswith(b"\xef\xbb\xbf"), "Excel reads UTF-8 by this mark"
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def test_a_page_tells_each_account_and_the_next_one_goes_on(town: Office) -> None:
    with town.client("operator") as client:
        first = client.get(REPORT, params={**DAY, "limit": 2}).json()
        second = client.get(REPORT, params={**DAY, "limit": 2, "cursor": first["cursor"]}).json()
    items = first["items"] + second["items"]
    assert (len(first["items"]), second["cursor"]) == (2, None)
    found = {item["account_no"]: item for item in items}
    assert set(found) == {"A1", "123456789012", "-7"}
    one = found["A1"]
    assert (one["opening_minor"], one["recharged_minor"]) == (0, 50_00)
    assert one["closing_minor"] == 50_00 - one["charged_minor"]
    assert (one["quantity_kwh"], one["quantity_m3"]) == ("12.345", "2.5")
    assert (one["from"], one["to"]) == ("2026-07-01", "2026-07-01")


def test_a_csv_sheet_opens_as_it_is_meant(town: Office) -> None:
    with town.client("operator") as client:
        answer = client.get(SHEET, params=DAY, headers={"Accept-Language": "en"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="daily-report-2026-07-01.csv"' in answer.headers["Content-Disposition"]
    rows = sheet(answer.content)
    by_site = {row["Site"]: row for row in rows}
    assert set(by_site) == {"'=HYPERLINK(1)", "West", "'+West End", ""}
    assert by_site["West"]["Account number"] == "\t123456789012"
    assert by_site["West"]["Group"] == "'@homes"
    assert by_site["'+West End"]["Account number"] == "'-7"
    assert by_site["'=HYPERLINK(1)"]["Group"] == "学生公寓"
    *accounts, total = rows
    assert total["Account number"] == "Total of 3 accounts"
    for name in (*AMOUNTS, "Charged for, kWh", "Charged for, m³"):
        assert Decimal(total[name]) == sum(Decimal(row[name]) for row in accounts)
    assert total["Recharged"] == "70.06"
    assert total["Charged for, kWh"] == "12.345"


def test_an_xlsx_sheet_holds_figures_and_names_as_text(town: Office) -> None:
    with town.client("operator") as client:
        answer = client.get(
            SHEET, params={**DAY, "format": "xlsx"}, headers={"Accept-Language": "zh-CN"}
        )
    assert 'filename="daily-report-2026-07-01.xlsx"' in answer.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    heads, *rows = list(book.worksheets[0].iter_rows())
    place = {cell.value: index for index, cell in enumerate(heads)}
    assert "期末余额" in place
    total = rows[-1]
    assert total[0].value == "合计（3 户）"
    assert total[place["充值"]].value == 70.06
    assert total[place["充值"]].number_format == "#,##0.00"
    kinds = {cell.data_type for row in rows for cell in row}
    assert "f" not in kinds, "no cell is a formula"
    assert "'=HYPERLINK(1)" in {row[place["小区"]].value for row in rows}


def test_a_report_keeps_to_the_own_sites(town: Office) -> None:
    with town.client("operator", "West") as client:
        items = client.get(REPORT, params=DAY).json()["items"]
        assert [item["account_no"] for item in items] == ["123456789012"]
        rows = sheet(client.get(SHEET, params=DAY).content)
        assert len(rows) == 2
    with town.client("customer", account_no="A1") as customer:
        items = customer.get(REPORT, params=DAY).json()["items"]
        assert [item["account_no"] for item in items] == ["A1"]


def test_without_days_it_is_today_and_one_day_stands_for_both(town: Office) -> None:
    with town.client("operator") as client:
        today = client.get(REPORT).json()["items"]
        assert {item["to"] for item in today} == {"2026-07-01"}
        assert client.get(REPORT, params={"to": "2026-07-01"}).json()["items"] == today
        assert client.get(REPORT, params={"from": "2026-06-01", "to": "2026-06-30"}).json() == {
            "items": [],
            "cursor": None,
        }


@pytest.mark.parametrize(
    "days",
    [
        {"from": "2026-13-01"},
        {"from": "2026-07-02", "to": "2026-07-01"},
        {"from": "2024-01-01", "to": "2026-07-01"},
        {"from": "today"},
        {"day": "2026-07-01"},
    ],
)
@pytest.mark.parametrize("path", [REPORT, SHEET])
def test_days_that_make_no_sense_are_refused(
    embedded: Office, path: str, days: dict[str, str]
) -> None:
    with embedded.client("operator") as client:
        answer = client.get(path, params=days)
    assert (answer.status_code, problem(answer)) == (422, "invalid")


def test_a_sheet_waits_until_all_that_is_recorded_can_be_seen(
    town: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.asked.WAIT_S", 0.05)
    town.desk.recharge("A1", 1_00)
    with town.client("operator") as client:
        client.headers["Accept-Language"] = "en"
        behind = client.get(SHEET, params=DAY)
        assert (behind.status_code, problem(behind)) == (503, "views_behind")
        town.catch_up()
        rows = sheet(client.get(SHEET, params=DAY).content)
    assert rows[-1]["Recharged"] == "71.06"
