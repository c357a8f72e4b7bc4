"""Bills that run from reading to reading: a meter that is replaced ends none (换表不结账)."""

from itertools import permutations

import pytest

from ledger.commands import late_readings
from ledger.commands.correct_reading import CorrectReading, handle
from tests.harness.desk import ACTOR, Desk, Json, at_us, moment, point
from tests.harness.documents import energy, monthly_fee, tariff, version
from tests.harness.readings import counts
from tests.views.test_previews import preview

BILLED = tariff("billed", version(energy(["0.5", "1"]), bounds=["100"], window="billing_period"))
FIRST = "electricity"


@pytest.fixture
def household(desk: Desk) -> Desk:
    """Two meters, 0.50 a kWh up to 100 of each bill and 1.00 beyond; one is replaced in between."""
    desk.publish(BILLED)
    desk.open("A1", point("M1", "billed"), point("M2", "billed"))
    desk.replace("A1", "2026-01-15", {"total": "60"}, "M3", {"total": "0"}, service_point=FIRST)
    return desk


def read(desk: Desk, meter_no: str, day: str, total: int) -> None:
    assert counts(desk.read(meter_no, f"2026-{day}", total)) == (1, 0, [])


def holds(desk: Desk, balance_minor: int) -> None:
    """The account stands there, whoever reckons it: the views, a preview, the auditor."""
    assert desk.account("A1").balance_minor == balance_minor
    desk.views.catch_up()
    assert desk.views.verify() == []
    same: Json = preview(desk, BILLED)
    assert same["before_minor"] == same["after_minor"] == -balance_minor


@pytest.mark.parametrize("order", [("M2", "M3"), ("M3", "M2")])
def test_a_replaced_meter_goes_on_in_the_bill_of_points_that_share_it(
    household: Desk, order: tuple[str, str]
) -> None:
    shown = {"M2": 30_000, "M3": 40_000}
    for meter_no in order:
        read(household, meter_no, "02-01", shown[meter_no])
    holds(household, -(100 * 50 + 30 * 100))
    read(household, "M3", "03-01", 110_000)
    read(household, "M2", "03-01", 70_000)
    holds(household, -(200 * 50 + 40 * 100))


def test_a_meter_replaced_twice_goes_on_in_the_same_bill(household: Desk) -> None:
    household.replace(
        "A1", "2026-01-20", {"total": "20"}, "M4", {"total": "0"}, service_point=FIRST
    )
    household.replace("A1", "2026-01-20", {"total": "0"}, "M5", {"total": "0"}, service_point=FIRST)
    read(household, "M5", "02-01", 50_000)
    holds(household, -(100 * 50 + 30 * 100))


def test_a_reading_closes_the_bill_also_where_the_meter_is_replaced_with_it(desk: Desk) -> None:
    desk.publish(BILLED)
    desk.open("A1", point("M1", "billed"))
    desk.open("A2", point("N1", "billed"), point("N2", "billed"))
    for account_no, old in (("A1", "M1"), ("A2", "N1")):
        read(desk, old, "01-15", 60_000)
        final: Json = {"total": "60"}
        initial: Json = {"total": "0"}
        name = f"{old}-new"
        desk.replace(account_no, "2026-01-15", final, name, initial, service_point=FIRST)
        read(desk, name, "02-01", 70_000)
        assert desk.account(account_no).balance_minor == -130 * 50
    desk.views.catch_up()
    assert desk.views.verify() == []


def test_a_late_reading_of_the_old_meter_opens_the_bill_that_goes_on(household: Desk) -> None:
    read(household, "M3", "02-01", 90_000)
    holds(household, -(100 * 50 + 50 * 100))
    read(household, "M1", "01-10", 50_000)
    holds(household, -150 * 50)
    read(household, "M3", "01-20", 85_000)
    holds(household, -150 * 50)


def test_a_meter_that_joins_later_counts_in_the_bill_that_runs(desk: Desk) -> None:
    desk.publish(BILLED)
    desk.open("A1", point("M1", "billed"))
    desk.replace("A1", "2026-01-15", {"total": "60"}, "M3", {"total": "0"})
    desk.install("A1", point("M2", "billed", "2026-01-20"))
    read(desk, "M2", "01-25", 90_000)
    holds(desk, -(100 * 50 + 50 * 100))


def test_a_reading_of_another_meter_ends_the_bill_within_an_interval(desk: Desk) -> None:
    desk.publish(BILLED)
    desk.open("A1", point("M1", "billed"))
    desk.replace("A1", "2026-01-15", {"total": "60"}, "M3", {"total": "0"})
    desk.install("A1", point("M2", "billed", "2026-01-20"))
    read(desk, "M2", "01-25", 90_000)
    read(desk, "M3", "02-01", 85_000)  # 5 a day: 50 until the 25th, 35 behind it.
    holds(desk, -(100 * 50 + 100 * 100 + 35 * 50))
    read(desk, "M2", "01-22", 40_000)  # 60 + 35 + 40, then 15 + 50, then 35.
    holds(desk, -(100 * 50 + 35 * 100 + 65 * 50 + 35 * 50))
    correct = CorrectReading.model_validate(
        {"meter_no": "M1", "at": moment("2026-01-15"), "registers": {"total": "50"}, "reason": "x"}
    )
    handle(correct, desk.ledger, ACTOR)
    holds(desk, -(100 * 50 + 25 * 100 + 65 * 50 + 35 * 50))


def test_whatever_order_readings_come_in_the_bills_are_the_same() -> None:
    readings = [
        late_readings.Reading(meter_no, at_us(f"2026-{day}"), {"total": total})
        for meter_no, day, total in (
            ("M2", "01-20", 30_000),
            ("M3", "01-25", 40_000),
            ("M3", "02-01", 110_000),
            ("M2", "02-01", 150_000),
        )
    ]
    balances = set()
    for order in [*permutations(readings)][::5]:
        desk = Desk.at("sqlite://")
        desk.publish(BILLED)
        desk.open("A1", point("M1", "billed"), point("M2", "billed"))
        desk.replace("A1", "2026-01-15", {"total": "60"}, "M3", {"total": "0"}, service_point=FIRST)
        for reading in order:
            assert counts(desk.read_all(reading)) == (1, 0, [])
        balances.add(desk.account("A1").balance_minor)
        holds(desk, -(100 * 50 + 30 * 100 + 100 * 50 + 20 * 100 + 70 * 50))
        desk.close()
    assert len(balances) == 1


@pytest.mark.parametrize("method", ["none", "days", "months"])
def test_a_bill_with_a_replaced_meter_is_as_long_as_it_becomes(desk: Desk, method: str) -> None:
    priced = version(
        energy(["0.5", "1"]), monthly_fee("3"), bounds=["100"], window="billing_period"
    )
    priced["accumulation"]["proration"] = {"method": method}
    document = tariff("long", priced)
    desk.publish(document)
    desk.open("A1", point("M1", "long"))
    desk.replace("A1", "2026-01-15", {"total": "150"}, "M2", {"total": "0"})
    read(desk, "M2", "03-02", 60_000)
    # Two months and a day: the bound of a month counts for 60 days, or for 2 1/30 months.
    bound = {"none": 100_000, "days": 200_000, "months": 100_000 * 61 // 30}[method]
    first = min(210_000, bound)
    total = (first * 50 + (210_000 - first) * 100 + 500) // 1_000 + 2 * 3_00
    assert desk.account("A1").balance_minor == -total
    desk.views.catch_up()
    assert desk.views.verify() == []
    same: Json = preview(desk, document)
    assert same["before_minor"] == same["after_minor"] == total
