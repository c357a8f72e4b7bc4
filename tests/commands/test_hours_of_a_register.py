"""A meter with one register on a tariff by hours: charged, corrected, explained and previewed."""

import pytest

from adapters.views.account_past import history_of
from adapters.views.explained import explain_charge
from ledger.aggregates import Refused
from ledger.commands import correct_reading
from ledger.commands.correct_reading import CorrectReading
from ledger.commands.late_readings import Reading
from ledger.events.account import AccountCharged, MeteredInterval
from ledger.events.registry import encode
from ledger.previewing import Preview, Told
from ledger.pricing import compile_tariff
from tests.harness.desk import ACTOR, Desk, Json, at_us, moment, point
from tests.harness.documents import energy, tariff, version

KWH = 1_000
HOURS = {"peak": "08:00-22:00", "valley": "22:00-08:00"}
BY_DAY_TYPE = {"workday": HOURS, "weekend": {"valley": "00:00-24:00"}, "holidays": "cn"}


def by_hours(calendar: Json, tariff_id: str = "hours") -> Json:
    priced = version(energy({"peak": ["0.6", "0.7"], "valley": ["0.3", "0.4"]}), bounds=["100"])
    document = tariff(tariff_id, priced, registers=("peak", "valley"))
    return {**document, "tou_calendar": calendar}


@pytest.fixture
def home(desk: Desk) -> Desk:
    """A1 has a meter M1 with one register, since Thursday, New Year 2026."""
    desk.publish(by_hours(BY_DAY_TYPE))
    desk.open("A1", point("M1", "hours"))
    desk.recharge("A1", 500_00)
    return desk


def charges(desk: Desk) -> list[int]:
    return [e.amount_minor for e in desk.facts("A1") if isinstance(e, AccountCharged)]


def test_hourly_readings_are_charged_by_the_hour_and_the_kind_of_day(home: Desk) -> None:
    home.read_all(
        Reading("M1", at_us("2026-01-05T08:00"), {"total": 10 * KWH}),
        Reading("M1", at_us("2026-01-05T09:00"), {"total": 20 * KWH}),
        Reading("M1", at_us("2026-01-05T22:00"), {"total": 30 * KWH}),
        Reading("M1", at_us("2026-01-05T23:00"), {"total": 40 * KWH}),
    )
    # Up to Monday 08:00: of 104 hours after New Year, 14 of Sunday the 4th are worked and peak.
    first = 10 * KWH - 10 * KWH * 14 // 104
    assert charges(home)[1:] == [6_00, 6_00, 3_00]
    assert abs(charges(home)[0] - (first * 30 + (10 * KWH - first) * 60) // KWH) <= 2
    assert home.views.verify() == []


def test_an_hour_over_a_border_is_split_and_explained(home: Desk) -> None:
    home.read("M1", "2026-01-05T07:30", 10 * KWH)
    home.read("M1", "2026-01-05T08:30", 20 * KWH)
    assert charges(home)[-1] == 3_00 + 1_50
    assert home.account("A1").points[0].position.den == 1
    body = explain_charge(home.engine, history_of(home.engine, 1), 1, "A1", home.heads()[0])
    (interval,) = body["intervals"]
    assert [(part["register"], part["quantity"]) for part in interval["hours"]] == [
        ("valley", "5"),
        ("peak", "5"),
    ]
    assert interval["registers"]["total"]["quantity"] == "10"
    assert interval["steps"][0]["tiers"][0]["quantities"] == {"peak": "5", "valley": "5"}


def test_a_late_reading_tells_the_hours_apart_after_all(home: Desk) -> None:
    home.read("M1", "2026-01-05T06:00", 10 * KWH)
    home.read("M1", "2026-01-05T10:00", 50 * KWH)
    assert charges(home)[-1] == 6_00 + 12_00
    before = home.account("A1").balance_minor
    assert home.read("M1", "2026-01-05T08:00", 45 * KWH)["accepted"] == 1
    assert home.account("A1").balance_minor == before + (6_00 + 12_00) - (10_50 + 3_00)
    told = {"meter_no": "M1", "at": moment("2026-01-05T08:00"), "reason": "misread"}
    command = CorrectReading.model_validate({**told, "registers": {"total": "10"}})
    correct_reading.handle(command, home.ledger, ACTOR)
    assert home.account("A1").balance_minor == before + (6_00 + 12_00) - 24_00
    assert home.views.verify() == []


def test_a_year_without_holidays_keeps_the_reading_aside(home: Desk) -> None:
    home.clock.go("2031-05-01T12:00")
    answer = home.read("M1", "2031-05-01T00:00", 10 * KWH)
    (item,) = answer["quarantined"]
    assert item["code"] == "holidays_unknown"
    assert "holidays of 2026" not in item["reason"]
    assert "wattledger tariff add-holidays FILE" in item["reason"]


def test_a_tariff_that_leaves_its_hours_open_needs_a_meter_that_tells_them(desk: Desk) -> None:
    desk.publish(by_hours({"note": "by the notice"}, "open"))
    with pytest.raises(Refused) as refusal:
        desk.open("A1", point("M1", "open"))
    assert refusal.value.code == "register_missing"


def test_a_meter_with_all_registers_is_charged_by_them(desk: Desk) -> None:
    desk.publish(by_hours(BY_DAY_TYPE))
    desk.open("A1", point("M1", "hours", initial={"peak": 0, "valley": 0}))
    desk.read("M1", "2026-01-05T08:00", peak=10 * KWH, valley=0)
    assert charges(desk) == [6_00]


def test_the_same_draft_changes_nothing_for_one_register(home: Desk) -> None:
    for hour in range(24):
        home.read("M1", f"2026-01-05T{hour:02}:00", hour * 2 * KWH)
    home.read("M1", "2026-01-05T12:30", 25 * KWH)  # late
    draft = compile_tariff(by_hours(BY_DAY_TYPE))
    stream = home.account("A1").stream_id
    history = [
        Told(item.event.TOPIC, item.valid_at_us, item.command_id, encode(item.event))
        for item in home.recorded()
        if item.stream_id == stream
    ]
    outcome = Preview(draft, "hours", {}).outcome(history)
    assert outcome.refused == ""
    assert outcome.before_minor == outcome.after_minor > 0


def test_an_interval_of_a_correction_shows_the_meters_one_register(home: Desk) -> None:
    home.read("M1", "2026-01-05T06:00", 10 * KWH)
    home.read("M1", "2026-01-05T10:00", 50 * KWH)
    home.read("M1", "2026-01-05T08:00", 45 * KWH)
    corrected = home.facts("A1")[-1]
    shown: tuple[MeteredInterval, ...] = corrected.intervals  # type: ignore[attr-defined] # a correction
    assert [list(each.registers) for each in shown] == [["total"], ["total"]]
