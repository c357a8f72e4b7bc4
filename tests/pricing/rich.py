"""Tariffs of every kind of charge, and accounts that they ask about, for the laws of rating."""

from typing import Any

from hypothesis import strategies as st

from ledger.pricing.context import ALWAYS, Context, Value
from ledger.values import local_us
from tests.pricing.strategies import PRICES, documents, numbers

Document = dict[str, Any]
SHARES = numbers(0, 60, 2)
CONDITIONS = st.sampled_from(
    [
        None,
        {"attribute": "low_income", "eq": True},
        {"attribute": "household_size", "gte": 5},
    ]
)
ATTRIBUTES: dict[str, st.SearchStrategy[Value]] = {
    "low_income": st.booleans(),
    "household_size": st.integers(1, 9),
    "kva": st.integers(1, 50),
    "contract_kw": st.integers(1, 50),
    "power_factor": numbers(50, 100, 2),
}


@st.composite
def further_charges(draw: st.DrawFn, tiers: int) -> list[Document]:
    """Some charges of every kind but consumption, each at most once."""
    percent = {"id": "share", "kind": "percent", "of": ["energy"], "rate": draw(SHARES)}
    over = {"id": "over", "kind": "consumption", "rate": draw(PRICES), "on_excess_over": "7.5"}
    reached = st.lists(PRICES, min_size=tiers, max_size=tiers)
    steps = [
        {"from": "0.91", "to": "0.95", "percent_per_001": "-0.15"},
        {"from": "0.60", "to": "0.89", "percent_per_001": "0.5"},
    ]
    every: list[Document] = [
        percent,
        percent | {"id": "share_of_share", "of": ["share", "energy"]},
        over,
        {"id": "kva", "kind": "capacity", "rate": "24", "per": "kva_month"}
        | {"quantity_attribute": "kva"},
        {"id": "factor", "kind": "adjustment_table", "input": "power_factor"}
        | {"of": ["energy"], "standard": "0.90", "steps": steps},
        {"id": "free", "kind": "free_quantity", "per_month": "15", "at_rate": draw(PRICES)},
        {"id": "deducted", "kind": "free_quantity", "per_month": "5", "effect": "deduct_quantity"},
        {"id": "least", "kind": "minimum", "amount": draw(PRICES)}
        | {"per": draw(st.sampled_from(["day", "month", "period"]))},
        {"id": "reached", "kind": "fixed", "per": "period"}
        | {"amount_by_tier_reached": draw(reached)},
    ]
    chosen = [charge for charge in every if draw(st.booleans())]
    if not any(charge["id"] == "share" for charge in chosen):
        chosen = [charge for charge in chosen if charge["id"] != "share_of_share"]
    return [
        charge if (condition := draw(CONDITIONS)) is None else charge | {"when": condition}
        for charge in chosen
    ]


@st.composite
def allowances(draw: st.DrawFn) -> list[Document]:
    when = {"attribute": "household_size", "gte": 5}
    shift = {"id": "many", "effect": "shift_tiers", "per_month": "10", "when": when}
    change = draw(st.sampled_from(["from_change_on", "rerate_window"]))
    flat = {"id": "flat", "effect": "flat_price", "rate": "0.5", "when": when | {"gte": 7}}
    return draw(
        st.sampled_from(
            [
                [],
                [shift | {"change": change}],
                [shift | {"per_extra_person": True, "only_tiers": [1], "valid_years": 2}],
                [shift, flat],
            ]
        )
    )


@st.composite
def rich_documents(draw: st.DrawFn) -> Document:
    """A publishable tariff with charges of every kind."""
    document = draw(documents(by_days=True))
    total = {"line": "total", "rounding": {"quantum": "0.05", "mode": "half_up"}}
    step = total | {"line": "energy"}
    billed = draw(st.booleans())
    demands = draw(st.booleans())
    if demands:
        document["registers"] = [*document["registers"], "peak_kw"]
    extra = draw(further_charges(1))
    tax = draw(st.sampled_from(["inclusive", "exclusive"]))
    document["tax"] = {"treatment": tax, "rate": "0.09"}
    for version in document["versions"]:
        tiers = {len(version["tiers"]), *(len(each["tiers"]) for each in version["seasons"])}
        version["charges"] += [
            charge
            if charge["id"] != "reached"
            else charge | {"amount_by_tier_reached": charge["amount_by_tier_reached"] * max(tiers)}
            for charge in extra
            if charge["id"] != "reached" or len(tiers) == 1
        ]
        if demands:
            version["charges"].append(
                {"id": "demand", "kind": "demand", "rates": ["12.5"], "register": "peak_kw"}
                | {"ratchet": {"percent": "0.8", "lookback_months": 3}}
            )
        if not [charge for charge in version["charges"] if charge["id"] == "levy"]:
            version["modifiers"] = draw(allowances())
            for modifier in version["modifiers"] if len(version["tiers"]) == 1 else ():
                modifier.pop("only_tiers", None)
        version["bill_rounding"] = draw(st.sampled_from([[], [step], [total, step]]))
        if billed:
            version["accumulation"] |= {
                "window": "billing_period",
                "proration": draw(st.sampled_from([{"method": "none"}, {"method": "days"}])),
            }
        elif not any(charge["id"] == "deducted" for charge in version["charges"]):
            modes = st.sampled_from(["shared_thresholds", "per_register"])
            version["tou_tier_mode"] = draw(modes)
    return document


@st.composite
def contexts(draw: st.DrawFn, timezone: str, from_us: int) -> Context:
    """An account whose attributes change at times, billed by the month."""
    begin = local_us(timezone, from_us)
    first = [(ALWAYS, name, draw(value)) for name, value in ATTRIBUTES.items()]
    name = st.sampled_from(["low_income", "household_size"])
    later = []
    for _ in range(draw(st.integers(0, 3))):
        changed = draw(name)
        at = begin + draw(st.integers(0, 300)) * 86_400_000_000
        later.append((at, changed, draw(ATTRIBUTES[changed])))
    later.sort(key=lambda change: change[0])
    return Context(attributes=(*first, *later), bill_day=draw(st.integers(1, 28)))
