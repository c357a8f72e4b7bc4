"""Meters, tariffs and policies come to an account and leave it."""

from typing import Any

import pytest

from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.points import (
    add_point,
    assign_group,
    assign_policy,
    assign_tariff,
    remove_point,
    replace_meter,
)
from ledger.events import account as facts
from ledger.pricing import CompiledTariff, compile_tariff
from tests.harness.desk import at_us
from tests.harness.documents import TIERED, TOU, WATER, energy, tariff, version
from tests.harness.past import (
    FLAT_TARIFF,
    NEW_YEAR,
    NO,
    OPENED,
    added,
    an_account,
    charged,
    closed,
    the_point,
)
from tests.scenario import Scenario

TIERED_TARIFF = compile_tariff(TIERED)
TOU_TARIFF = compile_tariff(TOU)
WATER_TARIFF = compile_tariff(WATER)
EUROPEAN = compile_tariff(tariff("eur", currency="EUR"))
LATER = compile_tariff(tariff("later", version(energy(["0.5"]), effective_from="2026-06-01")))


def add(
    account: Account,
    /,
    meter_no: str = "M1",
    tariff: CompiledTariff = FLAT_TARIFF,
    **particulars: Any,  # noqa: ANN401 - as the rule takes them
) -> facts.ServicePointAdded:
    usual: dict[str, Any] = {
        "service_kind": "electricity",
        "tariff_version": 1,
        "policy_id": "standard",
        "installed_at_us": NEW_YEAR,
        "registers": dict.fromkeys(tariff.registers, 0),
        "wrap": 10**9,
        "multiplier_milli": 1_000,
    }
    return add_point(account, meter_no=meter_no, tariff=tariff, **usual | particulars)


def swap(
    account: Account, /, registers: dict[str, int] | None = None, **particulars: Any  # noqa: ANN401 - as the rule takes them
) -> facts.MeterReplaced:  # fmt: skip
    usual: dict[str, Any] = {"wrap": 10**6, "multiplier_milli": 2_000, "reason": "worn out"}
    return replace_meter(
        account,
        the_point(account),
        at_us=the_point(account).last_at_us,
        new_meter_no="M2",
        registers=registers or {"total": 7},
        tariff=FLAT_TARIFF,
        **usual | particulars,
    )


def test_a_meter_begins_to_count_for_an_account() -> None:
    fact, _ = added()
    Scenario(Account).given(OPENED).when(add).then(fact)


def test_further_points_of_a_kind_are_numbered() -> None:
    account = an_account(added(), added(point="electricity-2", meter_no="M2"))
    assert add(account, "M3").point == "electricity-3"
    account.replay([(remove_point(account, account.point("electricity"), "gone"), 0)])
    assert add(account, "M3").point == "electricity"


def test_an_account_pays_for_every_kind_of_supply() -> None:
    account = an_account(added())
    cold = add(account, "W1", WATER_TARIFF, service_kind="water")
    hot = add(account, "W2", WATER_TARIFF, service_kind="hot_water")
    assert [(fact.point, fact.unit) for fact in (cold, hot)] == [("water", "l"), ("hot_water", "l")]


@pytest.mark.parametrize(
    ("tariff", "particulars", "code"),
    [
        (WATER_TARIFF, {}, "tariff_of_other_service"),
        (EUROPEAN, {}, "wrong_currency"),
        (TOU_TARIFF, {"registers": {"peak": 0}}, "register_missing"),
        (FLAT_TARIFF, {"registers": {"total": 0, "peak": 0}}, "register_unknown"),
        (FLAT_TARIFF, {"registers": {"total": 100}, "wrap": 100}, "out_of_range"),
        (LATER, {}, "no_version"),
    ],
)
def test_a_point_that_cannot_be_charged_is_refused(
    tariff: CompiledTariff, particulars: dict[str, Any], code: str
) -> None:
    Scenario(Account).given(OPENED).when(add, "M1", tariff, **particulars).refused(code)


def test_another_meter_counts_on_at_the_same_tier() -> None:
    account = an_account(added(TIERED_TARIFF))
    charged(account, "2026-01-20", 150_000, tariff=TIERED_TARIFF)
    fact = swap(account)
    account.evolve(fact, at_us("2026-01-20"))
    point = the_point(account)
    assert (point.meter_no, point.registers, point.wrap) == ("M2", (7,), 10**6)
    assert point.position.used == 150_000
    charged(account, "2026-01-21", 25_007, tariff=TIERED_TARIFF)
    assert account.balance_minor == -(50_00 + 30_00 + 30_00)


def test_a_new_meter_must_show_every_register_and_no_other() -> None:
    past = Scenario(Account).given(OPENED, added(TOU_TARIFF))
    past.when(swap, {"peak": 0}).refused("register_missing")
    past.when(swap, {"peak": 0, "valley": 0, "sharp": 0}).refused("register_unknown")
    past.when(swap, {"peak": 10**6, "valley": 0}).refused("out_of_range")
    past.when(swap, {"valley": 0, "peak": 1, "total": 1})
    assert list(past.facts[0].registers) == ["peak", "valley"]


def test_another_tariff_rates_from_the_last_reading_on() -> None:
    account = an_account(added())
    charged(account, "2026-01-20", 150_000)
    fact = assign_tariff(account, the_point(account), TIERED_TARIFF, 3)
    assert fact is not None
    assert (fact.from_us, fact.registers) == (at_us("2026-01-20"), {"total": 150_000})
    assert (fact.tariff_id, fact.tariff_version, fact.position.used) == ("tiered", 3, 0)


@pytest.mark.parametrize(
    ("tariff", "code"),
    [
        (WATER_TARIFF, "tariff_of_other_service"),
        (TOU_TARIFF, "tariff_of_other_registers"),
        (EUROPEAN, "wrong_currency"),
        (LATER, "no_version"),
    ],
)
def test_a_tariff_that_cannot_rate_the_point_is_refused(tariff: CompiledTariff, code: str) -> None:
    past = Scenario(Account).given(OPENED, added())
    past.when(assign_tariff, the_point(past.state), tariff, 1).refused(code)


def test_what_is_so_already_is_silence() -> None:
    past = Scenario(Account).given(OPENED, added())
    point = the_point(past.state)
    past.when(assign_tariff, point, FLAT_TARIFF, 1).then_nothing()
    past.when(assign_policy, point, "standard").then_nothing()
    past.when(assign_group, "").then_nothing()


def test_a_policy_and_a_group_are_assigned() -> None:
    past = Scenario(Account).given(OPENED, added())
    past.when(assign_policy, the_point(past.state), "hard").then(
        facts.PolicyAssigned(NO, "electricity", "hard")
    )
    past.when(assign_group, "staff").then(facts.GroupAssigned(NO, "staff"))
    assert (the_point(past.state).policy_id, past.state.group) == ("hard", "staff")


def test_a_removed_point_is_gone() -> None:
    past = Scenario(Account).given(OPENED, added())
    past.when(remove_point, the_point(past.state), "moved out").then(
        facts.ServicePointRemoved(NO, "electricity", "M1", "moved out")
    )
    assert past.state.points == ()


def test_a_closed_account_changes_no_more() -> None:
    past = Scenario(Account).given(OPENED, added(), closed())
    point = the_point(past.state)
    past.when(add, "M2").refused("account_not_open")
    past.when(swap).refused("account_not_open")
    past.when(remove_point, point, "moved out").refused("account_not_open")
    past.when(assign_tariff, point, TIERED_TARIFF, 1).refused("account_not_open")
    past.when(assign_policy, point, "hard").refused("account_not_open")
    past.when(assign_group, "staff").refused("account_not_open")


def test_a_point_is_named_unless_it_is_the_only_one() -> None:
    one, two = an_account(added()), an_account(added(), added(point="water", meter_no="W1"))
    assert one.point(None).name == "electricity"
    assert two.point("water").meter_no == "W1"
    for account, name, told in (
        (two, None, "several service points; name one of: electricity, water."),
        (two, "gas", "no service point gas; it has: electricity, water."),
        (an_account(), None, "no service point."),
    ):
        with pytest.raises(Refused, match=f"has {told}$") as refusal:
            account.point(name)
        assert refusal.value.code == "service_point_unknown"
