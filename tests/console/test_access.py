"""Everybody can use every page: axe finds nothing serious, in both languages and both themes."""

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
    "/tariffs",
    "/tariffs/water",
)
GRAVE = {"serious", "critical"}
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
AXE = Axe()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_is_free_of_grave_faults(
    visitors: Visitors, language: str, scheme: Scheme
) -> None:
    visit = visitors.come(language=language, scheme=scheme)
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
    page.wait_for_load_state("load")
    results = AXE.run(page, options=RULES).response
    return [
        f"{found['id']}: {found['nodes'][0]['html'][:160]} {found['nodes'][0]['failureSummary']}"
        for found in results["violations"]
        if found["impact"] in GRAVE
    ]
