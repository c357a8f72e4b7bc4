"""A meter that is silent pays its days; what it reads later pays the rest."""

import pytest

from ledger.commands import accrue_fixed
from ledger.events.account import FixedFeeCharged
from tests.harness.desk import ACTOR, Desk, Json, point
from tests.harness.documents import daily_fee, energy, tariff, version
from tests.harness.readings import counts

BY_DAY = tariff("by_day", version(energy(["0.5", "1"]), daily_fee("0.2"), bounds=["100"]))
MONTHLY = tariff("monthly", version(energy(["0.5"]), {**daily_fee("9"), "per": "month"}))


def accrue(desk: Desk, *account_nos: str) -> Json:
    return accrue_fixed.handle(account_nos or ("A1",), desk.ledger, ACTOR)


def fees(desk: Desk, account_no: str = "A1") -> list[FixedFeeCharged]:
    return [fact for fact in desk.facts(account_no) if isinstance(fact, FixedFeeCharged)]


@pytest.fixture(autouse=True)
def opened(desk: Desk) -> None:
    desk.publish(BY_DAY, MONTHLY)
    desk.clock.go("2026-01-01T12:00")
    desk.open("A1", point("M1", "by_day"))


def test_a_silent_meter_has_one_event_a_local_day(desk: Desk) -> None:
    desk.clock.go("2026-01-04T09:00")
    assert accrue(desk) == {"looked_at": 1, "accounts": 1, "days": 3}
    assert [(fee.day, fee.amount_minor) for fee in fees(desk)] == [
        (739_617, 20),
        (739_618, 20),
        (739_619, 20),
    ]
    assert accrue(desk)["days"] == 0
    desk.views.catch_up()
    assert desk.views.verify() == []


def test_a_meter_that_speaks_is_left_alone(desk: Desk) -> None:
    desk.read("M1", "2026-01-01T10:00", 1_000)
    desk.clock.go("2026-01-02T09:59")
    assert accrue(desk)["days"] == 0
    desk.clock.go("2026-01-02T10:00")
    assert accrue(desk)["days"] == 1


def test_a_later_reading_charges_only_days_not_yet_charged(desk: Desk) -> None:
    desk.clock.go("2026-01-04T09:00")
    accrue(desk)
    desk.clock.go("2026-01-07")
    assert counts(desk.read("M1", "2026-01-06", 10_000)) == (1, 0, [])
    assert desk.account("A1").balance_minor == -(10 * 50 + 5 * 20)


def test_late_readings_and_silent_days_meet(desk: Desk) -> None:
    desk.clock.go("2026-01-09T12:00")
    accrue(desk)
    desk.read("M1", "2026-01-06", 10_000)
    desk.read("M1", "2026-01-04", 9_000)
    assert desk.account("A1").balance_minor == -(10 * 50 + 8 * 20)
    assert desk.account("A1").points[0].position.fixed_through == 739_617 + 8
    assert accrue(desk)["days"] == 0
    desk.clock.go("2026-01-10T12:00")
    assert accrue(desk)["days"] == 1
    desk.read("M1", "2026-01-10T06:00", 11_000)
    assert desk.account("A1").balance_minor == -(11 * 50 + 9 * 20)
    desk.views.catch_up()
    assert desk.views.verify() == []


def test_a_monthly_fee_falls_due_once_a_month(desk: Desk) -> None:
    desk.open("A2", point("M2", "monthly"))
    for now in ("2026-01-03", "2026-01-09", "2026-02-05", "2026-02-20"):
        desk.clock.go(now)
        accrue(desk, "A2")
    assert [fee.amount_minor for fee in fees(desk, "A2")] == [9_00, 9_00]


def test_a_tariff_without_fees_records_nothing(desk: Desk) -> None:
    desk.open("A2", point("M2"))
    desk.clock.go("2026-03-01")
    heads = desk.heads()
    assert accrue(desk, "A2")["days"] == 0
    assert desk.heads() == heads


def test_silent_days_cut_off_who_cannot_pay_them(desk: Desk) -> None:
    desk.recharge("A1", 50)
    desk.clock.go("2026-01-04T09:00")
    accrue(desk)
    assert desk.account("A1").points[0].level == "trip"
