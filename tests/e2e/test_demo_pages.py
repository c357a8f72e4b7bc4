"""The tasks that the demonstration proposes, done by a person with a browser."""

import csv
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect, sync_playwright

from adapters.demo.stage import temporary
from adapters.wiring import open_engine, open_users
from tests.e2e.conftest import METERS, Demo, started
from tests.harness.terminal import PROGRAM, ROOT

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
WAIT_MS = 60_000
AMOUNTS = (
    "Opening balance", "Recharged", "Reversed", "Adjusted", "Charged", "Paid by grants",
    "Paid by units held", "Units bought for", "Closing balance",
)  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demonstration for all visits of this file."""
    with started(tmp_path_factory.mktemp("demo")) as found:
        yield found


def link(demo: Demo) -> str:
    """A fresh link of its administrator: the printed one signs in once."""
    (folder,) = demo.folder.glob("wattledger-demo-*")
    settings = temporary(folder)
    engine = open_engine(settings)
    secret = open_users(engine, settings).issue_link("demo-admin")
    engine.dispose()
    return f"{demo.ready['url']}/login/{secret}"


@pytest.fixture
def page(demo: Demo) -> Iterator[Page]:
    """An administrator who followed a link; no page may complain."""
    found = shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(found).exists():
        pytest.skip("there is no Chromium here")
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        page = browser.new_page(locale="en", viewport={"width": 1280, "height": 860})
        page.set_default_timeout(WAIT_MS)
        expect.set_options(timeout=WAIT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
        page.goto(link(demo))
        yield page
        browser.close()
    assert not errors


def test_the_guide_leads_through_its_tasks(demo: Demo, page: Page) -> None:
    guide = page.locator("#guide")
    expect(guide).to_be_visible()
    grave = [
        found["id"]
        for found in Axe().run(page).response["violations"]
        if found["impact"] in {"serious", "critical"}
    ]
    assert not grave

    guide.get_by_role("link", name="Cut off").click()
    cut = page.locator("#rows tr").filter(has_text="Off").first
    expect(cut).to_be_visible()
    number = cut.locator("a.row-link").inner_text()
    cut.locator("a.row-link").click()
    expect(page.locator("#events")).to_contain_text("Cut-off ordered")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount", exact=True).fill("50")
    expect(dialog.locator("#effect")).to_contain_text("given back by this payment")
    dialog.get_by_role("button", name="Confirm recharge").click()
    expect(dialog.get_by_role("heading")).to_contain_text("Recharge booked")
    dialog.get_by_role("button", name="Done").click()
    events = page.locator("#events tr")
    expect(events.filter(has_text="Supply confirmed").filter(has_text="On").first).to_be_visible()

    page.get_by_role("link", name="Why?").click()
    expect(page).to_have_url(re.compile("type=supply"))
    decision = page.locator("#events tr").filter(has_text="Cut-off ordered").first
    expect(decision.locator(".rules")).to_contain_text("✓")

    page.get_by_role("link", name="Monitor", exact=True).first.click()
    page.locator("#guide").get_by_role("link", name="Reports").click()
    expect(page.locator("#sums .equation")).to_contain_text("Closing balance")
    with page.expect_download() as started_download:
        page.get_by_role("button", name="Export CSV").click()
    kept = started_download.value
    assert re.fullmatch(r"daily-report-\d{4}-\d\d-\d\d\.csv", kept.suggested_filename)
    rows = list(csv.DictReader(kept.path().read_text(encoding="utf-8-sig").splitlines()))
    *accounts, total = rows
    assert len(accounts) == METERS
    assert total["Account number"] == f"Total of {METERS} accounts"
    for row in rows:
        amount = {name: Decimal(row[name] or 0) for name in AMOUNTS}
        came = amount["Opening balance"] + amount["Recharged"] - amount["Reversed"]
        left = amount["Charged"] - amount["Paid by grants"] - amount["Paid by units held"]
        adjusted = amount["Adjusted"] - amount["Units bought for"]
        assert came + adjusted - left == amount["Closing balance"]
    [paid] = [row for row in accounts if row["Account number"] == number]
    assert Decimal(paid["Recharged"]) >= 50


def test_the_guide_fits_a_small_telephone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    expect(page.locator("#guide")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_role_is_changed_without_a_password(page: Page) -> None:
    guide = page.locator("#guide")
    guide.get_by_role("button", name="Auditor").click()
    expect(guide.get_by_role("button", name="Auditor")).to_be_disabled()
    expect(page.get_by_role("link", name="Recharge")).to_have_count(0)


def test_the_command_of_the_guide_verifies_the_log(demo: Demo, page: Page) -> None:
    told = page.locator("#guide li code").inner_text()
    setting, *words = told.split()
    name, _, value = setting.partition("=")
    assert words[0] == "wattledger"
    done = subprocess.run(
        [*PROGRAM, *words[1:]],
        env=os.environ | {"PYTHONPATH": str(ROOT), name: value},
        cwd=demo.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
