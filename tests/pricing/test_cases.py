import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.pricing import run_cases
from tests.pricing.building import FILES, installed, only, read, reading, with_events


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_case_comes_out_as_written(path: Path) -> None:
    for result in run_cases(json.loads(path.read_bytes())):
        assert (result.id, result.differences, result.ok) == (result.id, [], True)


def test_a_wrong_expectation_is_shown_with_its_place_and_both_numbers() -> None:
    document = read("cn_shanghai_elec.json")
    document["cases"] = document["cases"][:1]
    expected = document["cases"][0]["expected"]
    expected["total"] = "1854.05"
    expected["intervals"][1]["lines"]["energy"] = "338.21"
    expected["periods"][0]["lines"]["levy"] = "1.00"
    expected["posted"].pop()
    result = only(document)
    assert result.ok is False
    assert sorted(result.differences) == [
        "/intervals/1/lines/energy: expected 338.21, got 338.20",
        "/periods/0/lines/levy: expected 1.00, got 0",
        "/posted/after_seq=3: expected 0, got 338.20",
        "/total: expected 1854.05, got 1854.04",
    ]


def test_without_expectation_a_case_is_only_computed() -> None:
    result = only(
        with_events(
            installed(1, "2025-01-01T00:00:00"), reading(2, "2025-02-01T00:00:00", "100", "50")
        )
    )
    assert (result.ok, result.total, result.differences) == (None, "77.05", [])
    assert msgspec.json.decode(msgspec.json.encode(result))["posted"] == [
        {"after_seq": 2, "amount": "77.05"}
    ]


def test_the_derivation_shows_the_arithmetic_of_each_tier() -> None:
    results = {result.id: result for result in run_cases(read("cn_shanghai_elec.json"))}
    steps: Any = results["SH04"].explain[1]["steps"]
    (step,) = steps
    (line,) = step["lines"]
    assert line["arithmetic"] == "72 × 0.617 + 48 × 0.307 + 288 × 0.677 + 192 × 0.337"
    assert (line["exact_before"], line["exact_after"]) == ("1479", "1797.84")
    assert (line["rounding"], line["amount"]) == ("half_up 0.01", "318.84")
    assert [tier["upto"] for tier in step["tiers"]] == ["3120", "4800"]


def test_a_cancelled_reading_gives_its_interval_back_to_the_next() -> None:
    result = only(
        with_events(
            installed(1, "2025-01-01T00:00:00"),
            reading(2, "2025-02-01T00:00:00", "900", "100"),
            reading(3, "2025-03-01T00:00:00", "1000", "500"),
            {"seq": 4, "type": "reading_cancelled", "cancels_seq": 2},
        )
    )
    assert [interval["to"] for interval in result.intervals] == ["2025-03-01"]
    assert [posting["after_seq"] for posting in result.posted] == [2, 3, 4]
    assert result.total == "770.50"


def test_a_register_that_begins_again_at_zero_has_wrapped() -> None:
    result = only(
        with_events(
            installed(
                1,
                "2025-01-01T00:00:00",
                registers={"peak": "99990", "valley": "5"},
                multiplier="20",
            ),
            reading(2, "2025-02-01T00:00:00", "10", "6"),
        )
    )
    assert result.intervals[0]["consumption"] == {"peak": "400", "valley": "20"}


def test_a_register_that_falls_is_quarantined_until_it_is_corrected() -> None:
    events = [
        installed(1, "2025-01-01T00:00:00"),
        reading(2, "2025-02-01T00:00:00", "500", "100"),
        reading(3, "2025-03-01T00:00:00", "400", "200"),
    ]
    fallen = only(with_events(*events))
    assert (fallen.quarantined, fallen.total) == ([3], "339.20")
    correction = {"seq": 4, "type": "reading_corrected", "corrects_seq": 3}
    registers = {"peak": "600", "valley": "200"}
    corrected = only(with_events(*events, correction | {"registers": registers}))
    assert (corrected.quarantined, corrected.total) == ([], "431.60")
    assert [posting["amount"] for posting in corrected.posted] == ["339.20", "0.00", "92.40"]


def test_a_meter_beside_another_may_still_belong_to_the_year_that_the_other_has_closed() -> None:
    result = only(
        with_events(
            installed(1, "2025-12-01T00:00:00"),
            installed(2, "2025-12-01T00:00:00", "M2"),
            reading(3, "2026-01-11T00:00:00", "410", "0"),
            reading(4, "2026-01-11T00:00:00", "0", "410", "M2"),
            reading(5, "2026-01-01T00:00:00", "400", "0"),
        )
    )
    assert result.differences == []
    assert [period["consumption"] for period in result.periods] == ["710", "110"]
    # A twelfth of the bounds: M1 takes 260 in tier 1 and 140 in tier 2, so M2's 310 are in tier 3.
    lines = [period["lines"] for period in result.periods]
    assert lines == [{"energy": "406.17"}, {"energy": "36.87"}]


def test_the_policies_of_a_case_fill_only_what_the_tariff_leaves_open() -> None:
    events = (
        installed(1, "2025-12-01T00:00:00"),
        reading(2, "2026-01-11T00:00:00", "410", "0"),
    )
    document = with_events(*events)
    document["cases"][0]["policies"] = {"period_attribution": "by_reading_end"}
    assert [period["from"] for period in only(document).periods] == ["2026-01-01"]
    tariff = document["tariffs"]["cn-sh-elec-res-tou"]
    tariff["versions"][0]["accumulation"]["period_attribution"] = "split_by_days"
    assert [period["from"] for period in only(document).periods] == ["2025-01-01", "2026-01-01"]


@given(st.permutations(range(1, 14)))
def test_any_order_of_arrival_gives_the_same_money(order: list[int]) -> None:
    document = read("cn_beijing_elec.json")
    case = next(case for case in document["cases"] if case["id"] == "BJ01")
    events = [case["events"][0], *(case["events"][number - 1] for number in order if number > 1)]
    shuffled = [event | {"seq": seq} for seq, event in enumerate(events, start=1)]
    del case["expected"]["posted"]
    result = only(document | {"cases": [case | {"events": shuffled}]})
    assert (result.ok, result.differences) == (True, [])


def test_the_supply_begins_with_the_first_meter_even_if_another_is_read_first() -> None:
    """Bounds are those of the whole year: 3120 / 4800, not of the months from May on."""
    result = only(
        with_events(
            installed(1, "2025-01-01T00:00:00"),
            installed(2, "2025-05-01T00:00:00", "M2"),
            reading(3, "2025-07-01T00:00:00", "3000", "0", "M2"),
        )
    )
    assert result.total == "1851.00"
    assert result.periods[0]["tier_bounds"] == ["3120", "4800", None]


def test_a_meter_beside_another_charges_each_day_once_however_their_readings_lie() -> None:
    """31 days at 0.6012: five of them with the readings of M2, which end before those of M1."""
    meter = {"type": "meter_installed", "registers": {"total": "0"}, "wrap": "100000"}
    shown = {"type": "reading", "registers": {"total": "0"}}
    document = read("gb_prepay_standing.json")
    case = document["cases"][0] | {
        "events": [
            meter | {"seq": 1, "at": "2024-07-01T00:00:00", "meter": "M1"},
            meter | {"seq": 2, "at": "2024-07-15T00:00:00", "meter": "M2"},
            shown | {"seq": 3, "at": "2024-07-20T00:00:00", "meter": "M2"},
            shown | {"seq": 4, "at": "2024-08-01T00:00:00", "meter": "M1"},
        ]
    }
    del case["expected"]
    result = only(document | {"cases": [case]})
    assert (result.total, result.differences) == ("18.64", [])
