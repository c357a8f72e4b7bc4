"""Events as sentences: readings fold between other events, and money keeps its sign."""

from typing import Any

from api.console.language import Language
from api.console.timeline import Fold, Line, told

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
