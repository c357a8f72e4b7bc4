"""Tariffs of the field: what their authors printed, and what follows from what they printed."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.pricing import CompiledTariff, NotRateable, compile_tariff, lint
from tests.pricing.points import Point, household
from tests.pricing.tariffs import ENERGY, accumulation, charges, document

EXAMPLES: dict[str, Any] = {
    tariff["tariff_id"]: tariff
    for tariff in json.loads((Path(__file__).parent / "tariff_examples.json").read_bytes())[
        "tariffs"
    ]
}


def example(name: str) -> CompiledTariff:
    return compile_tariff(EXAMPLES[name])


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_shape_of_the_format_can_be_published(name: str) -> None:
    assert lint(EXAMPLES[name]) == []


@pytest.mark.parametrize(
    ("quantity_wh", "lines", "total"),
    [
        (
            340_000,
            {"basic": 1600, "energy": 44966, "vat": 4657, "fund": 1720, "rounding": -3},
            52_940,  # printed
        ),
        (
            225_000,
            {"basic": 1600, "energy": 23357, "vat": 2496, "fund": 920, "rounding": -3},
            28370,
        ),
    ],
)
def test_korea_cuts_energy_to_won_and_fund_and_total_to_ten(
    quantity_wh: int, lines: dict[str, int], total: int
) -> None:
    point = Point(example("kr-kepco-lv"), "2017-03-01T00:00")
    assert point.lines("2017-04-01T00:00", quantity_wh) == lines
    assert sum(point.position.posted) == total


@pytest.mark.parametrize(
    ("kw", "quantity_wh", "total"),
    [
        (1, 28_000, 145_00),  # printed: the lifeline has no demand charge
        (1, 129_000, 693_13),  # printed as 693
        (2, 167_000, 940_49),  # printed as 940
        (1, 50_000, 227_50),  # the bound belongs to the lifeline
        (1, 50_001, 279_50),
    ],
)
def test_bangladesh_prices_all_units_by_the_schedule_of_the_total(
    kw: int, quantity_wh: int, total: int
) -> None:
    point = Point(example("bd-desco-lt-a"), "2020-05-01T00:00", household(sanctioned_kw=kw))
    assert sum(point.passes("2020-06-01T00:00", quantity_wh)) == total


def test_another_schedule_takes_back_what_the_first_one_charged() -> None:
    rated_by = example("bd-desco-lt-a")
    in_march = household(sanctioned_kw=1)
    month = type(in_march)(attributes=in_march.attributes, bill_day=1)
    point = Point(rated_by, "2020-05-01T00:00", month)
    assert point.lines("2020-05-11T00:00", 50_000) == {"energy": 187_50, "meter_rent": 40_00}
    assert point.lines("2020-06-01T00:00", 79_000) == {
        "energy": 623_13 - 187_50,
        "demand": 30_00,
    }


@pytest.mark.parametrize(
    ("factor", "percent_of_base"),
    [
        ("0.95", "-0.75"),
        ("0.99", "-0.75"),
        ("0.93", "-0.45"),
        ("0.90", "0"),
        ("0.70", "10"),
        ("0.65", "15"),
        ("0.64", "17"),
    ],
)
def test_the_power_factor_moves_capacity_and_energy_by_the_printed_table(
    factor: str, percent_of_base: str
) -> None:
    account = household(transformer_kva=100, power_factor=factor)
    point = Point(example("cn-sz-industrial-2005"), "2006-03-01T00:00", account)
    lines = point.lines("2006-04-01T00:00", 0, 25_000_000, 5_000_000)
    # 250 kWh for each of 100 kVA are the first tier, shared by flat and valley as 5 to 1.
    energy = round(
        (
            25_000 * 5 / 6 * 0.6246
            + 5_000 * 5 / 6 * 0.2896
            + 25_000 / 6 * 0.6046
            + 5_000 / 6 * 0.2696
        )
        * 100
    )
    assert (lines["capacity"], lines["energy"]) == (2_400_00, energy)
    adjustment = round((2_400_00 + energy) * float(percent_of_base) / 100)
    assert lines.get("power_factor", 0) == pytest.approx(adjustment, abs=1)


@pytest.mark.parametrize(
    ("factor", "surcharge"),
    [("0.85", 0), ("0.80", 150_00), ("0.75", 300_00), ("0.60", 1_200_00)],  # printed, on RM 2000
)
def test_malaysia_adds_a_share_below_85_and_twice_that_below_75(
    factor: str, surcharge: int
) -> None:
    table = {
        "id": "power_factor",
        "kind": "adjustment_table",
        "input": "power_factor",
        "of": ["energy"],
        "standard": "0.85",
        "steps": [
            {"from": "0.75", "to": "0.84", "percent_per_001": "1.5"},
            {"from": "0.00", "to": "0.74", "percent_per_001": "3"},
        ],
    }
    priced = {"tiers": [{"upto": None}]} | charges({**ENERGY, "rates": ["0.50"]}, table)
    account = household(power_factor=factor)
    point = Point(compile_tariff(document(priced, currency="MYR")), "2020-01-01T00:00", account)
    lines = point.lines("2020-02-01T00:00", 4_000_000)
    assert (lines["energy"], lines.get("power_factor", 0)) == (2_000_00, surcharge)


@pytest.mark.parametrize("factor", ["good", "93", "-0.5", True])
def test_a_power_factor_that_is_no_number_from_0_to_1_keeps_the_reading(factor: bool | str) -> None:  # noqa: FBT001 - what was told
    account = household(transformer_kva=100, power_factor=factor)
    point = Point(example("cn-sz-industrial-2005"), "2006-03-01T00:00", account)
    with pytest.raises(NotRateable, match=r"power.factor"):
        point.lines("2006-04-01T00:00", 0, 25_000_000, 5_000_000)


def test_a_register_of_reactive_energy_gives_the_factor_rounded_to_a_hundredth_first() -> None:
    document = EXAMPLES["cn-sz-industrial-2005"] | {
        "registers": ["peak", "flat", "valley", "reactive"]
    }
    rated_by = compile_tariff(document)
    point = Point(rated_by, "2006-03-01T00:00", household(transformer_kva=100))
    # 10,000 kWh and 4,843.2 kvarh: 0.90000…, so no adjustment.
    lines = point.lines("2006-04-01T00:00", 0, 10_000_000, 0, 4_843_200)
    assert set(lines) == {"capacity", "energy"}
    # 4,000 kvarh: 0.9285 is taken as 0.93: three hundredths of 0.15 % each.
    point = Point(rated_by, "2006-03-01T00:00", household(transformer_kva=100))
    lines = point.lines("2006-04-01T00:00", 0, 10_000_000, 0, 4_000_000)
    assert lines["power_factor"] == -round((240_000 + 624_600) * 0.0045)
    # Nothing reactive at all is a factor of 1, better than which nobody can be.
    point = Point(rated_by, "2006-03-01T00:00", household(transformer_kva=100))
    lines = point.lines("2006-04-01T00:00", 0, 10_000_000, 0, 0)
    assert lines["power_factor"] == -6_485  # of 864,600 fen 0.75 %: 6,484.5
    # Where nothing passed, nothing can be said of it.
    point = Point(rated_by, "2006-03-01T00:00", household(transformer_kva=100))
    assert point.lines("2006-04-01T00:00", 0, 0, 0, 0) == {"capacity": 240_000}


def test_california_multiplies_the_baseline_by_the_days_of_the_bill() -> None:
    point = Point(example("us-pge-e1-shape"), "2012-07-01T00:00")
    point.passes("2012-07-31T00:00", 400_000)
    assert point.position.limits == (363_000, 471_900, 726_000, 1_089_000)
    assert point.tariff.tier(point.position) == (2, 471_900)
    assert point.position.posted == (43_56 + 5_18, 0)


def test_a_minimum_tops_the_bill_up_by_its_days() -> None:
    point = Point(example("us-pge-e1-shape"), "2012-07-01T00:00")
    assert point.lines("2012-07-31T00:00", 10_000) == {"energy": 1_20, "minimum": 4_50 - 1_20}


def test_a_ratchet_bills_four_fifths_of_the_highest_peak_of_eleven_months() -> None:
    point = Point(example("us-demand-ratchet-shape"), "2021-01-01T00:00")
    assert point.lines("2021-02-01T00:00", 0, 100_000) == {"demand": 1_250_00}
    assert point.lines("2021-03-01T00:00", 0, 50_000) == {"demand": 1_000_00}
    assert point.lines("2021-04-01T00:00", 0, 90_000) == {"demand": 1_125_00}
    assert point.lines("2021-04-11T00:00", 0, 70_000) == {"demand": 1_000_00}
    assert point.lines("2021-05-01T00:00", 0, 85_000) == {"demand": 62_50}
    for month in range(5, 12):
        point.passes(f"2021-{month + 1:02}-01T00:00", 0, 10_000)
    assert point.lines("2022-01-01T00:00", 0, 10_000) == {"demand": 1_000_00}
    # January's peak lies twelve months back now: April's 90 kW of March count.
    assert point.lines("2022-02-01T00:00", 0, 10_000) == {"demand": 900_00}


def test_hainan_deducts_the_free_quantity_before_the_tiers() -> None:
    point = Point(
        example("cn-hainan-free-quantity"), "2013-05-01T00:00", household(low_income=True)
    )
    assert point.passes("2013-05-11T00:00", 10_000)[0] == 0
    assert point.passes("2013-06-01T00:00", 220_000)[0] == round(220 * 60.83)
    assert point.passes("2013-06-02T00:00", 20_000)[0] == round(10 * 60.83)


def test_seven_persons_pay_one_price_for_two_years() -> None:
    point = Point(
        example("cn-hainan-free-quantity"), "2013-05-01T00:00", household(household_size=7)
    )
    assert point.passes("2013-06-01T00:00", 500_000)[0] == 500 * 61_83 // 100
    point.passes("2015-05-01T00:00", 0)
    assert point.passes("2015-06-01T00:00", 500_000)[0] == round(
        220 * 60.83 + 140 * 65.83 + 140 * 90.83
    )


def test_a_commercial_tariff_keeps_its_funds_as_a_line_of_their_own() -> None:
    rated_by = example("cn-bj-commercial-tou")
    point = Point(rated_by, "2024-01-01T00:00")
    lines = point.lines("2024-02-01T00:00", 1_000, 1_000, 1_000, 1_000)
    assert lines == {"energy": 3_59, "funds": 8}
    assert rated_by.lines[1].gl == "pass_through:state_funds"


def test_what_the_tariff_asks_for_and_nobody_told_is_a_reason_not_a_guess() -> None:
    point = Point(example("cn-sz-industrial-2005"), "2006-03-01T00:00")
    with pytest.raises(NotRateable, match="transformer_kva") as refused:
        point.passes("2006-04-01T00:00", 0, 1_000, 0)
    assert refused.value.code == "attribute_missing"


def test_a_step_of_a_longer_bill_is_as_much_wider() -> None:
    """45 days of a step of 100 a month: 45 / 30 × 100 = 150 (printed)."""
    by_days = {"method": "days", "base_days": 30}
    rated_by = compile_tariff(document(accumulation("billing_period", proration=by_days)))
    point = Point(rated_by, "2021-04-01T00:00")
    point.passes("2021-05-16T00:00", 200_000)
    assert point.position.limits == (150_000,)


def test_a_new_price_takes_its_days_of_the_bill() -> None:
    """Twenty and ten of thirty days (printed): 300 kWh are 200 at 0.10 and 100 at 0.40."""
    flat = accumulation("billing_period") | {"tiers": [{"upto": None}]}
    old = {"effective_to": "2021-04-21"} | charges({**ENERGY, "rates": ["0.10"]})
    new = {"effective_from": "2021-04-21"} | charges({**ENERGY, "rates": ["0.40"]})
    point = Point(compile_tariff(document(flat | old, flat | new)), "2021-04-01T00:00")
    assert point.lines("2021-05-01T00:00", 300_000) == {"energy": 20_00 + 40_00}
