"""What is wrong with allowances, shares, tables, schedules and sales: the place and the remedy."""

import json
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ledger.pricing import TariffInvalid, compile_tariff, lint
from tests.pricing.tariffs import ENERGY, accumulation, charges, document, fixed

Document = dict[str, Any]
SCHEMA = json.loads(files("ledger.pricing").joinpath("tariff.schema.json").read_bytes())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EXAMPLES = json.loads((Path(__file__).parent / "tariff_examples.json").read_bytes())["tariffs"]
PERSONS = {"attribute": "household_size", "gte": 5}
SHIFT = {"id": "many", "effect": "shift_tiers", "per_month": "100", "when": PERSONS}
FLAT = {"id": "flat", "effect": "flat_price", "rate": "0.6", "when": PERSONS}
SHARE = {"id": "share", "kind": "percent", "of": ["energy"], "rate": "0.1"}
FREE = {"id": "free", "kind": "free_quantity", "per_month": "15", "at_rate": "0.5"}
DEMAND = {"id": "demand", "kind": "demand", "rates": ["12"], "register": "peak_kw"}
TABLE: Document = {
    "id": "factor",
    "kind": "adjustment_table",
    "input": "power_factor",
    "of": ["energy"],
    "standard": "0.90",
    "steps": [{"from": "0.91", "to": "0.95", "percent_per_001": "-0.15"}],
}
AT = "/versions/0"
SECOND = AT + "/charges/1"
BOUGHT = accumulation(basis="purchase")
ROUNDED = {"quantum": "1", "mode": "down"}
FINER = "/bill_rounding/1/rounding/quantum"


def second(charge: Document, **fields: Any) -> Document:  # noqa: ANN401 - JSON
    return document(charges(ENERGY, charge | fields))


def modified(modifier: Document, **fields: Any) -> Document:  # noqa: ANN401 - JSON
    return document({"modifiers": [modifier | fields]})


def schedules(*found: Document, **fields: Any) -> Document:  # noqa: ANN401 - JSON
    rent = charges(fixed("month", "4"))
    return document(rent | {"schedule_by_total": list(found)} | fields)


def demanded(**fields: Any) -> Document:  # noqa: ANN401 - JSON
    return document(charges(ENERGY, DEMAND | fields), registers=["total", "peak_kw"])


def bill(*ladder: Document) -> Document:
    return document({"bill_rounding": list(ladder)})


def to_whole(line: str) -> Document:
    return {"line": line, "rounding": ROUNDED}


def to_tenths(line: str) -> Document:
    return {"line": line, "rounding": {"quantum": "0.1", "mode": "down"}}


def hours(**spans: str) -> Document:
    flat = {"energy": {"peak": ["1", "2"], "valley": ["1", "2"]}}
    priced = charges(ENERGY | {"rates": flat["energy"]})
    return document(priced, registers=["peak", "valley"], tou_calendar=spans)


WRONG: list[tuple[Document, str, str]] = [
    (second(SHARE, of=["nothing"]), SECOND + "/of/0", "unknown_charge"),
    (second(SHARE, of=["share"]), SECOND + "/of/0", "unknown_charge"),
    (
        document(charges(SHARE | {"of": ["back"]}, SHARE | {"id": "back", "of": ["share"]})),
        AT + "/charges/0/of",
        "circle",
    ),
    (second(SHARE, rate="-0.1"), SECOND + "/rate", "negative"),
    (second(SHARE, rate="13"), SECOND + "/rate", "range"),
    (second(SHARE, of=["energy", "energy"]), SECOND + "/of/1", "duplicate"),
    (
        second(ENERGY, id="night", rates=["-0.17", "-0.6"]),  # The unit costs 0.5 at least.
        SECOND + "/rates/0",
        "negative",
    ),
    (second(FREE, per_month="0"), SECOND + "/per_month", "range"),
    (second(FREE, effect="deduct_quantity"), SECOND + "/at_rate", "charge"),
    (
        document(
            charges(
                ENERGY | {"rates": {"peak": ["1", "2"], "valley": ["1", "2"]}},
                {"id": "free", "kind": "free_quantity", "per_month": "15"},
            ),
            registers=["peak", "valley"],
        ),
        SECOND,
        "charge",
    ),
    (second(TABLE, standard="0.905"), SECOND + "/standard", "decimals"),
    (second(TABLE, standard="9"), SECOND + "/standard", "range"),
    (second(TABLE, steps=TABLE["steps"] * 2), SECOND + "/steps/1", "steps"),
    (
        second(TABLE, steps=[{"from": "0.9", "to": "0.8", "percent_per_001": "1"}]),
        SECOND + "/steps/0",
        "steps",
    ),
    (second(DEMAND), SECOND + "/register", "registers"),
    (demanded(rates=["-1"]), SECOND + "/rates", "negative"),
    (demanded(rates=["1", "2"]), SECOND + "/rates", "rate_count"),
    (
        demanded(ratchet={"percent": "80", "lookback_months": 11}),
        SECOND + "/ratchet/percent",
        "range",
    ),
    (
        demanded(ratchet={"percent": "0.8", "lookback_months": 0}),
        SECOND + "/ratchet/lookback_months",
        "range",
    ),
    (
        second({"id": "a", "kind": "fixed", "per": "period", "amount_by_tier_reached": ["1"]}),
        SECOND + "/amount_by_tier_reached",
        "rate_count",
    ),
    (
        second({"id": "a", "kind": "fixed", "per": "day", "amount_by_tier_reached": ["1", "2"]}),
        SECOND + "/per",
        "charge",
    ),
    (second(fixed("first_purchase_of_month", "98")), SECOND + "/per", "charge"),
    (document(BOUGHT | charges(ENERGY, fixed("month", "1"))), SECOND + "/per", "charge"),
    (document(BOUGHT | charges(ENERGY, FREE)), SECOND + "/kind", "purchase"),
    (document(BOUGHT | {"modifiers": [SHIFT]}), AT + "/accumulation/basis", "purchase"),
    (
        document(charges(ENERGY | {"when": {"attribute": "a", "eq": ["x"]}})),
        AT + "/charges/0/when/eq",
        "condition",
    ),
    (
        document({"tiers": [{"upto": "9", "per": "kva"}, {"upto": None}]}),
        AT + "/tiers/0/per",
        "attribute",
    ),
    (
        document(accumulation(proration={"method": "none", "factor_quantum": "0.01"})),
        AT + "/accumulation/proration/factor_quantum",
        "proration",
    ),
    (
        document(accumulation("billing_period", proration={"method": "months_in_service"})),
        AT + "/accumulation/proration/method",
        "proration",
    ),
    (
        document(
            charges(ENERGY | {"tax_rate": "0.05"}, SHARE | {"gl": "tax"}),
            tax={"treatment": "exclusive"},
        ),
        AT + "/charges/0/tax_rate",
        "tax",
    ),
    (
        document(accumulation(proration={"method": "days", "base_days": 0})),
        AT + "/accumulation/proration/base_days",
        "range",
    ),
    (
        document(accumulation(proration={"method": "months", "base_days": 30})),
        AT + "/accumulation/proration/base_days",
        "range",
    ),
    (
        document(accumulation(proration={"method": "days", "tier_quantum": "0"})),
        AT + "/accumulation/proration/tier_quantum",
        "range",
    ),
    (modified(SHIFT, per_month="-100"), AT + "/modifiers/0/per_month", "range"),
    (modified(FLAT, rate="-0.6"), AT + "/modifiers/0/rate", "negative"),
    (document({"modifiers": [SHIFT, SHIFT]}), AT + "/modifiers/1/id", "duplicate"),
    (modified(SHIFT, rate="1"), AT + "/modifiers/0/rate", "charge"),
    (modified(SHIFT, per_month=None), AT + "/modifiers/0", "missing_field"),
    (modified(SHIFT, only_tiers=[2]), AT + "/modifiers/0/only_tiers/0", "tiers"),
    (modified(SHIFT, valid_years=0), AT + "/modifiers/0/valid_years", "range"),
    (
        modified(SHIFT, when={"attribute": "many", "eq": True}, per_extra_person=True),
        AT + "/modifiers/0/per_extra_person",
        "condition",
    ),
    (modified(FLAT, rate=None), AT + "/modifiers/0", "missing_field"),
    (modified(FLAT, per_month="1"), AT + "/modifiers/0/per_month", "charge"),
    (modified(FLAT, per_extra_person=True), AT + "/modifiers/0/per_extra_person", "charge"),
    (
        document(charges(ENERGY, ENERGY | {"id": "sewage"}) | {"modifiers": [FLAT]}),
        AT + "/modifiers/0/effect",
        "charge",
    ),
    (bill(to_whole("nothing")), AT + "/bill_rounding/0/line", "unknown_charge"),
    (bill(to_whole("energy"), to_tenths("energy")), AT + FINER, "ladder"),
    (bill(to_whole("total"), to_tenths("total")), AT + FINER, "ladder"),
    (
        document({"bill_rounding": [to_whole("total")]} | charges(ENERGY | {"id": "rounding"})),
        AT + "/charges/0/id",
        "duplicate",
    ),
    (
        schedules({"upto": "50", "charges": [ENERGY]}),
        AT + "/schedule_by_total/0/upto",
        "tiers",
    ),
    (
        schedules({"upto": None, "charges": [ENERGY | {"rates": ["1"]}]}),
        AT + "/schedule_by_total/0/charges/0/rates",
        "rate_count",
    ),
    (
        schedules({"upto": None, "charges": [fixed("month", "1")]}),
        AT + "/schedule_by_total/0/charges/0/id",
        "duplicate",
    ),
    (
        document(BOUGHT | charges(ENERGY, fixed("day", "1"))),
        AT + "/charges/1/per",
        "purchase",
    ),
    (
        document({"effective_to": "2021-01-01"}, {"effective_from": "2021-01-01"} | BOUGHT),
        "/versions/1/accumulation/basis",
        "purchase",
    ),
    (document(vending={"unit_quantum": "0"}), "/vending/unit_quantum", "range"),
    (document(vending={"arrears_share": "25"}), "/vending/arrears_share", "range"),
    (document(vending={"order": ["luck"]}), "/vending/order/0", "unknown_charge"),
    (document(vending={"order": ["vat", "vat"]}), "/vending/order/1", "duplicate"),
    (hours(peak="by day", valley="22:00-08:00"), "/tou_calendar/peak", "hours"),
    (hours(peak="08:00-22:00", valley="22:00-07:00"), "/tou_calendar", "hours"),
    (hours(peak="08:00-22:00", valley="21:00-08:00"), "/tou_calendar", "hours"),
    (document(charges(DEMAND), registers=["peak_kw"]), "/registers", "registers"),
]


@pytest.mark.parametrize(("tariff", "path", "code"), WRONG)
def test_what_is_wrong_with_a_kind_is_named_by_place_and_code(
    tariff: Document, path: str, code: str
) -> None:
    assert (path, code) in {(problem.path, problem.code) for problem in lint(deepcopy(tariff))}
    with pytest.raises(TariffInvalid):
        compile_tariff(tariff)


def test_both_forms_of_a_fixed_charge_are_named_where_one_is_needed() -> None:
    both = fixed("period", "1") | {"amount_by_tier_reached": ["1", "2"]}
    (problem,) = lint(second(both))
    assert problem.message == "Give either `amount` or `amount_by_tier_reached`."


@pytest.mark.parametrize(
    "tariff",
    [
        *EXAMPLES,
        second(SHARE),
        second(ENERGY, id="night", rates=["-0.17", "-0.17"]),
        schedules(
            {"upto": "50", "tiers": [{"upto": None}], "charges": [ENERGY | {"rates": ["1"]}]},
            {"upto": None, "charges": [ENERGY]},
            seasons=[{"id": "summer", "months": [7], "tiers": [{"upto": "9"}, {"upto": None}]}],
        ),
        second(FREE),
        bill(to_tenths("energy"), to_whole("energy"), to_whole("total"), to_whole("total")),
        second(SHARE, rate="1.5"),
        second(TABLE),
        demanded(ratchet={"percent": "0.8", "lookback_months": 11}),
        modified(SHIFT, only_tiers=[1], valid_years=2, starts="next_month"),
        modified(FLAT, starts="at_once"),
        modified(SHIFT, starts="first of the month after approval"),
        modified(SHIFT, starts="次月起"),
        modified(SHIFT, starts="with the certificate of the committee"),
        document(service_kind="gas"),
        document(service_kind="gas", unit="m3"),
        schedules({"upto": "50", "charges": [ENERGY]}, {"upto": None, "charges": [ENERGY]}),
        hours(peak="8-22"),
        document(
            charges(ENERGY | {"rates": {"On-peak": ["1", "2"], "T2": ["0.5", "1"]}}),
            registers=["On-peak", "T2"],
        ),
        hours(peak="06:00-12:00, 13:00-22:00", valley="22:00-06:00,12:00-13:00"),
        document(BOUGHT | charges(ENERGY, fixed("first_purchase_of_month", "98"))),
        document(tax={"treatment": "exclusive", "rate": "0.09"}),
        document(charges(ENERGY | {"on_excess_over": "12"}), vending={"unit_quantum": "0.1"}),
    ],
)
def test_what_fits_has_no_problems_and_fits_its_schema(tariff: Document) -> None:
    assert lint(tariff) == []
    VALIDATOR.validate(tariff)
