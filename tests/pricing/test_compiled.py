from typing import Any

import msgspec
import pytest

from ledger.pricing import Line, NotRateable, Position
from tests.pricing.points import Point, day
from tests.pricing.strategies import to_utc
from tests.pricing.tariffs import ENERGY, accumulation, charges, fixed, tariff

ZONE = "Asia/Shanghai"


def test_a_tariff_tells_its_lines_in_the_order_of_their_first_appearance() -> None:
    levy = {"id": "levy", "kind": "consumption", "rate": "0.01", "gl": "pass_through:fund"}
    waste = {"id": "waste", "kind": "fixed", "per": "month", "amount": "3", "tax_rate": "0.06"}
    rated_by = tariff(
        {"effective_to": "2021-01-01"} | charges(ENERGY, levy),
        {"effective_from": "2021-01-01"} | charges(waste, ENERGY),
    )
    assert rated_by.lines == (
        Line("energy", "revenue", (13, 100)),
        Line("levy", "pass_through:fund", (13, 100)),
        Line("waste", "revenue", (3, 50)),
    )


def test_the_upper_bound_belongs_to_the_lower_tier() -> None:
    point = Point(tariff(), "2025-01-01T00:00")
    assert point.passes("2025-01-05T00:00", 100_000) == (5000,)
    assert point.tariff.tier(point.position) == (1, 100_000)
    assert point.passes("2025-01-06T00:00", 1) == (0,)
    assert point.tariff.tier(point.position) == (2, None)
    assert point.passes("2025-01-07T00:00", 99_999) == (8000,)


def test_one_interval_may_cross_every_tier() -> None:
    three = {"tiers": [{"upto": "10"}, {"upto": "20"}, {"upto": None}]}
    rates = charges(ENERGY | {"rates": ["1", "2", "4"]})
    point = Point(tariff(three | rates), "2025-01-01T00:00")
    assert point.passes("2025-01-31T00:00", 25_000) == (10_00 + 20_00 + 20_00,)


def test_rounding_is_cumulative_so_small_readings_lose_nothing() -> None:
    point = Point(tariff(charges(ENERGY | {"rates": ["0.5383", "0.80"]})), "2025-01-01T00:00")
    hourly = [point.passes(f"2025-01-01T{hour:02}:00", 10)[0] for hour in range(1, 24)]
    assert sum(hourly) == 12  # 0.23 kWh x 0.5383 = 0.123809; each alone would be 1 or 0
    assert set(hourly) == {0, 1}


def test_midnight_closes_the_day_before_and_its_window() -> None:
    point = Point(tariff(), "2025-01-01T00:00")
    point.passes("2025-02-01T00:00", 90_000)
    assert point.position.window_to == day("2025-02-01")
    assert point.position.used == 90_000
    assert point.passes("2025-02-02T00:00", 90_000) == (4500,)
    assert (point.position.window_from, point.position.used) == (day("2025-02-01"), 90_000)


def test_an_interval_over_a_border_is_split_by_wall_clock_time() -> None:
    point = Point(tariff(), "2025-01-31T18:00")
    assert point.passes("2025-02-01T12:00", 300_000) == (5000 + 5000 + 8000,)
    assert (point.position.used, point.position.den) == (200_000, 1)
    point.passes("2025-03-01T00:00:07", 7)
    assert point.position.den > 1
    assert point.position.window_from == day("2025-03-01")


def test_by_reading_end_gives_the_whole_interval_to_the_window_of_its_last_day() -> None:
    rated_by = tariff(accumulation(period_attribution="by_reading_end"))
    point = Point(rated_by, "2025-01-20T00:00")
    assert point.passes("2025-02-02T00:00", 150_000) == (9000,)
    assert (point.position.window_from, point.position.used) == (day("2025-02-01"), 150_000)


@pytest.mark.parametrize(
    ("applies", "amounts"),
    [("split_by_days", 10_00 + 20_00), ("by_reading_end", 40_00)],
)
def test_a_new_price_counts_by_days_or_from_the_first_reading_after_it(
    applies: str, amounts: int
) -> None:
    one = {"tiers": [{"upto": None}], "effective_to": "2025-01-11"}
    two = {"tiers": [{"upto": None}], "effective_from": "2025-01-11", "applies": applies}
    rated_by = tariff(
        one | charges(ENERGY | {"rates": ["1"]}), two | charges(ENERGY | {"rates": ["2"]})
    )
    point = Point(rated_by, "2025-01-01T00:00")
    assert point.passes("2025-01-21T00:00", 20_000) == (amounts,)


@pytest.mark.parametrize(("change", "amount"), [("carry", 80_00), ("reset", 50_00)])
def test_the_tier_counter_carries_over_a_new_price_unless_it_says_reset(
    change: str, amount: int
) -> None:
    old = {"effective_to": "2025-01-11"}
    new = {"effective_from": "2025-01-11"} | accumulation(on_version_change=change)
    point = Point(tariff(old, new), "2025-01-01T00:00")
    point.passes("2025-01-11T00:00", 100_000)
    assert point.passes("2025-01-12T00:00", 100_000) == (amount,)


def test_a_season_changes_bounds_and_prices_with_its_months() -> None:
    summer = {"id": "summer", "months": [7], "tiers": [{"upto": "10"}, {"upto": None}]}
    seasons = {"seasons": [summer | {"rates": {"energy": ["1", "2"]}}]}
    point = Point(tariff(seasons), "2025-06-01T00:00")
    assert point.passes("2025-07-01T00:00", 20_000) == (1000,)
    assert point.passes("2025-07-02T00:00", 20_000) == (1000 + 2000,)
    assert point.tariff.tier(point.position) == (2, None)
    assert point.passes("2025-08-02T00:00", 31_000) == (6000 + 50,)


def test_bounds_are_prorated_by_the_months_left_with_the_month_of_moving_in() -> None:
    prorated = accumulation("year", proration={"method": "months_in_service"})
    point = Point(tariff(prorated), "2025-05-20T15:00")
    assert point.tariff.tier(point.position) == (1, 66_666)
    assert point.passes("2025-06-01T00:00", 70_000) == (3600,)  # 66⅔ × 0.50 + 3⅓ × 0.80
    point.passes("2026-01-05T00:00", 1)
    assert point.tariff.tier(point.position) == (1, 100_000)


@pytest.mark.parametrize(
    ("window", "anchor", "window_from", "window_to"),
    [
        ("month", 1, "2025-03-01", "2025-04-01"),
        ("bimonth", 1, "2025-03-01", "2025-05-01"),
        ("bimonth", 2, "2025-02-01", "2025-04-01"),
        ("four_months", 1, "2025-01-01", "2025-05-01"),
        ("year", 1, "2025-01-01", "2026-01-01"),
        ("year", 7, "2024-07-01", "2025-07-01"),
    ],
)
def test_windows_begin_at_their_anchor_month(
    window: str, anchor: int, window_from: str, window_to: str
) -> None:
    rated_by = tariff(accumulation(window, anchor_month=anchor))
    position = rated_by.start(to_utc(ZONE, "2025-03-15T12:00"))
    assert (position.window_from, position.window_to) == (day(window_from), day(window_to))


def test_a_later_version_may_bring_a_line_to_an_old_position() -> None:
    old = tariff({"effective_to": "2025-02-01"})
    new = tariff(
        {"effective_to": "2025-02-01"},
        {"effective_from": "2025-02-01"} | charges(ENERGY, fixed("day", "1")),
    )
    point = Point(old, "2025-01-01T00:00")
    point.passes("2025-01-20T00:00", 10_000)
    point.tariff = new
    assert point.passes("2025-02-03T00:00", 14_000) == (600 + 100, 200)


def test_a_line_that_a_version_no_longer_has_keeps_what_was_charged() -> None:
    coarse = {"quantum": "0.05", "mode": "up"}
    levy = {"id": "levy", "kind": "consumption", "rate": "0.01", "rounding": coarse}
    rated_by = tariff(
        {"effective_to": "2025-01-11"} | charges(ENERGY, levy),
        {"effective_from": "2025-01-11"},
    )
    point = Point(rated_by, "2025-01-01T00:00")
    assert point.passes("2025-01-11T00:00", 1_000) == (50, 5)
    assert point.passes("2025-01-12T00:00", 1_000) == (50, 0)
    assert point.passes("2025-01-13T00:00", 1_000) == (50, 0)


@pytest.mark.parametrize(
    ("mode", "quantum", "amount"),
    [
        ("half_up", "0.01", 13),
        ("half_even", "0.01", 12),
        ("down", "0.01", 12),
        ("up", "0.01", 13),
        ("half_up", "0.10", 10),
        ("up", "0.05", 15),
    ],
)
def test_a_line_rounds_as_it_says(mode: str, quantum: str, amount: int) -> None:
    rounding = {"rounding": {"mode": mode, "quantum": quantum}}
    point = Point(tariff(charges(ENERGY | rounding)), "2025-01-01T00:00")
    assert point.passes("2025-01-02T00:00", 250) == (amount,)  # 0.125


def test_a_credit_below_zero_rounds_away_from_zero_too() -> None:
    credit = {"id": "rebate", "kind": "consumption", "rate": "-0.50", "gl": "credit"}
    point = Point(tariff(charges(ENERGY, credit)), "2025-01-01T00:00")
    assert point.passes("2025-01-02T00:00", 250) == (13, -13)


@pytest.mark.parametrize(
    ("currency", "quantum", "amount"), [("KRW", "1", 123), ("KWD", "0.001", 123_450)]
)
def test_money_is_in_the_minor_unit_of_its_currency(
    currency: str, quantum: str, amount: int
) -> None:
    rounding = {"rounding": {"mode": "half_up", "quantum": quantum}}
    rates = charges(ENERGY | {"rates": ["123.45", "200"]})
    point = Point(tariff(rounding | rates, currency=currency), "2025-01-01T00:00")
    assert point.passes("2025-01-02T00:00", 1_000) == (amount,)


def test_three_registers_share_the_tiers_by_their_total() -> None:
    rates = {"sharp": ["4", "8"], "peak": ["2", "4"], "valley": ["1", "2"]}
    rated_by = tariff(charges(ENERGY | {"rates": rates}), registers=list(rates))
    point = Point(rated_by, "2025-01-01T00:00")
    first = 20 * 4_00 + 30 * 2_00 + 50 * 1_00
    assert point.passes("2025-01-10T00:00", 20_000, 30_000, 50_000) == (first,)
    assert point.passes("2025-01-11T00:00", 1_000, 0, 0) == (8_00,)
    point = Point(rated_by, "2025-01-01T00:00")
    assert point.passes("2025-01-10T00:00", 40_000, 60_000, 100_000) == (first + 2 * first,)


def refusals() -> list[Any]:
    start, end = "2025-01-01T00:00", "2025-01-02T00:00"
    return [
        pytest.param(end, start, (1,), "backward", id="backward"),
        pytest.param(start, end, (1, 1), "registers", id="registers"),
        pytest.param(start, end, (-1,), "negative", id="negative"),
        pytest.param(start, "2031-01-02T00:00", (1,), "no_version", id="after the tariff"),
        pytest.param("2024-12-20T00:00", end, (1,), "closed_window", id="closed window"),
    ]


@pytest.mark.parametrize(("start", "end", "quantities", "code"), refusals())
def test_what_cannot_be_rated_is_refused_with_a_code(
    start: str, end: str, quantities: tuple[int, ...], code: str
) -> None:
    rated_by = tariff({"effective_to": "2031-01-01"})
    position = rated_by.start(to_utc(ZONE, "2025-01-01T00:00"))
    with pytest.raises(NotRateable) as refused:
        rated_by.rate(position, to_utc(ZONE, start), to_utc(ZONE, end), quantities)
    assert refused.value.code == code


def test_a_point_cannot_start_before_its_tariff() -> None:
    with pytest.raises(NotRateable) as refused:
        tariff().start(to_utc(ZONE, "2019-12-31T23:59"))
    assert refused.value.code == "no_version"


def test_a_position_is_small_in_an_event_and_comes_back_whole() -> None:
    point = Point(tariff(), "2025-01-01T00:00")
    point.passes("2025-01-02T00:00", 1_000)
    text = msgspec.json.encode(point.position)
    assert msgspec.json.decode(text, type=Position) == point.position
    assert text == (
        b'{"version":0,"window_from":739252,"window_to":739283,"in_service_from":739252,'
        b'"used":1000,"accrued":[50000000000],"posted":[50],"fixed_through":739252}'
    )
