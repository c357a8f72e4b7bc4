"""What is printed of a charge is arithmetic: reckoned by hand it comes to what was booked."""

import re
from collections import Counter
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings

from adapters.views.account_past import history_of
from adapters.views.explained import explain_charge
from ledger.aggregates import Refused
from ledger.events.account import (
    AccountCharged,
    ChargeCorrected,
    FixedFeeCharged,
    ServicePointAdded,
)
from tests.harness.desk import Desk, Json, point
from tests.properties.test_any_order import Life, as_it_came, lives

NUMBER = re.compile(r"\d+(?:\.\d+)?(?:/\d+)?")


def explain(desk: Desk, position: int, account_no: str = "A1") -> Json:
    history = history_of(desk.engine, desk.terms.shards)
    return explain_charge(desk.engine, history, desk.terms.shards, account_no, position)


def reckoned(arithmetic: str) -> Fraction:
    """A printed sum, by the rules of school."""
    text = arithmetic.replace("×", "*").replace("−", "-")
    exact = NUMBER.sub(lambda found: f"Fraction('{found[0]}')", text)
    names: dict[str, Any] = {"Fraction": Fraction, "max": max, "min": min, "__builtins__": {}}
    return Fraction(eval(exact, names))


def rounded(exact: Fraction, rounding: str) -> Fraction:
    mode, quantum = rounding.split()
    assert mode == "half_up"
    units = abs(exact) / Fraction(quantum) + Fraction(1, 2)
    return floor(units) * Fraction(quantum) * (1 if exact >= 0 else -1)


def check_steps(steps: list[Json]) -> "Counter[str]":
    """Each line of each step follows from what is printed; what the lines come to in cents."""
    total: Counter[str] = Counter()
    for step in steps:
        for line in step["lines"]:
            before, after = Fraction(line["exact_before"]), Fraction(line["exact_after"])
            assert before + reckoned(line["arithmetic"]) == after
            assert rounded(after, line["rounding"]) == Fraction(line["rounded_after"])
            amount = Fraction(line["rounded_after"]) - Fraction(line["rounded_before"])
            assert amount == Fraction(line["amount"])
            total[line["id"]] += int(amount * 100)
    return total


def check(desk: Desk) -> None:
    """Every charge of the account, whatever kind it is."""
    kinds = AccountCharged | ChargeCorrected | FixedFeeCharged
    for item in desk.recorded():
        if not isinstance(item.event, kinds):
            continue
        body = explain(desk, item.position)
        booked = Counter({line.id: line.amount_minor for line in item.event.lines})
        steps = [*body.get("silent_days", ())]
        for interval in body.get("intervals", ()):
            steps += interval["steps"]
        total = check_steps(steps)
        if body["kind"] == "correction":
            for line in body["differences"]:
                assert int(Fraction(line["rated"]) * 100) == total[line["id"]]
                assert reckoned(line["arithmetic"]) == Fraction(line["amount"])
                assert int(Fraction(line["amount"]) * 100) == booked[line["id"]]
        else:
            assert {name: cents for name, cents in total.items() if cents} == dict(booked)
        assert int(Fraction(body["amount"]) * 100) == item.event.amount_minor


@settings(max_examples=15)
@given(lives())
def test_the_printed_arithmetic_gives_what_was_booked(life: Life) -> None:
    desk = as_it_came(life)
    check(desk)
    desk.close()


def test_a_tier_is_named_with_what_fell_into_it(desk: Desk) -> None:
    desk.open("A1", point("M1", "tiered"))
    desk.read("M1", "2026-01-21", 150_000)
    body = explain(desk, desk.heads()[0] - 1)
    ((step,),) = ([each["steps"][0]] for each in body["intervals"])
    assert [(tier["tier"], tier["upto"], tier["quantities"]) for tier in step["tiers"]] == [
        (1, "100", {"total": "100"}),
        (2, "300", {"total": "50"}),
    ]
    assert step["lines"][0]["arithmetic"] == "100 × 0.5 + 50 × 0.6"
    assert (body["amount"], body["kind"]) == ("80.00", "charge")


def test_what_is_no_charge_is_not_explained(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    added = next(item for item in desk.recorded() if isinstance(item.event, ServicePointAdded))
    for position, code in ((added.position, "not_a_charge"), (10_000, "position_unknown")):
        with pytest.raises(Refused) as refusal:
            explain(desk, position)
        assert refusal.value.code == code
