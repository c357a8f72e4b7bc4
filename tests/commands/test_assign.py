"""What exists is rated, controlled and grouped otherwise from now on."""

from typing import Any

import pytest

from ledger.aggregates import Refused
from ledger.commands.assign import (
    AssignGroup,
    AssignPolicy,
    AssignTariff,
    assign_group,
    assign_policy,
    assign_tariff,
)
from ledger.events.account import SupplyRestoreOrdered, SupplyTripOrdered, WarningCancelled
from tests.harness.desk import ACTOR, Desk, Json, point, water
from tests.harness.documents import policy


def tariff_of(desk: Desk, tariff_id: str, point: str | None = None) -> Json:
    command = AssignTariff(account_no="A1", service_point=point, tariff_id=tariff_id)
    return assign_tariff(command, desk.ledger, ACTOR).body


def policy_of(desk: Desk, policy_id: str, point: str | None = None) -> Json:
    command = AssignPolicy(account_no="A1", service_point=point, policy_id=policy_id)
    return assign_policy(command, desk.ledger, ACTOR).body


def group_of(desk: Desk, group: str) -> Json:
    return assign_group(AssignGroup(account_no="A1", group=group), desk.ledger, ACTOR).body


def test_a_tariff_rates_from_the_last_reading_on(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.read("M1", "2026-01-10", 150_000)
    assert tariff_of(desk, "tiered")["changed"]
    desk.read("M1", "2026-01-20", 260_000)
    assert desk.account("A1").balance_minor == -(75_00 + 50_00 + 6_00)
    heads = desk.heads()
    assert not tariff_of(desk, "tiered")["changed"]
    assert desk.heads() == heads


@pytest.mark.parametrize(
    ("tariff_id", "code"),
    [
        ("unheard-of", "tariff_unknown"),
        ("water", "tariff_of_other_service"),
        ("tou", "tariff_of_other_registers"),
    ],
)
def test_a_tariff_that_cannot_rate_is_refused(desk: Desk, tariff_id: str, code: str) -> None:
    desk.open("A1", point("M1"))
    with pytest.raises(Refused) as refusal:
        tariff_of(desk, tariff_id)
    assert refusal.value.code == code


def test_another_policy_decides_at_once(desk: Desk) -> None:
    desk.publish(policy("hard", remind=None, warn=None, trip=30_00))
    desk.open("A1", point("M1"))
    desk.recharge("A1", 25_00)
    assert policy_of(desk, "hard")["service_points"][0]["supply"]["intended"] == "off"
    assert policy_of(desk, "standard")["service_points"][0]["supply"]["intended"] == "on"
    assert not policy_of(desk, "standard")["changed"]
    with pytest.raises(Refused) as refusal:
        policy_of(desk, "unheard-of")
    assert refusal.value.code == "policy_unknown"


def test_water_is_cut_by_its_own_policy_only(desk: Desk) -> None:
    desk.publish(policy("wet", cuts=("electricity", "water")))
    desk.open("A1", point("M1"), water("W1"))
    desk.adjust("A1", -1)
    supply = {p.name: p.supply_intended for p in desk.account("A1").points}
    assert supply == {"electricity": "off", "water": "on"}
    policy_of(desk, "wet", "water")
    assert {p.supply_intended for p in desk.account("A1").points} == {"off"}


def test_a_policy_published_anew_is_used_from_the_next_decision_on(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.recharge("A1", 50_00)
    colleague = desk.colleague()
    colleague.read("M1", "2026-01-02", 70_000)
    desk.publish(policy(remind=100_00, trip=10_00))
    assert desk.account("A1").points[0].level == "remind"
    colleague.read("M1", "2026-01-03", 90_000)
    trip = desk.facts("A1")[-1]
    assert isinstance(trip, SupplyTripOrdered)
    assert trip.trace.policy_version == 2
    desk.publish(policy(trip=None, warn=None, remind=None))
    colleague.recharge("A1", 1)
    restored = desk.facts("A1")[-1]
    assert isinstance(restored, SupplyRestoreOrdered)
    assert (restored.trace.policy_version, restored.trace.level_after) == (3, "none")
    colleague.close()


def test_a_cancelled_warning_is_told(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.recharge("A1", 15_00)
    desk.recharge("A1", 15_00)
    cancelled = desk.facts("A1")[-1]
    assert isinstance(cancelled, WarningCancelled)
    assert (cancelled.trace.level_before, cancelled.trace.level_after) == ("remind", "none")


def test_days_left_warn_before_the_money_does(desk: Desk) -> None:
    desk.publish(policy(remind=None, warn=None, warn_days=3))
    desk.open("A1", point("M1"))
    desk.recharge("A1", 100_00)
    desk.read("M1", "2026-01-05", 120_000)
    assert desk.account("A1").points[0].level == "none"  # 40.00 at 60.00 a week: 4 days.
    desk.read("M1", "2026-01-06", 140_000)
    trace: Any = desk.facts("A1")[-1]
    assert (trace.trace.level_after, trace.trace.days_left) == ("warn", 3)


def test_a_group_is_no_reason_to_cut(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    assert group_of(desk, "staff")["group"] == "staff"
    heads = desk.heads()
    assert not group_of(desk, "staff")["changed"]
    assert desk.heads() == heads
    assert desk.account("A1").points[0].supply_intended == "on"
