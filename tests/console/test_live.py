"""One stream for a whole browser, whichever tabs come and go; what it tells is small."""

import time
from collections.abc import Callable

import msgspec
from playwright.sync_api import Page, expect

from api.console.live import numbers
from api.stream import Told
from ledger.access import Reach
from ledger.commands.record_readings import handle as record_readings
from ledger.queries import Changes
from tests.console.visits import Visit, Visitors
from tests.harness.console import CLERK, Console, next_reading

TABS = 8
WATCHED = "A000040"
WAIT_S = 120.0


def test_many_tabs_share_one_stream_and_all_of_them_are_live(
    visit: Visit, console: Console
) -> None:
    visit.go(f"/accounts/{WATCHED}")
    tabs = [visit.page, *(_tab(visit, f"/accounts/{WATCHED}") for _ in range(TABS - 1))]
    for tab in tabs:
        expect(tab.locator("#live")).to_have_attribute("data-state", "live")
    _until(lambda: console.listeners() == 1)
    _all_see_a_reading(tabs, console)


def test_another_tab_takes_the_stream_over_when_its_holder_closes(
    visit: Visit, console: Console
) -> None:
    holder = visit.go(f"/accounts/{WATCHED}")
    expect(holder.locator("#live")).to_have_attribute("data-state", "live")
    follower = _tab(visit, f"/accounts/{WATCHED}")
    expect(follower.locator("#live")).to_have_attribute("data-state", "live")
    holder.close()
    _all_see_a_reading([follower], console)


def test_a_broken_stream_is_told_and_taken_up_again(visit: Visit, console: Console) -> None:
    page = visit.go(f"/accounts/{WATCHED}")
    sign = page.locator("#live")
    expect(sign).to_have_attribute("data-state", "live")
    page.evaluate("""() => {
        window.states = [];
        new MutationObserver(() => states.push(document.querySelector('#live').dataset.state))
            .observe(document.querySelector('#live'), {attributes: true});
    }""")
    console.break_streams()
    page.wait_for_function("() => window.states.includes('lost')")
    expect(sign).to_have_attribute("data-state", "live")
    _all_see_a_reading([page], console)


def test_a_tab_that_nobody_sees_lets_go_and_catches_up_when_it_is_seen_again(
    visit: Visit, console: Console
) -> None:
    page = visit.go(f"/accounts/{WATCHED}")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    _until(lambda: console.listeners() == 1)
    before = page.locator("#available").inner_text()
    _hide(page, is_hidden=True)
    _until(lambda: console.listeners() == 0)
    record_readings([next_reading(console, WATCHED)], console.ledger, CLERK)
    page.wait_for_timeout(1_500)
    expect(page.locator("#available")).to_have_text(before)
    _hide(page, is_hidden=False)
    expect(page.locator("#available")).not_to_have_text(before)


def test_what_is_open_on_the_timeline_stays_open(visit: Visit, console: Console) -> None:
    page = visit.go(f"/accounts/{WATCHED}")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    summary = page.locator("#events tr summary").last
    summary.click()
    _all_see_a_reading([page], console)
    expect(page.locator("#events tr details[open]")).to_have_count(1)
    expect(summary).to_be_focused()


def test_a_reading_of_another_account_leaves_a_page_alone(
    visitors: Visitors, console: Console
) -> None:
    visit = visitors.come()
    page = visit.go("/accounts/A000041")
    expect(page.locator("#live")).to_have_attribute("data-state", "live")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    other = _tab(visit, f"/accounts/{WATCHED}")
    _all_see_a_reading([other], console)
    assert not [url for url in asked if "A000041" in url]


def test_a_message_names_accounts_in_reach_and_not_how_they_are() -> None:
    changes = Changes(frozenset({"A1", "A2"}), frozenset({"account.charged.v1"}))
    told = Told({0: 7}, changes, [_body("A1", "north"), _body("A2", "south")])
    (message,) = numbers(told, (), Reach(frozenset({"north"})))
    at, data = message.decode().strip().split("\n")
    assert at == "id: 0:7"
    body = msgspec.json.decode(data.removeprefix("data: "))
    assert body == {"accounts": ["A1"], "topics": ["account"]}
    assert not numbers(told, (), Reach(frozenset({"east"})))


def test_too_many_changes_let_everybody_look_again() -> None:
    changes = Changes(frozenset(), frozenset({"account.charged.v1"}), is_cut=True)
    (message,) = numbers(Told({0: 9}, changes, []), (), Reach())
    assert b'"accounts":null' in message


def _hide(page: Page, *, is_hidden: bool) -> None:
    """What a browser tells a page when another tab is brought to the front."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        is_hidden,
    )


def _body(account_no: str, site: str) -> dict[str, str]:
    return {"account_no": account_no, "site": site}


def _tab(visit: Visit, path: str) -> Page:
    page = visit.tab()
    page.goto(visit.console.url + path)
    return page


def _all_see_a_reading(tabs: list[Page], console: Console) -> None:
    before = tabs[0].locator("#available").inner_text()
    record_readings([next_reading(console, WATCHED)], console.ledger, CLERK)
    for tab in tabs:
        expect(tab.locator("#available")).not_to_have_text(before)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)
