import json
import re
from pathlib import Path
from typing import Any

import pytest

from ledger.pricing import CaseFileInvalid, run_cases
from tests.pricing.building import installed, only, read, reading, with_events

OWN = Path(__file__).parent / "own_cases"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"events": [{"seq": 1, "type": "miracle"}]}, "/cases/0/events/0/type: "),
        (
            {"events": [installed(1, "2025-01-01", multiplier="0")]},
            "/cases/0/events/0/multiplier: it must be above 0; correct it",
        ),
        (
            {"events": [installed(1, "2025-01-01", wrap="-5")]},
            "/cases/0/events/0/wrap: it must be above 0; correct it",
        ),
        (
            {"events": [reading(1, "2025-01-01", "1.", "0")]},
            "/cases/0/events/0/registers/peak: Write a plain decimal, like 0.4883.",
        ),
        ({"policies": {"surprise": "reset"}}, "/cases/0/policies/surprise: "),
        ({"kind": "guess"}, "/cases/0/kind: "),
        (
            {"events": [installed(1, "2025-01-01T00:00:00"), reading(1, "2025-02-01", "1", "1")]},
            "/cases/0/events: .*two events have the number 1; give each its own seq",
        ),
    ],
)
def test_a_case_of_another_form_says_where_and_keeps_no_other_back(
    change: dict[str, Any], message: str
) -> None:
    document = read("cn_shanghai_elec.json")
    document["cases"] = [document["cases"][0] | change, document["cases"][1]]
    wrong, other = run_cases(document)
    assert (wrong.id, wrong.ok, other.ok) == ("SH03", False, True)
    assert re.match(message, wrong.unreadable[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "wattledger-case/9"}, "/schema: "),
        ({"tariffs": []}, "/tariffs: "),
        ({"cases": [7]}, "/cases/0: "),
    ],
)
def test_a_file_that_is_no_case_file_says_where(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CaseFileInvalid, match="^" + message):
        run_cases(read("cn_shanghai_elec.json") | change)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tariff": "nowhere"}, "The file has no tariff nowhere."),
        (
            {"events": [reading(1, "2025-02-01T00:00:00", "1", "1")]},
            "Meter M1 is read before it is installed.",
        ),
        (
            {"events": [{"seq": 2, "type": "reading_cancelled", "cancels_seq": 9}]},
            "No reading has the number 9.",
        ),
        (
            {"events": [installed(1, "yesterday")]},
            "yesterday is no date and time; write it like 2026-01-31T00:00:00.",
        ),
        (
            {"events": [installed(1, "9999-12-31T00:00:00")]},
            "9999-12-31T00:00:00 lies outside the years 1900 to 2200.",
        ),
        (
            {"events": [installed(1, "2025-01-01T00:00:00", registers={"night": "0"})]},
            "Event 1 must show the tariff's registers: peak, valley.",
        ),
        (
            {
                "events": [
                    installed(1, "2011-01-01T00:00:00"),
                    reading(2, "2011-02-01T00:00:00", "1", "1"),
                ]
            },
            "The tariff has no version in force on that day.",
        ),
    ],
)
def test_a_case_that_cannot_be_computed_says_why_and_keeps_no_other_back(
    change: dict[str, Any], reason: str
) -> None:
    document = read("cn_shanghai_elec.json")
    document["cases"] = [document["cases"][0] | change, document["cases"][1]]
    wrong, other = run_cases(document)
    assert (wrong.ok, wrong.unreadable) == (False, [reason])
    assert (other.ok, other.unreadable) == (True, [])


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"timezone": "Asia/Nowhere"}, "/timezone: 'Asia/Nowhere' is no time zone"),
        ({"versions": 5}, "/versions: "),
        ({"versions": [{"accumulation": None, "modifiers": [1]}]}, "/versions/0/accumulation: "),
    ],
)
def test_a_wrong_tariff_is_told_with_its_place_in_the_file(
    change: dict[str, Any], place: str
) -> None:
    document = read("cn_shanghai_elec.json")
    document["tariffs"]["cn-sh-elec-res-tou"] |= change
    reasons = [reason for result in run_cases(document) for reason in result.unreadable]
    assert [
        reason for reason in reasons if reason.startswith(f"/tariffs/cn-sh-elec-res-tou{place}")
    ]


def test_events_arrive_in_the_order_of_their_numbers() -> None:
    events = [
        reading(3, "2025-03-01T00:00:00", "1000", "500"),
        installed(1, "2025-01-01T00:00:00"),
        reading(2, "2025-02-01T00:00:00", "900", "100"),
    ]
    assert [each["after_seq"] for each in only(with_events(*events)).posted] == [2, 3]


def test_what_a_file_notes_beyond_its_form_is_named_and_changes_nothing() -> None:
    document = read("cn_shanghai_elec.json") | {"author": "me"}
    document["cases"][0]["hand"] = "by heart"
    document["cases"][0]["events"][1]["quality"] = "measured"
    first, second = run_cases(document)
    assert (first.ok, second.ok, second.ignored) == (True, True, ["/author"])
    assert first.ignored == ["/author", "/cases/0/hand", "/cases/0/events/seq=2/quality"]


def test_what_is_a_note_may_be_of_any_form() -> None:
    document = read("cn_shanghai_elec.json")
    notes = {"title": None, "tags": "tou", "printed": {"total": 5}, "note": ["one", "two"]}
    document["cases"] = [document["cases"][0] | notes]
    document["cases"][0]["events"][0]["note"] = 7
    assert (only(document).ok, only(document).ignored) == (True, [])


def test_numbers_may_stand_without_quotation_marks() -> None:
    document = read("cn_water.json")
    document["cases"] = document["cases"][2:]
    told = document["cases"][0]["events"]
    told[0] |= {"registers": {"total": 476.593}, "wrap": 1_000_000, "multiplier": 1}
    told[1]["registers"] = {"total": 500.463}
    assert only(document).ok is True
    told[1]["registers"] = {"total": 500.46300001}
    told[0]["registers"] = {"total": 0.00001}
    assert only(document).intervals[0]["consumption"] == {"total": "500.46299001"}
    told[1]["registers"] = {"total": True}
    assert only(document).unreadable[0].startswith("/cases/0/events/1/")


def test_an_installation_that_is_told_last_charges_everything_at_once() -> None:
    told = [
        reading(1, "2025-02-01T00:00:00", "900", "100"),
        installed(2, "2025-01-01T00:00:00"),
    ]
    result = only(with_events(*told))
    assert result.quarantined == []
    assert [each["amount"] for each in result.posted] == ["0.00", result.total]


def test_a_reading_before_installation_or_after_removal_is_kept_aside() -> None:
    removed = reading(4, "2025-03-01T00:00:00", "1000", "150") | {"type": "meter_removed"}
    told = [
        installed(1, "2025-01-01T00:00:00"),
        reading(2, "2024-12-01T00:00:00", "0", "0"),
        reading(3, "2025-02-01T00:00:00", "900", "100"),
        removed,
        reading(5, "2025-04-01T00:00:00", "1100", "160"),
    ]
    result = only(with_events(*told))
    assert result.quarantined == [2, 5]
    assert [each["to"] for each in result.intervals] == ["2025-02-01", "2025-03-01"]


def test_a_reading_that_is_kept_aside_ends_no_bill() -> None:
    document = read("billing_period_tariffs.json")
    case = document["cases"][0]
    backward = {"seq": 3, "type": "reading", "at": "2013-09-15T00:00:00", "meter": "M1"}
    document["cases"] = [
        case | {"events": [*case["events"], backward | {"registers": {"total": 1}}]}
    ]
    result = only(document)
    assert (result.quarantined, result.total) == ([3], case["expected"]["total"])
    assert [period["from"] for period in result.periods] == ["2013-09-01"]


def test_a_meter_may_show_the_total_beside_its_parts() -> None:
    told = [
        installed(1, "2025-01-01T00:00:00", registers={"peak": "0", "valley": "0", "total": "0"}),
        reading(2, "2025-02-01T00:00:00", "90", "10"),
    ]
    told[1]["registers"]["total"] = "100"
    assert only(with_events(*told)).intervals[0]["consumption"] == {"peak": "90", "valley": "10"}
    told[1]["registers"]["night"] = "5"
    assert only(with_events(*told)).unreadable == [
        "Event 2 must show the tariff's registers: peak, valley."
    ]


def test_a_correction_changes_only_the_registers_that_it_names() -> None:
    correction = {"seq": 3, "type": "reading_corrected", "corrects_seq": 2}
    result = only(
        with_events(
            installed(1, "2025-01-01T00:00:00"),
            reading(2, "2025-02-01T00:00:00", "900", "100"),
            correction | {"registers": {"peak": "90"}},
        )
    )
    assert result.intervals[0]["consumption"] == {"peak": "90", "valley": "100"}


def test_a_correction_may_be_corrected_and_withdrawn() -> None:
    told = [
        installed(1, "2025-01-01T00:00:00"),
        reading(2, "2025-02-01T00:00:00", "900", "0"),
        {"seq": 3, "type": "reading_corrected", "corrects_seq": 2, "registers": {"peak": "90"}},
        {"seq": 4, "type": "reading_corrected", "corrects_seq": 3, "registers": {"peak": "80"}},
        {"seq": 5, "type": "reading_cancelled", "cancels_seq": 4},
    ]
    posted = [each["amount"] for each in only(with_events(*told)).posted]
    assert posted == ["555.30", "-499.77", "-6.17", "6.17"]  # 900, 90, 80, 90 × 0.617
    told.append({"seq": 6, "type": "reading_cancelled", "cancels_seq": 2})
    assert only(with_events(*told)).total == "0.00"


def test_a_quantity_without_an_end_is_compared_as_far_as_the_file_writes_it() -> None:
    """220 and 300 m³ a year from May on: 146.666… and 200."""
    document = read("cn_water.json")
    events = [
        {
            "seq": 1,
            "type": "meter_installed",
            "at": "2014-05-09T00:00:00",
            "meter": "M1",
            "registers": {"total": "0"},
            "wrap": "100000",
        },
        {
            "seq": 2,
            "type": "reading",
            "at": "2014-12-31T00:00:00",
            "meter": "M1",
            "registers": {"total": "100"},
        },
    ]
    case = {"id": "WA", "tariff": "cn-sh-water-res", "events": events}
    for bound, ok in (("146.666667", True), ("440/3", True), ("146.67", True), ("146.5", False)):
        expected = {"total": "345.00", "periods": [{"tier_bounds": [bound, "200", None]}]}
        assert only(document | {"cases": [case | {"expected": expected}]}).ok is ok


def test_a_posting_of_nothing_need_not_be_told() -> None:
    document = read("cn_beijing_elec.json")
    case = next(case for case in document["cases"] if case["id"] == "BJ14")
    assert case["expected"]["posted"].pop() == {"after_seq": 5, "amount": "0.00"}
    case["expected"]["posted"].insert(0, {"after_seq": 1, "amount": "0.00"})
    assert only(document | {"cases": [case]}).ok is True


def test_an_interval_shows_the_lines_of_its_own_versions() -> None:
    document = json.loads((OWN / "versions.json").read_bytes())
    document["cases"] = [each for each in document["cases"] if each["id"] == "V10"]
    events = document["cases"][0]["events"]
    events[1] |= {"at": "2025-03-16T00:00:00"}
    del document["cases"][0]["expected"]
    result = only(document)
    assert result.intervals[0]["lines"] == {"energy": "155.00", "rent": "5.00"}
    assert result.periods[0]["lines"] == {"energy": "155.00", "rent": "5.00"}
