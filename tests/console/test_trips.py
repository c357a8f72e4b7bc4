"""The kill switch on the page of commands: thrown, seen by everybody, and taken back."""

from playwright.sync_api import expect

from tests.console.visits import Visitors


def test_an_operator_suspends_cutting_off_and_everybody_sees_it_until_it_goes_on(
    visitors: Visitors,
) -> None:
    page = visitors.come().go("/commands")
    page.get_by_role("link", name="Suspend cutting off").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox", name="Site")).to_contain_text("Everywhere")
    dialog.get_by_label("Reason").fill("a heat wave")
    dialog.get_by_role("button", name="Suspend cutting off").click()
    told = page.locator("#suspended-1")
    expect(told).to_contain_text("Nobody is cut off: Everywhere")
    expect(told).to_contain_text("a heat wave")
    told.get_by_role("link", name="Resume cutting off").click()
    dialog.get_by_label("Reason").fill("it rained")
    dialog.get_by_role("button", name="Resume cutting off").click()
    expect(told).to_have_count(0)


def test_whoever_may_only_look_is_offered_no_switch(visitors: Visitors) -> None:
    page = visitors.come(role="cashier").go("/commands")
    expect(page.get_by_role("heading", name="Commands")).to_be_visible()
    expect(page.get_by_role("link", name="Suspend cutting off")).to_have_count(0)
