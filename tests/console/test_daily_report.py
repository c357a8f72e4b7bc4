"""The daily report at the console: figures that close, and files of the very same question."""

import csv
import re

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.console.conftest import ACCOUNTS
from tests.console.visits import Visit, Visitors
from tests.harness.console import HOMES


def amounts(page: Page) -> list[int]:
    """The terms of the equation in minor units: opening, in, adjusted, out, closing."""
    terms = page.locator("#sums .term .num").all_inner_texts()
    return [int(re.sub(r"[^\d-]", "", text)) for text in terms]


def test_what_was_open_and_moved_makes_what_is_closed(visit: Visit) -> None:
    page = visit.go("/monitor")
    page.get_by_role("link", name="Daily report").click()
    expect(page.locator("#sums .term")).to_have_count(5)
    opening, recharged, adjusted, charged, closing = amounts(page)
    assert recharged > 0
    assert charged > 0
    assert opening + recharged + adjusted - charged == closing
    expect(page.locator("#days tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("#days tbody tr")).to_have_count(ACCOUNTS - 50)


def test_a_file_is_of_the_same_question_as_the_page(visit: Visit) -> None:
    page = visit.go("/reports/daily")
    page.locator("#group").select_option(HOMES[0])
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("group="))
    shown = page.locator("#days a.row-link").all_inner_texts()
    assert 0 < len(shown) < 50
    with page.expect_download() as of_csv:
        page.get_by_role("button", name="Export CSV").click()
    text = of_csv.value.path().read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    *rows, total = list(csv.reader(text.decode("utf-8-sig").splitlines()))[1:]
    assert [row[0] for row in rows] == shown
    assert total[0] == f"Total of {len(shown)} accounts"
    with page.expect_download() as of_xlsx:
        page.get_by_role("button", name="Export XLSX").click()
    assert of_xlsx.value.suggested_filename.endswith(".xlsx")
    with of_xlsx.value.path().open("rb") as file:
        sheet = openpyxl.load_workbook(file).worksheets[0]
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [*shown, total[0]]


def test_a_day_before_everything_says_so(visit: Visit) -> None:
    page = visit.go("/reports/daily?from=2001-01-01&to=2001-01-01")
    expect(page.get_by_role("heading", name="Nothing was booked by then")).to_be_visible()
    page.get_by_role("link", name="Today's report").click()
    expect(page.locator("#days tbody tr")).to_have_count(50)


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(visitors: Visitors, scheme: str, width: int) -> None:
    visit = visitors.come(language="zh-CN", scheme=scheme, width=width)  # type: ignore[arg-type]
    page = visit.go("/reports/daily")
    expect(page.locator("#sums")).to_contain_text("期末余额")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    assert not [each["id"] for each in found if each["impact"] in {"serious", "critical"}]


def test_days_that_make_no_sense_are_named(visitors: Visitors) -> None:
    visit = visitors.come()
    page = visit.go("/reports/daily?from=2026-07-02&to=2026-07-01")
    expect(page.locator("main")).to_contain_text("/to The last day is the first one")
    visit.errors.clear()  # The browser notes the status of the page itself.
