"""Everybody can use every page: axe finds nothing serious, in both languages and both themes."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.console.visits import Scheme, Visit, Visitors

PATHS = (
    "/monitor?q=A00001",
    "/monitor?view=all&q=A00001",
    "/monitor?q=nobody",
    "/accounts/A000001",
    "/accounts/A000007?type=supply",
    "/accounts/A000001/usage?point=electricity",
    "/alerts",
    "/commands",
    "/commands/batches",
    "/monitor/batch?q=A000003",
    "/tariffs",
    "/tariffs/residential-tou",
    "/policies/standard",
)
GRAVE = {"serious", "critical"}
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
RUN = "rules => axe.run(rules).then(results => results.violations)"
AXE = Axe()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_is_free_of_grave_faults_by_day_and_by_night(
    visitors: Visitors, language: str
) -> None:
    visit = visitors.come(language=language)
    faults = {path: _faults(visit.go(path)) for path in PATHS}
    faults["dialogs"] = _dialog_faults(visit)
    faults["404"] = _faults(visit.go("/accounts/nobody"))
    visit.context.clear_cookies(name="wattledger_session")
    faults["login"] = _faults(visit.go("/login"))
    assert not any(faults.values()), faults
    visit.errors.clear()  # The browser itself notes the 404.


def _dialog_faults(visit: Visit) -> list[str]:
    found: list[str] = []
    page = visit.go("/accounts/A000007")
    for key, box in (("r", "#dialog"), ("x", "#dialog"), ("?", "#keys")):
        page.keyboard.press(key)
        expect(page.locator(box)).to_be_visible()
        if box == "#dialog":
            expect(page.locator("#dialog form")).to_be_visible()
        found += _faults(page)
        page.keyboard.press("Escape")
        expect(page.locator(box)).to_be_hidden()
    return found


def _faults(page: Page) -> list[str]:
    """Each grave fault with the first place it was found at."""
    page.evaluate(AXE.axe_script)
    return [fault for scheme in SCHEMES for fault in _faults_by(page, scheme)]


def _faults_by(page: Page, scheme: Scheme) -> Iterator[str]:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for found in page.evaluate(RUN, RULES):
        place = found["nodes"][0]
        if found["impact"] in GRAVE:
            yield f"{scheme} {found['id']}: {place['html'][:160]} {place['failureSummary']}"
