"""Many meters told the same from the monitor: seen first, typed, and approved by somebody else."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from ledger.commands import guarantee
from tests.console.visits import Visit, Visitors
from tests.harness.console import CLERK, Console

OWN = "A000051"
GUARANTEED = "A000052"


@pytest.fixture
def cautious(console: Console) -> Iterator[Console]:
    """A ledger in which every trip of a batch needs two people."""
    console.ledger.trips_alone_max = 0
    yield console
    console.ledger.trips_alone_max = 50


def open_dialog(page: Page, kind: str, question: str = "What shall the meters do?") -> Locator:
    page.keyboard.press("x")
    dialog = page.get_by_role("dialog")
    choice = dialog.get_by_label(question)
    expect(choice).to_be_focused()
    if choice.locator("option:checked").inner_text() != kind:  # Else nothing tells of the answer.
        choice.select_option(label=kind)
    expect(dialog.locator(".subject")).to_contain_text(kind)
    return dialog


def test_the_whole_town_is_cut_off_only_when_it_is_typed_and_somebody_else_agrees(
    visitors: Visitors, visit: Visit
) -> None:
    page = visit.go("/monitor")
    dialog = open_dialog(page, "Switch off")
    count = re.sub(r"\D", "", dialog.locator("#batch-count").inner_text())
    assert int(count) > 50
    assert dialog.locator("ul[aria-label='Such as'] li").count() == 3
    expect(dialog.get_by_text("only when a second person approves it")).to_be_visible()
    dialog.get_by_label("Reason").fill("a fire")
    dialog.get_by_label("to confirm").fill("7")
    dialog.get_by_role("button", name="Ask for approval").click()
    expect(dialog).to_be_visible()  # The browser itself minds the number.
    form = page.evaluate("Object.fromEntries(new FormData(document.querySelector('#batch-order')))")
    headers = {"Accept-Language": "en"}
    url = f"{visit.console.url}/commands/batch"
    forged = visit.context.request.post(url, form=form, headers=headers)
    assert (forged.status, "Type the number" in forged.text()) == (422, True)
    dialog.get_by_label("to confirm").fill(count)
    dialog.get_by_role("button", name="Ask for approval").click()
    expect(page.locator("#batch-status")).to_have_text("Waits for approval")
    expect(page.get_by_text("Somebody else has to approve it.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    path = re.sub(r"^.*?(/commands)", r"\1", page.url)
    other = visitors.come(role="operator").go(path)
    other.get_by_role("link", name="Reject").click()
    rejecting = other.get_by_role("dialog")
    rejecting.get_by_label("Reason").fill("the wrong quarter")
    rejecting.get_by_role("button", name="Reject the batch").click()
    expect(other.locator("#batch-status")).to_have_text("Rejected")
    expect(page.locator("#batch-status")).to_have_text("Rejected")


def test_an_approved_batch_is_ordered_and_whoever_is_guaranteed_is_left_out(
    visitors: Visitors, visit: Visit, cautious: Console
) -> None:
    started = guarantee.StartGuarantee(account_no=GUARANTEED, reason="exams")
    guarantee.start(started, cautious.ledger, CLERK)
    page = visit.go("/monitor?q=A00005")
    dialog = open_dialog(page, "Switch off")
    expect(dialog.locator("#batch-excluded")).to_contain_text("1 left out")
    page.keyboard.press("Escape")
    page = visit.go(f"/monitor?q={OWN}")
    dialog = open_dialog(page, "Switch off")
    dialog.get_by_label("Reason").fill("a fire")
    dialog.get_by_role("button", name="Ask for approval").click()
    expect(page.locator("#batch-progress")).to_contain_text("Not decided yet 1")
    other = visitors.come(role="operator").go("/commands")
    other.get_by_role("link", name="Batches").click()
    other.locator("#batches tr", has_text="Waits for approval").get_by_role("link").click()
    other.get_by_role("button", name="Approve").click()
    expect(other.locator("#batch-status")).to_have_text("Ordered")
    expect(other.locator("#orders")).to_contain_text(OWN)
    expect(page.locator("#batch-progress")).to_contain_text("Held 1")


def test_a_few_are_told_at_once_in_chinese_and_by_keyboard(visitors: Visitors) -> None:
    visit = visitors.come(role="engineer", language="zh-CN")
    page = visit.go("/monitor?q=A000053")
    dialog = open_dialog(page, "召测", "对电表做什么")
    dialog.get_by_label("原因").fill("抽查")
    page.keyboard.press("Enter")
    expect(page.locator("#batch-status")).to_have_text("已下达")


def test_whoever_may_only_look_is_offered_no_batch(visitors: Visitors) -> None:
    page = visitors.come(role="cashier").go("/monitor")
    expect(page.locator("#rows tr").first).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Command to"))).to_have_count(0)
