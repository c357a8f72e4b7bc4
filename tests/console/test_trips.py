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


def test_a_site_is_guaranteed_to_a_time_of_its_own_clocks_which_is_shown_afterwards(
    visitors: Visitors,
) -> None:
    visit = visitors.come(language="zh-CN")
    page = visit.go("/commands")
    page.get_by_role("link", name="暂停停电").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("原因").fill("高考")
    until = dialog.get_by_label("截止时间")
    until.evaluate("input => { input.removeAttribute('min'); input.value = '2020-06-07T08:00'; }")
    dialog.get_by_role("button", name="暂停停电").click()
    expect(dialog.get_by_role("alert")).to_have_text("该时间已经过去。")
    expect(dialog.get_by_label("原因")).to_have_value("高考")
    visit.errors.clear()  # The browser itself notes the 422.
    expect(until).to_have_value("2020-06-07T08:00")
    until.fill("2099-06-08T20:30")
    dialog.get_by_role("button", name="暂停停电").click()
    told = page.locator("#suspended-1")
    expect(told).to_contain_text("将于 2099-06-08 20:30:00 自动结束")
    told.get_by_role("link", name="恢复停电").click()
    expect(dialog.get_by_label("截止时间")).to_have_count(0)
    dialog.get_by_label("原因").fill("考完了")
    dialog.get_by_role("button", name="恢复停电").click()
    expect(told).to_have_count(0)


def test_whoever_may_only_look_is_offered_no_switch(visitors: Visitors) -> None:
    page = visitors.come(role="cashier").go("/commands")
    expect(page.get_by_role("heading", name="Commands")).to_be_visible()
    expect(page.get_by_role("link", name="Suspend cutting off")).to_have_count(0)
