import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.pricing.case_file import AttributeChanged, Case, MeterInstalled, parse_case
from ledger.pricing.case_meters import known_of, meters
from ledger.pricing.case_postings import Posting, postings
from ledger.pricing.case_ratings import Charges
from ledger.pricing.compiled import CompiledTariff, compile_tariff
from tests.pricing.building import FILES, FOLDER, read

PATHS = [*FILES, *sorted((FOLDER.parent / "own_cases").glob("*.json"))]
FEES = {"id": "fee", "kind": "fixed", "per": "period", "amount": "7"}


def total(case: Case, tariff: CompiledTariff, events: int) -> int:
    """Minor units of the first events, rated from nothing."""
    told = case.events[:events]
    found = meters(told, tariff)
    known = known_of(told, case.attributes, tariff, found.quarantined)
    return sum(map(sum, Charges(tariff).of(found, known)))


def differences(case: Case, tariff: CompiledTariff) -> list[Posting]:
    """What two full ratings differ by, event by event."""
    totals = [total(case, tariff, events) for events in range(len(case.events) + 1)]
    return [
        (event.seq, after - before)
        for event, (before, after) in zip(case.events, pairwise(totals), strict=True)
        if after != before or not isinstance(event, MeterInstalled | AttributeChanged)
    ]


def posted(case: Case, tariff: CompiledTariff) -> list[Posting]:
    found = meters(case.events, tariff)
    known = known_of(case.events, case.attributes, tariff, found.quarantined)
    return postings(case, tariff, found, Charges(tariff).of(found, known))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_events_in_turn_move_what_two_full_ratings_differ_by(path: Path) -> None:
    document = json.loads(path.read_bytes())
    for number, told in enumerate(document["cases"]):
        case = parse_case(told, number)
        tariff = compile_tariff(document["tariffs"][case.tariff])
        assert posted(case, tariff) == differences(case, tariff)


def tariff_of(name: str) -> dict[str, Any]:
    tariffs: dict[str, Any] = read(name)["tariffs"]
    return next(iter(tariffs.values()))


def with_fee(tariff: dict[str, Any]) -> dict[str, Any]:
    (version,) = tariff["versions"]
    return tariff | {"versions": [version | {"charges": [*version["charges"], FEES]}]}


TARIFFS = [
    compile_tariff(with_fee(tariff_of(name)))
    for name in ("cn_beijing_elec.json", "cn_guangdong_elec.json", "billing_period_tariffs.json")
]


@st.composite
def arrivals(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Readings of one or two meters, some late, wrong, corrected, withdrawn or of a replacement."""
    events: list[dict[str, Any]] = []
    any_day = st.sampled_from([10, 29, 30, 57, 85]) | st.integers(2, 90)
    for meter in draw(st.sampled_from([("M1",), ("M1", "M2")])):
        days = draw(st.lists(any_day, min_size=1, max_size=5))
        shown = 0
        row: list[dict[str, Any]] = [{"type": "meter_installed", "day": 1, "meter": meter}]
        row += [{"type": "reading", "day": day, "meter": meter} for day in sorted(days)]
        if draw(st.booleans()):
            row[-1]["type"] = "meter_removed"
        for event in row:
            shown = max(0, shown + draw(st.sampled_from([0, 150, 400, -20])))
            events.append(event | {"registers": {"total": str(shown)}})
    if draw(st.booleans()):
        told = {"type": "attribute_changed", "attribute": "household_size", "value": 6}
        events.append(told | {"day": draw(st.integers(1, 90))})
    events.sort(key=lambda event: event["day"])
    for _ in range(draw(st.integers(0, 2))):
        events.append(events.pop(draw(st.integers(0, len(events) - 1))))
    readings = [seq for seq, event in enumerate(events, 1) if event["type"] == "reading"]
    if draw(st.booleans()) and readings:
        right = {"corrects_seq": draw(st.sampled_from(readings)), "registers": {"total": "90"}}
        events.append(right | {"type": "reading_corrected", "day": 1})
    if draw(st.booleans()) and readings:
        withdrawn = {"type": "reading_cancelled", "cancels_seq": draw(st.sampled_from(readings))}
        events.append(withdrawn | {"day": 1})
    last = {"type": "reading", "day": 100, "meter": "M1", "registers": {"total": "2000"}}
    return [*events, last]


@given(st.sampled_from(TARIFFS), arrivals())
def test_whatever_arrives_moves_what_two_full_ratings_differ_by(
    tariff: CompiledTariff, told: list[dict[str, Any]]
) -> None:
    events = []
    for seq, event in enumerate(told, 1):
        month, day = divmod(event.pop("day") - 1, 28)
        events.append(event | {"seq": seq, "at": f"2025-{month + 1:02}-{day + 1:02}T00:00:00"})
    case = parse_case({"id": "any", "tariff": "any", "events": events}, 0)
    assert posted(case, tariff) == differences(case, tariff)
