"""The catalogue as people read it: prices, hours and lines in words, and what a change changed."""

import re

from playwright.sync_api import expect

from ledger.commands import publish_tariff
from tests.console.visits import Visit, Visitors
from tests.harness.console import CLERK, Console
from tests.harness.documents import energy, tariff, version


def test_a_tariff_is_read_in_words_and_its_text_lies_behind(visit: Visit) -> None:
    page = visit.go("/tariffs")
    page.get_by_role("link", name="residential-tou").click()
    prices = page.locator("table.prices")
    expect(prices.locator("thead th")).to_have_text(["Quantity", "Peak", "Flat", "Valley"])
    expect(prices.locator("tbody tr").nth(1)).to_have_text(
        re.compile(r"Tier 2\s+230 – 400 kWh\s*0\.7080\s*0\.6080\s*0\.4080")
    )
    expect(page.get_by_text("Prices include tax 13%")).to_be_visible()
    expect(page.locator("#publications tbody tr")).to_contain_text("clerk-1")
    expect(page.locator("pre.document")).to_be_hidden()
    page.locator("details.raw summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("pre.document")).to_contain_text('"tariff_id": "residential-tou"')


def test_two_publications_and_two_versions_are_compared(visit: Visit, console: Console) -> None:
    first = version(energy(["0.5"]), effective_to="2099-01-01")
    later = version(energy(["0.7"]), effective_from="2099-01-01")
    publish_tariff.handle(tariff("dearer", version(energy(["0.5"]))), console.ledger, CLERK)
    publish_tariff.handle(tariff("dearer", first, later), console.ledger, CLERK)
    page = visit.go("/tariffs/dearer")
    expect(page.locator("table.prices tbody td")).to_have_text(["0.5000"])
    page.get_by_role("link", name="From 2099-01-01 · To come").click()
    expect(page.locator("table.prices tbody td")).to_have_text(["0.7000"])
    page.locator("#compare select[name=against]").select_option("2020-01-01")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#compare .differences tr", has_text="Energy · price")).to_contain_text(
        re.compile(r"0\.5\s*0\.7")
    )
    page.get_by_role("link", name="What changed").click()
    changed = page.locator("#publications .differences tbody tr")
    expect(changed.filter(has_text="2099-01-01 on · Energy · price")).to_contain_text("0.7")
    page.locator("#publications").get_by_role("link", name="Show").last.click()
    expect(page.get_by_text("This publication is no longer the newest.")).to_be_visible()
    expect(page.get_by_text("2099")).to_have_count(0)


def test_a_policy_is_read_as_levels_in_the_visitors_language(visitors: Visitors) -> None:
    page = visitors.come(language="zh-CN").go("/accounts/A000001")
    page.get_by_role("link", name="standard").first.click()
    rows = page.locator("section[aria-labelledby=levels-title] tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(2)).to_contain_text("可用余额不高于 ¥0.00")
    expect(rows.nth(2)).to_contain_text("复电")


def test_an_unknown_tariff_is_a_page_that_says_so(visit: Visit) -> None:
    page = visit.go("/tariffs/nowhere")
    expect(page.locator(".problem-page")).to_contain_text("There is no tariff")
    page = visit.go("/tariffs/water?publication=99&version=x&against=y&before=0")
    expect(page.locator("table.prices")).to_be_visible()
    visit.errors.clear()  # The browser itself notes the 404.
