"""Accounts against case files: whatever happens to meters and readings, both come to the same.

The tariff is of any kind, meters are read late, corrected, corrected again, replaced and wrapped.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.pricing import run_cases
from tests.commands.test_cases_on_accounts import Case, posted_minor
from tests.harness.desk import Desk
from tests.pricing.rich import ATTRIBUTES, rich_documents

Json = dict[str, Any]
FIRST: Final = date(2019, 3, 1)
WIDE: Final = 1_000_000_000
NARROW: Final = 10_000_000
"""Wh at which a meter's registers begin anew."""
POWER: Final = "peak_kw"


def midnight(day: int) -> str:
    return f"{FIRST + timedelta(days=day)}T00:00:00"


class Told:
    """What is told of one meter after the other, in order of time; late readings by themselves."""

    def __init__(self) -> None:
        self.marks: list[tuple[int, int, Json]] = []
        self.late: list[Json] = []

    def add(self, day: int, rank: int, event: Json, *, is_late: bool = False) -> None:
        event = event | {"at": midnight(day)}
        if "registers" in event:
            event["registers"] = {
                name: f"{Decimal(value) / 1_000:.3f}" for name, value in event["registers"].items()
            }
        if is_late:
            self.late.append(event)
        else:
            self.marks.append((day, rank, event))

    def in_order(self) -> list[Json]:
        return [event for _, _, event in sorted(self.marks, key=lambda mark: mark[:2])]


@st.composite
def counted(draw: st.DrawFn, shown: dict[str, int], wrap: int) -> dict[str, int]:
    """The same registers later."""
    more = {name: draw(st.integers(0, 60_000)) for name in shown}
    return {
        name: more[name] if name == POWER else (value + more[name]) % wrap
        for name, value in shown.items()
    }


def installed(meter: str, shown: dict[str, int], wrap: int, multiplier: int = 1) -> Json:
    particulars = {"wrap": str(wrap // 1_000), "multiplier": str(multiplier)}
    return {"type": "meter_installed", "meter": meter, "registers": shown, **particulars}


@st.composite
def meter_lives(draw: st.DrawFn, told: Told, meter: str, begun: int, names: list[str]) -> None:
    """A meter from its installation on; it may be replaced by another once."""
    wrap = draw(st.sampled_from([WIDE, NARROW]))
    first = draw(st.sampled_from([0, 0 if wrap == WIDE else wrap - 5_000]))
    shown = {name: 0 if name == POWER else first for name in names}
    multiplier = draw(st.sampled_from([1, 1, 40]))
    told.add(begun, 0, installed(meter, shown, wrap, multiplier))
    days = sorted(draw(st.sets(st.integers(begun + 1, 400), min_size=1, max_size=4)))
    replaced_on = draw(st.sampled_from([None, None, *days]))
    for day in days:
        shown = draw(counted(shown, wrap))
        if day == replaced_on:
            told.add(day, 1, {"type": "meter_removed", "meter": meter, "registers": shown})
            meter, wrap, shown = f"{meter}-new", WIDE, dict.fromkeys(names, 0)
            told.add(day, 2, installed(meter, shown, wrap))
            continue
        reading = {"type": "reading", "meter": meter, "registers": shown}
        told.add(day, 3, reading, is_late=draw(st.sampled_from([False, False, True])))


@st.composite
def mistakes(draw: st.DrawFn, readings: list[Json], numbers: Iterator[int]) -> list[Json]:
    """Readings that are corrected, corrected again, or withdrawn in the end."""
    found: list[Json] = []
    for reading in draw(st.lists(st.sampled_from(readings), max_size=3)) if readings else ():
        seq = reading["seq"]
        near_wrap = any(Decimal(value) > 9_990 for value in reading["registers"].values())
        if near_wrap or any(each.get("cancels_seq") == seq for each in found):
            continue
        if draw(st.booleans()):
            found.append({"type": "reading_cancelled", "cancels_seq": seq})
        else:
            more = Decimal(draw(st.integers(0, 3_000))) / 1_000
            right = {
                name: f"{Decimal(was) + more:.3f}" for name, was in reading["registers"].items()
            }
            found.append({"type": "reading_corrected", "corrects_seq": seq, "registers": right})
    return [each | {"seq": next(numbers)} for each in found]


@st.composite
def events(draw: st.DrawFn, names: list[str]) -> list[Json]:
    told, numbers = Told(), count(1)
    for number, meter in enumerate(draw(st.sampled_from([["M1"], ["M1"], ["M1", "M2"]]))):
        draw(meter_lives(told, meter, draw(st.integers(0, 60)) if number else 0, names))
    for day in draw(st.lists(st.integers(0, 400), max_size=2, unique=True)):
        name = draw(st.sampled_from(["low_income", "household_size"]))
        change = {"type": "attribute_changed", "attribute": name}
        told.add(day, 4, change | {"value": draw(ATTRIBUTES[name])})
    order = [*told.in_order(), *draw(st.permutations(told.late))]
    found = [event | {"seq": next(numbers)} for event in order]
    readings = [event for event in found if event["type"] == "reading"]
    return [*found, *draw(mistakes(readings, numbers))]


def prefixes(case: Json) -> list[Json]:
    """The case after each of its events."""
    told = case["events"]
    return [case | {"id": str(last), "events": told[:last]} for last in range(1, len(told) + 1)]


def is_open_to_both(tariff: Json, told: list[Json]) -> bool:
    """A replacement among meters side by side ends a bill on accounts until the next rating."""
    is_billed = tariff["versions"][0]["accumulation"]["window"] == "billing_period"
    is_beside = any(event.get("meter") == "M2" for event in told)
    return not (is_billed and is_beside and any(e["type"] == "meter_removed" for e in told))


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_an_account_comes_to_what_a_case_file_comes_to(data: st.DataObject) -> None:
    tariff: Json = data.draw(rich_documents())
    told = data.draw(events(tariff["registers"]))
    case: Json = {"tariff": "any", "attributes": {"kva": 10, "power_factor": "0.87"}}
    file: Json = {"schema": "wattledger-case/1", "tariffs": {"any": tariff}}
    file["cases"] = prefixes(case | {"events": told})
    results = run_cases(file)
    if any(each.unreadable or each.quarantined for each in results):
        return
    if not is_open_to_both(tariff, told):
        return
    desk = Desk.at("sqlite://")
    desk.clock.go("2040-01-01")
    Case(desk, file["cases"][-1], tariff).tell()
    posted = [int(Decimal(str(each["amount"])) * 100) for each in results[-1].posted]
    assert list(filter(None, posted_minor(desk))) == list(filter(None, posted))
    desk.close()
