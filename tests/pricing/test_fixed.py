import pytest

from tests.pricing.points import Point, day
from tests.pricing.strategies import to_utc
from tests.pricing.tariffs import ENERGY, accumulation, charges, fixed, tariff

ZONE = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("zone", "read_at"),
    [
        ("Europe/London", "2025-03-30T12:00"),  # 23 hours long
        ("Europe/London", "2025-10-26T12:00"),  # 25 hours long
        ("Africa/Cairo", "2025-04-25T12:00"),  # midnight itself is skipped
        ("America/Havana", "2025-11-02T12:00"),  # midnight is passed twice
    ],
)
def test_a_day_bears_its_fixed_charge_once_however_long_it_is(zone: str, read_at: str) -> None:
    rated_by = tariff(charges(ENERGY, fixed("day", "0.6012")), timezone=zone)
    point = Point(rated_by, f"{read_at[:8]}{int(read_at[8:10]) - 1:02}T00:30")
    point.passes(read_at, 0)
    assert point.position.accrued[1] == 60_120_000_000
    if zone != "America/Havana":
        point.passes(f"{read_at[:8]}{int(read_at[8:10]) + 1:02}T00:00", 0)
        assert point.position.accrued[1] == 2 * 60_120_000_000


def test_a_zero_length_interval_counts_its_quantity_and_no_fixed_charge() -> None:
    fees = (fixed("day", "1"), fixed("month", "2"), fixed("period", "3"))
    point = Point(tariff(charges(ENERGY, *fees)), "2025-01-01T00:00")
    assert point.passes("2025-01-01T00:00", 10_000) == (500, 0, 0, 0)
    assert point.passes("2025-02-01T00:00", 0) == (0, 3100, 200, 300)
    assert point.passes("2025-02-01T00:00", 10_000) == (500, 0, 0, 0)
    assert point.position.window_to == day("2025-02-01")


def test_monthly_and_window_charges_fall_due_with_the_first_hour() -> None:
    fees = (fixed("month", "2"), fixed("period", "3"))
    rated_by = tariff(accumulation("bimonth") | charges(ENERGY, *fees))
    point = Point(rated_by, "2025-01-15T10:00")
    assert point.passes("2025-01-15T11:00", 0) == (0, 200, 300)
    assert point.passes("2025-01-31T00:00", 0) == (0, 0, 0)
    assert point.passes("2025-02-01T00:00", 0) == (0, 0, 0)
    assert point.passes("2025-02-01T01:00", 0) == (0, 200, 0)
    assert point.passes("2025-05-01T01:00", 0) == (0, 600, 600)


def test_a_silent_meter_pays_its_days_once_and_keeps_its_consumption_behind() -> None:
    point = Point(tariff(charges(ENERGY, fixed("day", "1"))), "2025-01-30T00:00")
    assert point.passes("2025-01-31T00:00", 99_000) == (4950, 100)
    assert point.stays_silent_until("2025-02-03T08:00") == (0, 300)
    assert point.stays_silent_until("2025-02-03T09:00") == (0, 0)
    assert point.position.window_from == day("2025-01-01")
    assert point.position.fixed_window == (0, day("2025-02-01"))
    assert point.passes("2025-02-05T00:00", 5_000) == (50 + 200, 200)
    assert point.position.window_from == day("2025-02-01")
    assert not point.position.fixed_window


def test_a_silent_meter_does_not_pay_for_its_window_again_when_it_speaks() -> None:
    rated_by = tariff(
        {"effective_to": "2025-01-14"} | charges(ENERGY, fixed("period", "3")),
        {"effective_from": "2025-01-14"} | accumulation(on_version_change="reset"),
    )
    point = Point(rated_by, "2025-01-13T19:00")
    assert point.stays_silent_until("2025-01-15T00:00") == (0, 300)
    assert point.passes("2025-01-13T20:00", 1_000) == (50, 0)
    assert point.passes("2025-01-15T00:00", 0) == (0, 0)


def test_days_without_a_meter_bear_no_fixed_charge() -> None:
    rated_by = tariff(charges(ENERGY, fixed("day", "1")))
    point = Point(rated_by, "2025-01-01T00:00")
    point.passes("2025-01-03T00:00", 0)
    point.at_us = to_utc(ZONE, "2025-01-10T00:00")
    assert point.passes("2025-01-11T00:00", 0) == (0, 100)


@pytest.mark.parametrize(
    ("zone", "evening"),
    [("America/Havana", "2020-10-31T22:07"), ("America/St_Johns", "2009-10-31T22:07")],
)
def test_a_clock_set_back_over_the_border_of_a_month_opens_no_closed_window(
    zone: str, evening: str
) -> None:
    rated_by = tariff(
        {"effective_from": "2009-01-01"} | charges(ENERGY, fixed("day", "1")), timezone=zone
    )
    point = Point(rated_by, evening)
    charged = [0, 0]
    for _ in range(24):
        to_us = point.at_us + 600_000_000
        rated = rated_by.rate(point.position, point.at_us, to_us, (1_000,))
        assert rated == rated_by.derive(point.position, point.at_us, to_us, (1_000,))[:2]
        assert rated[0].window_from >= point.position.window_from
        point.position, point.at_us = rated[0], to_us
        charged = [sum(pair) for pair in zip(charged, rated[1], strict=True)]
    assert charged == [24 * 50, 100]
