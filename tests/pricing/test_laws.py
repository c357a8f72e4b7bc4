from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger.pricing import CompiledTariff, Position, compile_tariff
from ledger.pricing.case_meters import Interval, Meters
from ledger.pricing.case_ratings import Book
from ledger.pricing.context import ALWAYS, Context
from ledger.values import closing_day, local_us, micros
from tests.pricing.rich import allowances, contexts, rich_documents
from tests.pricing.strategies import (
    HOUR_US,
    STARTS,
    documents,
    readings,
    tariffs,
    to_utc,
)

Charged = tuple[Position, list[int]]
BEGIN = datetime.fromisoformat("2019-01-02")


@given(st.data())
def test_integers_and_fractions_agree_on_every_interval(data: st.DataObject) -> None:
    tariff = data.draw(tariffs())
    at_us = data.draw(STARTS)
    position = tariff.start(at_us)
    for step_us, quantities in data.draw(readings(len(tariff.registers))):
        rated = tariff.rate(position, at_us, at_us + step_us, quantities)
        assert rated == tariff.derive(position, at_us, at_us + step_us, quantities)[:2]
        position, at_us = rated[0], at_us + step_us
        assert msgspec.json.decode(msgspec.json.encode(position), type=Position) == position


@given(st.data())
def test_integers_and_fractions_agree_for_households_with_allowances(data: st.DataObject) -> None:
    document: dict[str, Any] = data.draw(documents(by_days=True))
    poor = {"attribute": "low_income", "eq": True}
    free = {"id": "free", "kind": "free_quantity", "per_month": "3", "at_rate": "0.5"}
    for version in document["versions"]:
        version["charges"].append(free | {"when": poor})
        many = [each for each in data.draw(allowances()) if each["effect"] == "shift_tiers"]
        if len(version["tiers"]) > 1:
            version["modifiers"] = many
    tariff = compile_tariff(document)
    at_us = data.draw(STARTS)
    context = data.draw(contexts(tariff.timezone, at_us))
    position = tariff.start(at_us)
    for step_us, quantities in data.draw(readings(len(tariff.registers))):
        rated = tariff.rate(position, at_us, at_us + step_us, quantities, context)
        assert rated == tariff.derive(position, at_us, at_us + step_us, quantities, context)[:2]
        position, at_us = rated[0], at_us + step_us


@given(st.data())
def test_what_is_charged_is_what_the_windows_come_to(data: st.DataObject) -> None:
    tariff = data.draw(tariffs())
    at_us = data.draw(STARTS)
    position, intervals, charged = tariff.start(at_us), [], [0] * len(tariff.lines)
    for number, (step_us, quantities) in enumerate(data.draw(readings(len(tariff.registers)))):
        position, amounts = tariff.rate(position, at_us, at_us + step_us, quantities)
        charged = [sum(pair) for pair in zip(charged, amounts, strict=True)]
        exact = tuple(map(Fraction, quantities))
        intervals.append(Interval(at_us + step_us, at_us, "M", number, exact))
        at_us += step_us
    windows = Book(tariff, Meters(intervals, [], intervals[0].from_us)).windows.values()
    posted = zip(*(tally.posted for tally, _ in windows), strict=True)
    assert charged == [sum(of_line) for of_line in posted]


@given(st.data())
def test_another_reading_on_the_straight_line_changes_nothing(data: st.DataObject) -> None:
    tariff = data.draw(tariffs(by_days=True))
    first_hour = data.draw(st.integers(0, 700 * 24))
    hours = data.draw(st.integers(2, 90 * 24))
    first = data.draw(st.integers(1, hours - 1))
    per_hour = data.draw(st.tuples(*[st.integers(0, 900)] * len(tariff.registers)))
    wall_clock = [BEGIN + timedelta(hours=first_hour + later) for later in (0, first, hours)]
    start, middle, end = (to_utc(tariff.timezone, time.isoformat()) for time in wall_clock)
    for time, at_us in zip(wall_clock, (start, middle, end), strict=True):
        # An hour that the clock skips or shows twice lies on no straight line.
        assume(local_us(tariff.timezone, at_us) == micros(time.replace(tzinfo=UTC)))
    assume(start < middle < end)

    def used(count: int) -> tuple[int, ...]:
        return tuple(rate * count for rate in per_hour)

    before = tariff.start(start)
    once, whole = tariff.rate(before, start, end, used(hours))
    between, early = tariff.rate(before, start, middle, used(first))
    twice, late = tariff.rate(between, middle, end, used(hours - first))
    assert tuple(map(sum, zip(early, late, strict=True))) == whole
    assert twice == once  # Peaks lie on no straight line, so there are none here.


@given(st.data())
def test_silent_days_are_charged_once_whenever_the_readings_come(data: st.DataObject) -> None:
    tariff = data.draw(tariffs(by_days=True))
    start = data.draw(STARTS)
    hours = st.integers(1, 60 * 24)
    read_at = sorted({start + data.draw(hours) * HOUR_US, start + data.draw(hours) * HOUR_US})
    silent = data.draw(st.lists(st.integers(0, 100 * 24), max_size=5))
    quantities = (1_234,) * len(tariff.registers)

    def add(to: Charged, rated: tuple[Position, tuple[int, ...]]) -> Charged:
        return rated[0], [sum(pair) for pair in zip(to[1], rated[1], strict=True)]

    def read(charged: Charged) -> Charged:
        for from_us, to_us in pairwise([start, *read_at]):
            charged = add(charged, tariff.rate(charged[0], from_us, to_us, quantities))
        return charged

    nothing = tariff.start(start), [0] * len(tariff.lines)
    charged = nothing
    for later in sorted(silent):
        at_us = min(start + later * HOUR_US, read_at[-1])
        charged = add(charged, tariff.to_fixed_only(charged[0], at_us))
        again, amounts = tariff.to_fixed_only(charged[0], at_us)
        assert (again, set(amounts)) == (charged[0], {0})
    assert read(charged) == read(nothing)


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_windows_of_every_kind_come_to_what_was_charged(data: st.DataObject) -> None:
    tariff = compile_tariff(data.draw(rich_documents()))
    at_us = data.draw(STARTS)
    context = data.draw(contexts(tariff.timezone, at_us))
    position, intervals, charged = tariff.start(at_us), [], 0
    for number, (step_us, quantities) in enumerate(data.draw(readings(len(tariff.registers)))):
        to_us = at_us + step_us
        position, amounts = tariff.rate(position, at_us, to_us, quantities, context)
        charged += sum(amounts)
        intervals.append(Interval(to_us, at_us, "M", number, tuple(map(Fraction, quantities))))
        at_us = to_us
    found = Meters(intervals, [], intervals[0].from_us)
    windows = Book(tariff, found, context).windows.values()
    assert charged == sum(sum(tally.posted) for tally, _ in windows)


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_another_reading_changes_nothing_for_any_kind_while_the_household_stays_the_same(
    data: st.DataObject,
) -> None:
    tariff = compile_tariff(data.draw(rich_documents()))
    first_day, days = data.draw(st.integers(0, 700)), data.draw(st.integers(2, 90))
    between = data.draw(st.integers(1, days - 1))
    begin = BEGIN + timedelta(days=first_day)
    start, middle, end = (
        to_utc(tariff.timezone, (begin + timedelta(days=later)).isoformat())
        for later in (0, between, days)
    )
    drawn = data.draw(contexts(tariff.timezone, start))
    context = Context(
        tuple(change for change in drawn.attributes if change[0] == ALWAYS), (), drawn.bill_day
    )
    per_day = data.draw(st.tuples(*[st.integers(0, 9_000)] * len(tariff.registers)))

    def used(count: int) -> tuple[int, ...]:
        names = zip(tariff.registers, per_day, strict=True)
        return tuple(0 if name in tariff.power_registers else rate * count for name, rate in names)

    before = tariff.start(start)
    once, whole = tariff.rate(before, start, end, used(days), context)
    half, early = tariff.rate(before, start, middle, used(between), context)
    twice, late = tariff.rate(half, middle, end, used(days - between), context)
    assert tuple(map(sum, zip(early, late, strict=True))) == whole
    # Peaks lie on no straight line: these are of no power, and told once more.
    assert msgspec.structs.replace(twice, peaks=()) == msgspec.structs.replace(once, peaks=())


def accrued(tariff: CompiledTariff, start: int, quantity: int) -> tuple[Fraction, ...]:
    """Exact accrual of each line for a quantity inside one window."""
    position, _ = tariff.rate(tariff.start(start), start, start + HOUR_US, (quantity,))
    return tuple(Fraction(units, position.den) for units in position.accrued)


@given(st.data())
def test_the_charge_grows_with_the_quantity_and_never_jumps(data: st.DataObject) -> None:
    document: dict[str, Any] = data.draw(documents())
    assume(document["registers"] == ["total"])
    tariff = compile_tariff(document)
    start = to_utc(tariff.timezone, "2019-02-05T03:00")
    terms = tariff.versions[tariff.start(start).version].terms[0]
    quantity = data.draw(st.one_of(st.sampled_from([0, *terms.bounds]), st.integers(0, 70_000)))
    highest = [max(tier[line][0] for tier in terms.prices) for line in range(len(tariff.lines))]
    here, there = accrued(tariff, start, quantity), accrued(tariff, start, quantity + 1)
    for before, after, most in zip(here, there, highest, strict=True):
        assert before <= after <= before + most


@settings(max_examples=20)
@given(st.data())
def test_a_distant_reading_is_rated_like_a_near_one(data: st.DataObject) -> None:
    tariff = data.draw(tariffs())
    start = data.draw(STARTS)
    end = to_utc("UTC", f"{data.draw(st.integers(2024, 2040))}-07-03T05:00")
    quantities = (10**9,) * len(tariff.registers)
    rated = tariff.rate(tariff.start(start), start, end, quantities)
    assert rated == tariff.derive(tariff.start(start), start, end, quantities)[:2]
    assert rated[0].window_from <= closing_day(tariff.timezone, end) < rated[0].window_to


def test_an_ordinary_interval_never_needs_fractions(monkeypatch: pytest.MonkeyPatch) -> None:
    @given(st.data())
    def law(data: st.DataObject) -> None:
        document: dict[str, Any] = data.draw(documents(by_days=True))
        document["versions"] = [document["versions"][0] | {"effective_to": None}]
        charges = document["versions"][0]["charges"]
        charges[:] = [charge for charge in charges if charge.get("per") in {None, "day"}]
        tariff = compile_tariff(document)
        start = to_utc(tariff.timezone, "2019-02-05T03:00")
        position = tariff.start(start)
        for hours, (_, quantities) in enumerate(data.draw(readings(len(tariff.registers)))):
            at_us = start + hours * 12 * HOUR_US
            position, _ = tariff.rate(position, at_us, at_us + 12 * HOUR_US, quantities)

    def refuse(*_: object) -> None:
        raise AssertionError("An ordinary interval was rated in fractions.")

    monkeypatch.setattr(CompiledTariff, "derive", refuse)
    law()
