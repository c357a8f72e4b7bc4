"""Events as sentences: readings fold between other events, and money keeps its sign."""

from collections.abc import Callable
from typing import Any

from api.console.language import Language
from api.console.timeline import READ_MAX, SHOWN, Fold, Line, read_back, shown_count, told
from ledger.queries import EventsAsked, Page

ENGLISH = Language("en", "Asia/Shanghai")
Json = dict[str, Any]


def _event(version: int, topic: str, **payload: Any) -> Json:  # noqa: ANN401 - as an event has it
    return {
        "shard": 0,
        "position": version,
        "version": version,
        "topic": topic,
        "valid_at": "2026-11-22T02:00:00Z",
        "recorded_at": "2026-11-22T02:00:00Z",
        "payload": payload,
    }


def _charge(version: int, quantity_wh: int, amount_minor: int) -> Json:
    return _event(
        version,
        "account.charged.v1",
        meter_no="E1",
        unit="wh",
        tariff_id="home",
        registers={"total": [0, quantity_wh, quantity_wh]},
        amount_minor=amount_minor,
        balance_after_minor=1_000,
        granted_after_minor=50,
    )


def _payment(version: int) -> Json:
    return _event(
        version,
        "account.credited.v1",
        channel="cash",
        receipt_no="0-7",
        amount_minor=10_000,
        balance_after_minor=11_000,
        granted_after_minor=0,
    )


def test_neighbouring_readings_are_one_line_with_their_sum() -> None:
    events = [_charge(4, 1_500, 90), _charge(3, 500, 30), _payment(2), _charge(1, 100, 6)]
    fold, payment, single = told(events, ENGLISH, is_folded=True)
    assert isinstance(fold, Fold)
    assert fold.text == "2 readings · 2.00 kWh"
    assert fold.amount_minor == -120
    assert fold.first.version == 4
    assert isinstance(payment, Line)
    assert isinstance(single, Line)
    assert single.text == "E1 · 0.10 kWh · home"


def test_every_reading_is_shown_where_that_is_wanted() -> None:
    lines = told([_charge(2, 1, 1), _charge(1, 1, 1)], ENGLISH, is_folded=False)
    assert all(isinstance(line, Line) for line in lines)
    assert len(lines) == 2


def test_a_payment_names_its_receipt_and_what_is_available_after_it() -> None:
    (payment,) = told([_payment(1)], ENGLISH, is_folded=True)
    assert isinstance(payment, Line)
    assert payment.text == "Cash · receipt 0-7"
    assert (payment.amount_minor, payment.balance_minor) == (10_000, 11_000)


def test_a_mismatch_says_what_the_meter_shows() -> None:
    event = _event(1, "account.supply_mismatch_found.v1", point="1", meter_no="E1", actual="off")
    (line,) = told([event], ENGLISH, is_folded=True)
    assert isinstance(line, Line)
    assert line.text == "E1 · Off"


def test_an_event_without_a_sentence_of_its_own_says_what_it_holds() -> None:
    event = _event(1, "account.brand_new.v1", account_no="A1", reason="because", number=3)
    (line,) = told([event], ENGLISH, is_folded=True)
    assert isinstance(line, Line)
    assert line.text == "reason because · number 3"
    assert line.amount_minor is None


def _reader(events: list[Json]) -> Callable[[EventsAsked], Page]:
    """Pages of a list of events, newest first; the cursor is the version of the last one."""

    def ask(asked: EventsAsked) -> Page:
        older = [e for e in events if asked.cursor is None or e["version"] < int(asked.cursor)]
        items = older[: asked.limit]
        return Page(items, str(items[-1]["version"]) if len(items) == asked.limit else None)

    return ask


def test_a_page_is_full_of_what_is_shown_however_many_readings_fold_away() -> None:
    events = [_charge(v, 1, 1) if v % 20 else _payment(v) for v in range(3_000, 0, -1)]
    asked = EventsAsked(newest_first=True, limit=100)
    page = read_back(_reader(events), asked, is_folded=True)
    shown = told(page.items, ENGLISH, is_folded=True)
    assert SHOWN <= len(shown) < SHOWN + 100
    assert len(shown) == shown_count(page.items, is_folded=True)
    assert page.cursor == str(page.items[-1]["version"])
    following = read_back(_reader(events), asked._replace(cursor=page.cursor), is_folded=True)
    assert [*page.items, *following.items] == events[: len(page.items) + len(following.items)]


def test_readings_without_end_do_not_keep_a_page_waiting() -> None:
    events = [_charge(v, 1, 1) for v in range(3 * READ_MAX, 0, -1)]
    page = read_back(_reader(events), EventsAsked(newest_first=True, limit=100), is_folded=True)
    assert len(page.items) == READ_MAX
    assert page.cursor is not None


def test_the_first_events_of_an_account_have_nothing_before_them() -> None:
    events = [_charge(2, 1, 1), _payment(1)]
    page = read_back(_reader(events), EventsAsked(newest_first=True, limit=100), is_folded=True)
    assert page == Page(events, None)
