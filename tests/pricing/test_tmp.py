"""Whatever order facts arrive in, they come to the same money (R14)."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.pricing import run_cases
from tests.pricing.rich import ATTRIBUTES, rich_documents

FIRST = date(2019, 3, 1)
Json = dict[str, Any]


@st.composite
def told(draw: st.DrawFn, registers: list[str]) -> list[Json]:
    """Two meters side by side, their readings and what was told of the household."""
    events: list[Json] = []
    for meter in draw(st.sampled_from([["M1"], ["M1", "M2"]])):
        events.append(_shown("meter_installed", meter, 0, dict.fromkeys(registers, 0)))
        counted = dict.fromkeys(registers, 0)
        days = draw(st.lists(st.integers(1, 400), min_size=1, max_size=5, unique=True))
        for day in sorted(days):
            for name in registers:
                passed = draw(st.integers(0, 60_000))
                counted[name] = passed if name == "peak_kw" else counted[name] + passed
            events.append(_shown("reading", meter, day, counted))
    for day in draw(st.lists(st.integers(0, 400), max_size=2, unique=True)):
        name = draw(st.sampled_from(["low_income", "household_size"]))
        change = {"type": "attribute_changed", "at": _at(day), "attribute": name}
        events.append(change | {"value": draw(ATTRIBUTES[name])})
    return events


def _shown(kind: str, meter: str, day: int, registers: dict[str, int]) -> Json:
    values = {name: f"{value / 1000:.3f}" for name, value in registers.items()}
    return {"type": kind, "at": _at(day), "meter": meter, "registers": values}


def _at(day: int) -> str:
    return f"{FIRST + timedelta(days=day)}T00:00:00"


def numbered(events: list[Json]) -> list[Json]:
    return [event | {"seq": seq} for seq, event in enumerate(events, start=1)]


@settings(deadline=None, max_examples=250, phases=[__import__("hypothesis").Phase.reuse, __import__("hypothesis").Phase.generate])
@given(st.data())
def test_any_order_of_arrival_comes_to_the_same_money_for_every_kind(data: st.DataObject) -> None:
    tariff: Json = data.draw(rich_documents())
    events: list[Json] = data.draw(told(tariff["registers"]))
    installed = [event for event in events if event["type"] == "meter_installed"]
    others = [event for event in events if event["type"] != "meter_installed"]
    attributes: Json = {"kva": 10, "power_factor": "0.87"}
    case: Json = {"id": "1", "tariff": "any", "attributes": attributes}
    orders = [events, [*installed, *data.draw(st.permutations(others))]]
    file: Json = {
        "schema": "wattledger-case/1",
        "tariffs": {"any": tariff},
        "cases": [case | {"events": numbered(order)} for order in orders],
    }
    once, again = run_cases(file)
    assert (once.differences, again.differences) == ([], [])
    assert (again.total, again.intervals, again.periods) == (
        once.total,
        once.intervals,
        once.periods,
    )
