"""Filters, addresses, keys, languages and themes: the state of a page is in its URL."""

import re

import pytest
from playwright.sync_api import expect

from tests.console.visits import Visit, Visitors


def test_a_tile_is_a_filter_and_a_second_click_takes_it_off(visit: Visit) -> None:
    page = visit.go("/monitor")
    tile = page.locator("#tile-trip")
    number = int(tile.locator("b").inner_text())
    assert number > 0
    tile.click()
    expect(page).to_have_url(re.compile("level=trip"))
    expect(page.locator("#rows tr")).to_have_count(number)
    expect(page.locator("#rows .tag.trip")).to_have_count(number)
    page.locator("#tile-trip").click()
    expect(page).to_have_url(re.compile("/monitor$"))
    expect(page.locator("#rows tr")).to_have_count(50)


def test_typing_in_the_search_filters_the_rows_and_stays_in_the_address(visit: Visit) -> None:
    page = visit.go("/monitor")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("A00001")
    expect(page.locator("#rows tr")).to_have_count(10)
    expect(page).to_have_url(re.compile(r"/monitor\?q=A00001&sort=account_no$"))
    expect(page.locator("#q")).to_be_focused()
    page.reload()
    expect(page.locator("#q")).to_have_value("A00001")
    expect(page.locator("#rows tr")).to_have_count(10)


def test_a_group_and_an_order_are_kept_together_and_survive_going_back(visit: Visit) -> None:
    page = visit.go("/monitor")
    page.locator("#group").select_option("商铺")
    expect(page).to_have_url(re.compile("group="))
    page.locator("#sort").select_option("-balance")
    expect(page).to_have_url(re.compile("sort=-balance"))
    amounts = [_minor(text) for text in page.locator("#rows td:nth-child(6)").all_inner_texts()]
    assert amounts == sorted(amounts, reverse=True)
    assert len(amounts) == 10
    page.locator("#rows a.row-link").first.click()
    expect(page).to_have_url(re.compile("/accounts/"))
    page.go_back()
    expect(page.locator("#group")).to_have_value("商铺")
    expect(page.locator("#rows tr")).to_have_count(10)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_island_says_the_same_as_the_page(visitors: Visitors, language: str) -> None:
    visit = visitors.come(language=language)
    columns = (1, 3, 4, 5, 6, 7, 8, 9)  # The island has no names.
    cells = "#rows tr:nth-child(-n+12) td:nth-child({})"
    page = visit.go("/monitor")
    paged = [page.locator(cells.format(column)).all_inner_texts() for column in columns]
    page = visit.go("/monitor?view=all")
    expect(page.locator("live-table .rows .row").first).to_be_visible()
    rows = [
        row.locator("> span").all_inner_texts()
        for row in page.locator("live-table .rows .row").all()[:12]
    ]
    assert [[text.strip() for text in column] for column in paged] == [
        [row[column].strip() for row in rows] for column in range(len(columns))
    ]


def test_pages_follow_each_other_without_a_gap(visit: Visit) -> None:
    page = visit.go("/monitor")
    first = page.locator("#rows a.row-link").all_inner_texts()
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("#rows tr")).to_have_count(10)
    second = page.locator("#rows a.row-link").all_inner_texts()
    assert first + second == [f"A{number:06}" for number in range(1, 61)]


def test_nothing_found_says_so_and_leads_back(visit: Visit) -> None:
    page = visit.go("/monitor?q=nobody")
    expect(page.get_by_role("heading", name="No account matches")).to_be_visible()
    page.get_by_role("link", name="Clear all filters").click()
    expect(page.locator("#rows tr")).to_have_count(50)


def test_rows_are_walked_and_opened_by_keys(visit: Visit) -> None:
    page = visit.go("/monitor")
    for key in ("j", "j", "k", "j"):
        page.keyboard.press(key)
    expect(page.locator("tr.chosen")).to_have_id("row-A000002")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/accounts/A000002$"))


def test_two_keys_go_to_a_section_and_a_question_mark_helps(visit: Visit) -> None:
    page = visit.go("/monitor")
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page).to_have_url(re.compile("/alerts$"))
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


def test_single_keys_are_letters_inside_a_field_and_can_be_switched_off(visit: Visit) -> None:
    page = visit.go("/monitor")
    page.locator("#q").focus()
    page.keyboard.type("gaj?")
    expect(page.locator("#q")).to_have_value("gaj?")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.locator("#keys-off").check()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page).to_have_url(re.compile("/monitor"))


def test_a_key_is_heard_in_the_frame_in_which_a_dialog_closes(visit: Visit) -> None:
    page = visit.go("/accounts/A000007")
    page.keyboard.press("r")
    expect(page.locator("#dialog input:focus")).to_be_visible()
    page.evaluate(
        """() => {
            const field = document.activeElement;
            field.closest("dialog").close();
            field.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true }));
        }"""
    )
    expect(page.locator("#keys")).to_be_visible()


def test_a_language_is_chosen_once_and_kept(visitors: Visitors) -> None:
    visit = visitors.come(language="zh-CN")
    page = visit.go("/monitor?level=trip")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("#tile-trip")).to_contain_text("欠费停供")
    expect(page.locator("#tile-total b")).to_contain_text(re.compile(r"^-?¥[\d,]+\.\d\d$"))
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page).to_have_url(re.compile(r"/monitor\?level=trip$"))
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#tile-total b")).to_contain_text("CN¥")
    page.locator("#group").select_option("商铺")
    expect(page.locator("#accounts-table thead, #result h2").first).to_contain_text(
        re.compile("Account|No account")
    )


def test_dark_mode_follows_the_system_until_it_is_chosen(visitors: Visitors) -> None:
    visit = visitors.come(scheme="dark")
    page = visit.go("/monitor")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("link", name="Light mode").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    expect(visit.go("/alerts").locator("html")).to_have_attribute("data-theme", "light")


def test_the_skip_link_is_first_and_leads_to_the_content(visit: Visit) -> None:
    page = visit.go("/monitor")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_at_320_pixels_nothing_but_tables_scrolls_sideways(visitors: Visitors) -> None:
    visit = visitors.come(width=320, height=640)
    paths = ("/monitor", "/accounts/A000001", "/alerts", "/commands", "/tariffs")
    for path in (*paths, "/tariffs/residential-tou", "/policies/standard"):
        page = visit.go(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, f"{path} is {wide} pixels wide"


def test_without_scripts_the_pages_are_read_and_filtered(visitors: Visitors) -> None:
    visit = visitors.come()
    cookies = visit.context.cookies()
    plain = visit.context.browser
    assert plain is not None
    context = plain.new_context(java_script_enabled=False, locale="en")
    context.add_cookies([{**cookie} for cookie in cookies])  # type: ignore[typeddict-item]
    page = context.new_page()
    page.goto(f"{visit.console.url}/monitor")
    page.locator("#q").fill("A000003")
    page.locator("#q").press("Enter")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.locator("#rows a.row-link").click()
    expect(page.locator("svg.chart")).to_be_visible()
    page.get_by_role("link", name=re.compile("Recharge")).click()
    expect(page.locator("form[data-once]")).to_be_visible()
    context.close()


def _minor(text: str) -> int:
    return int(re.sub(r"[^0-9-]", "", text))
