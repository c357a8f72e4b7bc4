"""Each kind of charge, bound and allowance by a number that is reckoned by hand."""

from typing import Any

import pytest

from ledger.pricing import Context, compile_tariff
from ledger.pricing.context import ALWAYS, Value
from ledger.values import local_us
from tests.pricing.points import Point, household
from tests.pricing.strategies import to_utc
from tests.pricing.tariffs import ENERGY, accumulation, charges, document, fixed, tariff

Document = dict[str, Any]
ZONE = "Asia/Shanghai"
ONE_PRICE = ENERGY | {"rates": ["1.00"]}
OPEN = {"tiers": [{"upto": None}]}
MANY = {"attribute": "household_size", "gte": 5}
SHIFT = {"id": "many", "effect": "shift_tiers", "per_month": "100", "when": MANY}


def since(day: str) -> int:
    return local_us(ZONE, to_utc(ZONE, day))


def allowed(context: Context, **fields: Any) -> Point:  # noqa: ANN401 - JSON
    """A point on 100 kWh a month at 0.50, then 0.80, with an allowance."""
    return Point(tariff({"modifiers": [SHIFT | fields]}), "2025-01-01T00:00", context)


def test_each_register_may_have_the_tiers_for_itself() -> None:
    rates = {"peak": ["1", "2"], "valley": ["0.5", "0.7"]}
    rated_by = tariff(
        {"tou_tier_mode": "per_register"} | charges(ENERGY | {"rates": rates}),
        registers=["peak", "valley"],
    )
    point = Point(rated_by, "2025-01-01T00:00")
    assert point.passes("2025-01-10T00:00", 90_000, 60_000) == (90_00 + 30_00,)
    # 10 + 10 at the peak, 40 + 20 in the valley.
    assert point.passes("2025-01-20T00:00", 20_000, 60_000) == (10_00 + 20_00 + 20_00 + 14_00,)
    assert point.position.used_by == (110_000, 120_000)
    assert point.tariff.tier(point.position) == (2, None)
    assert point.passes("2025-02-10T00:00", 0, 0) == (0,)
    assert point.position.used_by == (0, 0)


def test_a_charge_on_the_excess_begins_at_its_threshold() -> None:
    sewage = {"id": "sewage", "kind": "consumption", "rate": "2.92", "on_excess_over": "12"}
    point = Point(tariff(OPEN | charges(ONE_PRICE, sewage)), "2025-01-01T00:00")
    assert point.passes("2025-01-10T00:00", 10_000) == (10_00, 0)
    assert point.passes("2025-01-20T00:00", 10_000) == (10_00, 23_36)
    assert point.passes("2025-01-25T00:00", 1_000) == (1_00, 2_92)


def test_a_tax_outside_the_price_takes_each_line_at_its_own_rate() -> None:
    levy = {"id": "levy", "kind": "consumption", "rate": "0.10", "tax_rate": "0"}
    rated_by = tariff(
        OPEN | charges(ONE_PRICE, levy, fixed("month", "3")),
        tax={"treatment": "exclusive", "rate": "0.16"},
    )
    point = Point(rated_by, "2025-01-01T00:00")
    assert point.lines("2025-02-01T00:00", 100_000) == {
        "energy": 100_00,
        "levy": 10_00,
        "month_fee": 3_00,
        "tax": 16_48,
    }
    assert [line.vat_rate for line in rated_by.lines] == [(0, 1)] * 4


def test_a_share_that_is_the_tax_already_is_booked_as_one_and_not_taken_twice() -> None:
    share = {"id": "gst", "kind": "percent", "of": ["energy"], "rate": "0.07"}
    rated_by = tariff(
        OPEN | charges(ONE_PRICE, share), tax={"treatment": "exclusive", "rate": "0.07"}
    )
    assert [(line.id, line.gl) for line in rated_by.lines] == [
        ("energy", "revenue"),
        ("gst", "tax"),
    ]


@pytest.mark.parametrize(
    ("window", "proration", "since_day", "until", "limits"),
    [
        ("month", {"method": "days", "base_days": 30}, "2025-01-01", "2025-02-01", (310_000, 3)),
        ("month", {"method": "days"}, "2025-01-17", "2025-02-01", (1_500_000, 31)),
        ("bimonth", {"method": "months"}, "2025-01-01", "2025-03-01", (200_000, 1)),
        ("billing_period", {"method": "months"}, "2025-01-10", "2025-03-25", (250_000, 1)),
        ("billing_period", {"method": "days"}, "2025-01-10", "2025-02-24", (150_000, 1)),
    ],
)
def test_bounds_follow_the_length_of_what_is_billed(
    window: str, proration: Document, since_day: str, until: str, limits: tuple[int, int]
) -> None:
    rated_by = tariff(accumulation(window, proration=proration))
    point = Point(rated_by, f"{since_day}T00:00")
    point.passes(f"{until}T00:00", 400_000)
    bound, den = limits
    assert point.position.limits[0] * den == bound * point.position.limits_den


def test_a_further_step_of_rounding_follows_the_line_s_own() -> None:
    ladder = [{"line": "energy", "rounding": {"quantum": "0.05", "mode": "down"}}]
    point = Point(tariff(OPEN | charges(ONE_PRICE) | {"bill_rounding": ladder}), "2025-01-01T00:00")
    assert point.passes("2025-01-02T00:00", 98) == (10,)  # 0.098 → 0.10 → 0.10
    assert point.passes("2025-01-03T00:00", 46) == (0,)  # 0.144 → 0.14 → 0.10


def test_cash_is_rounded_for_the_whole_bill_in_a_line_of_its_own() -> None:
    ladder = [{"line": "total", "rounding": {"quantum": "0.05", "mode": "half_up"}}]
    shape = OPEN | charges(ONE_PRICE, fixed("month", "1.01")) | {"bill_rounding": ladder}
    point = Point(tariff(shape), "2025-01-01T00:00")
    assert point.lines("2025-01-02T00:00", 1_020) == {
        "energy": 1_02,
        "month_fee": 1_01,
        "rounding": 2,
    }
    assert point.lines("2025-01-03T00:00", 30) == {"energy": 3, "rounding": -3}


def test_capacity_is_charged_with_the_first_hour_of_each_month_by_what_it_is_then() -> None:
    capacity = {"id": "kva", "kind": "capacity", "rate": "24", "per": "kva_month"}
    rated_by = tariff(OPEN | charges(ONE_PRICE, capacity | {"quantity_attribute": "kva"}))
    context = Context(((ALWAYS, "kva", 100), (since("2025-01-20"), "kva", 50)))
    point = Point(rated_by, "2025-01-10T00:00", context)
    assert point.lines("2025-01-10T01:00", 0) == {"kva": 2_400_00}
    assert point.lines("2025-02-01T00:00", 0) == {}
    assert point.lines("2025-03-01T00:00", 0) == {"kva": 1_200_00}


def test_an_allowance_counts_from_the_month_after_or_at_once() -> None:
    told = Context(((since("2025-01-15"), "household_size", 5),))
    assert allowed(told).passes("2025-02-01T00:00", 200_000) == (130_00,)
    at_once = allowed(told, starts="at_once")
    at_once.passes("2025-01-16T00:00", 0)
    assert at_once.passes("2025-02-01T00:00", 200_000) == (100_00,)


def test_an_allowance_of_two_years_ends_and_is_renewed_by_telling_it_again() -> None:
    told = ((since("2025-01-15"), "household_size", 5),)
    point = allowed(Context(told), valid_years=2)
    point.passes("2027-01-01T00:00", 0)
    assert point.passes("2027-02-01T00:00", 200_000) == (100_00,)
    assert point.passes("2027-03-01T00:00", 200_000) == (130_00,)
    renewed = allowed(Context((*told, (since("2026-06-15"), "household_size", 5))), valid_years=2)
    renewed.passes("2027-02-01T00:00", 0)
    assert renewed.passes("2027-03-01T00:00", 200_000) == (100_00,)


def test_an_allowance_may_count_persons_and_move_one_bound_alone() -> None:
    seven = allowed(household(household_size=7), per_extra_person=True)
    assert seven.passes("2025-02-01T00:00", 500_000) == (400 * 50 + 100 * 80,)
    three = {"tiers": [{"upto": "100"}, {"upto": "150"}, {"upto": None}]}
    priced = charges(ENERGY | {"rates": ["1", "2", "4"]})
    shift = {"modifiers": [SHIFT | {"only_tiers": [1], "per_month": "80"}]}
    point = Point(tariff(three | priced | shift), "2025-01-01T00:00", household(household_size=5))
    # The first bound passes the second one: nothing is left of the second tier.
    assert point.passes("2025-02-01T00:00", 200_000) == (180_00 + 20 * 4_00,)


def test_a_charge_with_a_condition_is_for_those_who_fulfil_it() -> None:
    rebate = {"id": "rebate", "kind": "consumption", "rate": "-0.10", "gl": "credit"}
    poor = {"attribute": "low_income", "eq": True}
    rated_by = tariff(OPEN | charges(ONE_PRICE, rebate | {"when": poor}))
    for told, amount in ((True, -10_00), (False, 0), (1, 0), (None, 0)):
        point = Point(rated_by, "2025-01-01T00:00", household(low_income=told))
        assert point.passes("2025-02-01T00:00", 100_000) == (100_00, amount)


def test_what_is_not_asked_for_costs_no_more_than_a_plain_tariff() -> None:
    rated_by = compile_tariff(document({"modifiers": [SHIFT]}))
    plain = Point(tariff(), "2025-01-01T00:00")
    point = Point(rated_by, "2025-01-01T00:00", household(household_size=3, low_income=True))
    for day in ("2025-01-20", "2025-02-03"):
        assert point.passes(f"{day}T00:00", 90_000) == plain.passes(f"{day}T00:00", 90_000)
    assert point.position == plain.position


def test_silent_days_of_a_tariff_with_shares_bear_them_within_their_window() -> None:
    share = {"id": "share", "kind": "percent", "of": ["day_fee"], "rate": "0.10"}
    rated_by = tariff(OPEN | charges(ONE_PRICE, fixed("day", "1.00"), share))
    silent = Point(rated_by, "2025-01-30T00:00")
    assert silent.stays_silent_until("2025-02-03T08:00") == (0, 2_00, 20)
    assert silent.passes("2025-02-05T00:00", 6_000) == (6_00, 4_00, 40)
    read = Point(rated_by, "2025-01-30T00:00")
    assert read.passes("2025-02-05T00:00", 6_000) == (6_00, 6_00, 60)
    assert read.position == silent.position


@pytest.mark.parametrize(
    ("equals", "told", "holds"),
    [
        (3, 3, True),
        (3, "3.0", True),
        (2.5, "2.5", True),
        (3, 4, False),
        (1, True, False),
        (True, 1, False),
        ("a", "a", True),
        ("3", 3, False),
        (3, None, False),
    ],
)
def test_numbers_are_equal_by_value_and_no_number_is_a_truth(
    equals: object, told: Value, holds: object
) -> None:
    price = ONE_PRICE | {"when": {"attribute": "grade", "eq": equals}}
    point = Point(tariff(OPEN | charges(price)), "2025-01-01T00:00", household(grade=told))
    assert point.passes("2025-01-10T00:00", 10_000) == ((10_00,) if holds else (0,))
