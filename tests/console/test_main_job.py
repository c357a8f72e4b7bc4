"""What people come to the console for, done in a real browser on a real ledger."""

import re

import pytest
from playwright.sync_api import Page, expect

from ledger.commands.record_readings import handle as record_readings
from tests.console.visits import Visit, Visitors
from tests.harness.console import CLERK, EMPTY_PURSE, Console, next_reading

DEBTOR = EMPTY_PURSE
PAYER = "A000012"
WATCHED = "A000020"


def test_a_login_link_works_once(visitors: Visitors, console: Console) -> None:
    visit = visitors.come(role="")
    link = console.link("operator")
    visit.page.goto(link)
    expect(visit.page).to_have_url(f"{console.url}/monitor")
    visit.context.clear_cookies()
    visit.page.goto(link)
    expect(visit.page.get_by_role("alert")).to_contain_text("used before")
    visit.errors.clear()  # The browser itself notes the 401.


def test_somebody_who_is_not_signed_in_is_led_to_the_form(visitors: Visitors) -> None:
    visit = visitors.come(role="")
    expect(visit.go("/accounts/A000001")).to_have_url(re.compile("/login$"))


def test_signing_out_ends_the_session(visit: Visit) -> None:
    page = visit.page
    page.locator("details.who summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login$"))
    expect(visit.go("/monitor")).to_have_url(re.compile("/login$"))


def test_an_account_is_found_by_its_meter(visit: Visit) -> None:
    page = visit.page
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    page.locator("#find").fill("E00000009")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/accounts/A000009$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("A000009")


def test_a_recharge_shows_its_effect_first_and_moves_the_balance_without_a_reload(
    visit: Visit, console: Console
) -> None:
    page = visit.go(f"/accounts/{PAYER}")
    before = _minor(page)
    page.evaluate("window.untouched = true")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Amount", exact=True)).to_be_focused()
    dialog.get_by_role("button", name="100", exact=True).click()
    expect(dialog.locator("#effect b")).to_have_text(_yuan(before + 10_000))
    dialog.get_by_role("button", name="Confirm recharge").click()
    expect(dialog.get_by_role("heading")).to_contain_text("Recharge booked")
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator("#available")).to_have_text(_yuan(before + 10_000))
    receipt = page.locator("#events tr", has_text="Cash").filter(has_text="+CN¥100.00")
    expect(receipt.first).to_be_visible()
    assert page.evaluate("window.untouched"), "the page was loaded anew"
    body = console.account(PAYER)
    assert body["available_minor"] == before + 10_000


def test_the_same_form_sent_twice_pays_once(visit: Visit, console: Console) -> None:
    page = visit.go(f"/accounts/{PAYER}/recharge")
    before = console.account(PAYER)["balance_minor"]
    form = page.evaluate(
        "Object.fromEntries(new FormData(document.querySelector('form[data-once]')))"
    )
    form |= {"amount": "50", "channel": "cash"}
    url = f"{console.url}/accounts/{PAYER}/recharge"
    answers = [visit.context.request.post(url, form=form) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    receipts = {number for answer in answers for number in re.findall(r"0-\d+", answer.text())}
    assert len(receipts) == 1
    assert console.account(PAYER)["balance_minor"] == before + 5_000


def test_a_form_without_the_token_of_its_session_is_refused(visit: Visit, console: Console) -> None:
    before = console.account(PAYER)["balance_minor"]
    answer = visit.context.request.post(
        f"{console.url}/accounts/{PAYER}/recharge",
        form={"key": "0" * 32, "amount": "50", "channel": "cash", "csrf_token": "forged"},
    )
    assert answer.status == 403
    assert console.account(PAYER)["balance_minor"] == before


def test_an_amount_that_cannot_be_paid_is_told_in_the_dialog(visit: Visit) -> None:
    page = visit.go(f"/accounts/{PAYER}")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount", exact=True).fill("12.345")
    expect(dialog.locator("#effect")).to_contain_text("The smallest unit is 0.01.")
    dialog.get_by_role("button", name="Confirm recharge").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The smallest unit is 0.01.")
    expect(dialog.get_by_label("Amount", exact=True)).to_have_value("12.345")
    dialog.get_by_label("Amount", exact=True).fill("12.34")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    expect(dialog.locator("#effect")).not_to_contain_text("smallest")
    visit.errors.clear()  # The browser itself notes the 422.


def test_a_payment_that_suffices_is_said_to_give_supply_back(visit: Visit) -> None:
    page = visit.go(f"/accounts/{DEBTOR}")
    expect(page.locator("#available")).to_have_class(re.compile("below"))
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount", exact=True).fill("1")
    expect(dialog.locator("#effect")).to_contain_text("stays off")
    dialog.get_by_label("Amount", exact=True).fill("500")
    expect(dialog.locator("#effect")).to_contain_text("given back by this payment")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_why_supply_was_cut_is_on_the_timeline(visit: Visit) -> None:
    page = visit.go(f"/accounts/{DEBTOR}")
    page.get_by_role("link", name="Why?").click()
    expect(page).to_have_url(re.compile("type=supply"))
    cut = page.locator("#events tr", has_text="Cut-off ordered").first
    expect(cut.locator(".rules")).to_contain_text(
        re.compile(r"Available -CN¥\d.*≤ Cut off CN¥0.00")
    )
    timeline = page.locator(".timeline .scroll")
    assert timeline.evaluate("region => region.scrollWidth <= region.clientWidth")
    bar, title = (page.locator(each).bounding_box() for each in ("header.top", "#timeline-title"))
    assert bar is not None
    assert title is not None
    assert title["y"] >= bar["height"], "the anchor leads to what can be seen"


def test_readings_are_folded_until_asked_for(visit: Visit) -> None:
    page = visit.go("/accounts/A000001")
    folded = page.locator("#events tr").count()
    page.get_by_role("link", name="Show every reading").click()
    expect(page).to_have_url(re.compile("fold=0"))
    assert page.locator("#events tr").count() > folded


def test_a_reading_moves_the_cells_of_the_monitor_and_leaves_the_focus(
    visit: Visit, console: Console
) -> None:
    page = visit.go(f"/monitor?q={WATCHED}")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    cell = page.locator(f"#row-{WATCHED} td").nth(5)
    before = cell.inner_text()
    page.locator("#q").focus()
    record_readings([next_reading(console, WATCHED)], console.ledger, CLERK)
    expect(cell).not_to_have_text(before)
    expect(page.locator("#q")).to_be_focused()


def test_a_command_is_requested_with_a_reason_and_followed_in_the_queue(visit: Visit) -> None:
    page = visit.go("/accounts/A000030")
    page.keyboard.press("x")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("the customer asks")
    dialog.get_by_role("button", name="Send command").click()
    expect(dialog.get_by_role("heading")).to_contain_text("Command requested")
    dialog.get_by_role("link", name="Follow it").click()
    row = page.locator("#commands tr").first
    expect(row).to_contain_text("Read the meter")
    expect(row).to_contain_text("the meter is on no line")
    row.get_by_role("link", name="Withdraw").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("not needed")
    dialog.get_by_role("button", name="Cancel the command").click()
    expect(page.locator("#commands tr").first).to_contain_text("Cancelled")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("A000003", "/accounts/A000003"),
        ("E00000004", "/accounts/A000004"),
        ("nobody", "/monitor?q=nobody"),
        ("0-999999999999999999", "/monitor?q=0-999999999999999999"),
        ("0-99999999999999999999999", "/monitor?q=0-99999999999999999999999"),
        ("%_'\"\\", "/monitor?q="),
    ],
)
def test_the_search_takes_whatever_is_typed(visit: Visit, wanted: str, found: str) -> None:
    page = visit.page
    page.locator("#find").fill(wanted)
    page.locator("#find").press("Enter")
    expect(page).to_have_url(re.compile(re.escape(visit.console.url + found)))


def test_an_account_is_found_by_a_receipt(visit: Visit) -> None:
    page = visit.go("/accounts/A000005?type=money")
    receipt = re.search(r"0-\d+", page.locator("#events").inner_text())
    assert receipt
    page.locator("#find").fill(receipt.group())
    page.locator("#find").press("Enter")
    expect(page).to_have_url(re.compile("/accounts/A000005$"))
    page = visit.go(f"/monitor?q={receipt.group()}")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#rows tr")).to_contain_text("A000005")


@pytest.mark.parametrize(
    "path",
    ["/monitor?sort=sideways", "/monitor?cursor=bad&sort=balance", "/accounts/A000001?before=x"],
)
def test_an_address_that_says_nothing_is_told_as_a_page(visit: Visit, path: str) -> None:
    page = visit.go(path)
    expect(page.get_by_role("heading", level=1)).to_have_text("This cannot be read")
    expect(page.locator("main")).to_contain_text("Request id")
    visit.errors.clear()  # The browser itself notes the 422.


def test_a_fault_of_ours_is_told_with_the_id_of_its_request(visit: Visit, console: Console) -> None:
    with console.with_a_broken_row("A000050"):
        page = visit.page
        answer = page.goto(f"{console.url}/accounts/A000050")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Something went wrong")
        assert answer is not None
        expect(page.locator("code")).to_have_text(answer.headers["x-request-id"])
    expect(visit.go("/accounts/A000050").locator("#available")).to_be_visible()
    visit.errors.clear()  # The browser itself notes the 500.


def test_an_account_out_of_reach_is_as_unknown_as_one_that_is_not_there(
    visitors: Visitors,
) -> None:
    visit = visitors.come("operator", ("another site",))
    expect(visit.go("/accounts/A000001").get_by_role("heading", level=1)).to_have_text("Not found")
    expect(visit.go("/accounts/nobody").get_by_role("heading", level=1)).to_have_text("Not found")
    expect(visit.go("/monitor").get_by_text("No accounts yet")).to_be_visible()
    visit.errors.clear()  # The browser itself notes the 404s.


def test_a_role_without_the_scope_is_told_so(visitors: Visitors) -> None:
    visit = visitors.come("auditor")
    page = visit.go("/accounts/A000001")
    expect(page.get_by_role("link", name="Recharge")).to_have_count(0)
    visit.go("/accounts/A000001/recharge")
    expect(page.locator("main")).to_contain_text("Your role is Auditor")
    visit.errors.clear()  # The browser itself notes the 403.


def _minor(page: Page) -> int:
    text = page.locator("#available").inner_text()
    return int(re.sub(r"[^0-9-]", "", text))


def _yuan(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}CN¥{abs(minor) // 100:,}.{abs(minor) % 100:02}"
