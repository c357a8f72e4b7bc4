"""When people are reminded, warned, cut and connected again, and what the decision looked at."""

import re
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.control import (
    INDEX,
    NONE,
    REMIND,
    TRIP,
    WARN,
    Terms,
    decide_level,
    is_quiet,
    level_after,
)
from ledger.aggregates.account.state import days_left
from ledger.events import account as facts
from tests.harness.documents import policy
from tests.harness.past import added, adjusted, an_account, the_point
from tests.strategies import policies

STANDARD = policy().terms(1)
SLACK = policy(hysteresis_minor=5_00).terms(1)


def levels(terms: Terms, *balances_minor: int, service_kind: str = "electricity") -> list[int]:
    """Levels after each of these balances, from none on."""
    found = [NONE]
    for balance_minor in balances_minor:
        found.append(level_after(found[-1], balance_minor, 9_999, service_kind, terms))
    return found[1:]


def account_with(
    balance_minor: int, granted_minor: int = 0, point: str = "electricity", week: int = 0
) -> Account:
    paid = adjusted(balance_minor, balance_minor)
    granted = adjusted(granted_minor, balance_minor, granted_minor, "granted")
    account = an_account(added(point=point), paid, granted)
    account.week = (week, 0, 0, 0, 0, 0, 0)
    return account


def decided(account: Account, terms: Terms) -> list[str]:
    """Names of the facts that follow; they are brought into the account."""
    found = list(decide_level(account, the_point(account), terms, 0))
    for fact in found:
        account.evolve(fact, 0)
    return [type(fact).__name__ for fact in found]


def test_less_and_less_money_reminds_warns_and_cuts() -> None:
    assert levels(STANDARD, 20_01, 20_00, 10_01, 10_00, 1, 0, -1) == [
        NONE, REMIND, REMIND, WARN, WARN, TRIP, TRIP,
    ]  # fmt: skip


def test_a_great_loss_skips_levels_and_a_payment_skips_them_back() -> None:
    account = account_with(-5_00)
    assert decided(account, STANDARD) == ["SupplyTripOrdered"]
    assert (the_point(account).level, the_point(account).supply_intended) == ("trip", "off")
    account.balance_minor = 50_00
    assert decided(account, STANDARD) == ["SupplyRestoreOrdered"]
    assert (the_point(account).level, the_point(account).supply_intended) == ("none", "on")


def test_supply_may_return_while_a_warning_stays() -> None:
    account = account_with(0)
    decided(account, STANDARD)
    account.balance_minor = 5_00
    assert decided(account, STANDARD) == ["SupplyRestoreOrdered"]
    assert (the_point(account).level, the_point(account).supply_intended) == ("warn", "on")


def test_each_step_down_and_up_is_told_by_its_own_fact() -> None:
    account, told = account_with(30_00), []
    for balance_minor in (20_00, 10_00, 15_00, 25_00):
        account.balance_minor = balance_minor
        told += decided(account, STANDARD)
    assert told == ["AccountReminded", "AccountWarned", "WarningCancelled", "WarningCancelled"]


def test_the_same_level_is_decided_once() -> None:
    account = account_with(10_00)
    assert decided(account, STANDARD) == ["AccountWarned"]
    account.balance_minor = 9_00
    assert decided(account, STANDARD) == []


def test_a_level_lasts_until_its_hysteresis_is_passed() -> None:
    assert levels(SLACK, 20_00, 25_00, 25_01) == [REMIND, REMIND, NONE]
    assert levels(SLACK, 10_00, 15_00, 15_01) == [WARN, WARN, REMIND]
    assert levels(SLACK, 0, 5_00, 5_01) == [TRIP, TRIP, WARN]


def test_a_reminder_lasts_behind_the_warning_that_is_cancelled() -> None:
    """Whoever is warned is reminded too; both are cancelled at their own lines."""
    assert levels(SLACK, 10_00, 24_00, 26_00) == [WARN, REMIND, NONE]
    assert levels(SLACK, -1, 24_00, 26_00) == [TRIP, REMIND, NONE]


def test_money_between_a_line_and_its_hysteresis_begins_nothing() -> None:
    assert levels(SLACK, 25_00, 20_01) == [NONE, NONE]


def test_supply_returns_above_a_restore_line_of_its_own() -> None:
    terms = policy(restore_above_minor=8_00).terms(1)
    assert levels(terms, 0, 8_00, 8_01) == [TRIP, TRIP, WARN]


def test_granted_credit_counts_as_money() -> None:
    assert decided(account_with(-15_00, 30_00), STANDARD) == ["AccountReminded"]
    assert decided(account_with(-15_00, 40_00), STANDARD) == []


def test_water_is_cut_only_where_its_policy_says_so() -> None:
    assert levels(STANDARD, -50_00, service_kind="water") == [WARN]
    wet = policy(cuts=("electricity", "water")).terms(1)
    assert levels(wet, -50_00, service_kind="water") == [TRIP]


def test_supply_returns_when_a_policy_no_longer_cuts() -> None:
    account = account_with(-50_00)
    decided(account, STANDARD)
    assert decided(account, policy(cuts=("water",)).terms(2)) == ["SupplyRestoreOrdered"]
    decided(account, STANDARD)
    assert decided(account, policy(trip=None).terms(3)) == ["SupplyRestoreOrdered"]


def test_nobody_is_cut_before_the_first_money_has_moved() -> None:
    account = an_account(added())
    assert decided(account, STANDARD) == []
    account = an_account(added(), adjusted(1, 1), adjusted(-1, 0))
    assert decided(account, STANDARD) == ["SupplyTripOrdered"]


@pytest.mark.parametrize(
    ("week_minor", "expected"),
    [(0, []), (35_00, []), (36_00, ["AccountReminded"]), (60_00, ["AccountWarned"])],
)
def test_days_left_at_the_last_weeks_pace_remind_and_warn(
    week_minor: int, expected: list[str]
) -> None:
    terms = policy(remind=None, warn=None, remind_days=5, warn_days=3).terms(1)
    assert decided(account_with(30_00, week=week_minor), terms) == expected


@pytest.mark.parametrize(
    ("available_minor", "week_minor", "days"),
    [
        (0, 70_00, 0),
        (-1, 0, 0),
        (9_99, 70_00, 0),
        (10_00, 70_00, 1),
        (1, 0, 9_999),
        (10**9, 1, 9_999),
    ],
)
def test_days_left_are_whole_days_of_the_last_weeks_mean(
    available_minor: int, week_minor: int, days: int
) -> None:
    assert days_left(available_minor, week_minor) == days


def test_no_day_left_is_a_line_like_any_other() -> None:
    terms = policy(remind=None, warn=None, trip=None, warn_days=0).terms(1)
    assert decided(account_with(1_00, week=70_00), terms) == ["AccountWarned"]


@given(
    policies(), st.lists(st.integers(-60_00, 60_00), min_size=1, max_size=12), st.integers(0, 90_00)
)
def test_the_trace_alone_leads_to_the_same_decision(
    terms: Terms, balances_minor: list[int], week_minor: int
) -> None:
    account = account_with(1, week=week_minor)
    for balance_minor in balances_minor:
        account.balance_minor = balance_minor
        for fact in decide_level(account, the_point(account), terms, 0):
            trace = msgspec.json.decode(msgspec.json.encode(fact.trace), type=facts.Trace)
            read_back, service_kind = terms_told(trace)
            again = level_after(
                INDEX[trace.level_before],
                trace.available_minor,
                trace.days_left,
                service_kind,
                read_back,
            )
            assert again == INDEX[trace.level_after] != INDEX[trace.level_before]
            assert trace.available_minor == trace.balance_minor + trace.granted_minor
            assert (trace.policy_id, trace.policy_version) == (terms.policy_id, terms.version)
            account.evolve(fact, 0)


def terms_told(trace: facts.Trace) -> tuple[Terms, str]:
    """The policy as the rules of a trace tell it, and the kind of supply."""
    lines: dict[str, int] = {}
    days: dict[str, int] = {}
    slack = restore = 0
    kind, cuts = "", frozenset[str]()
    for rule in trace.rules:
        if found := re.fullmatch(r"available (-?\d+) <= (\w+) (-?\d+)", rule.rule):
            lines[found[2]] = int(found[3])
            assert rule.holds == (trace.available_minor <= int(found[3]))
        elif found := re.fullmatch(r"available .* <= \w+ -?\d+ \+ hysteresis (\d+)", rule.rule):
            slack = int(found[1])
        elif found := re.fullmatch(r"days_left (\d+) <= (\w+)_days (\d+)", rule.rule):
            days[found[2]] = int(found[3])
            assert rule.holds == (trace.days_left <= int(found[3]))
        elif found := re.fullmatch(r"policy may cut (\w+)", rule.rule):
            kind = found[1]
            cuts = frozenset({kind}) if rule.holds else cuts
        else:
            found = re.fullmatch(r"available (-?\d+) > restore (-?\d+)", rule.rule)
            assert found is not None, rule.rule
            restore = int(found[2])
    return Terms(
        policy_id=trace.policy_id,
        version=trace.policy_version,
        lines_minor=(lines.get("remind"), lines.get("warn"), lines.get("trip")),
        days=(days.get("remind"), days.get("warn")),
        hysteresis_minor=slack,
        restore_minor=restore,
        cuts=cuts,
        top_minor=0,
    ), kind


@given(policies(), st.integers(-60_00, 60_00), st.integers(0, 90_00))
def test_a_quiet_account_is_one_without_a_decision(
    terms: Terms, balance_minor: int, week_minor: int
) -> None:
    account = account_with(balance_minor, week=week_minor)
    if is_quiet(account, the_point(account), terms):
        assert decided(account, terms) == []


@given(policies(), st.lists(st.integers(-60_00, 60_00), min_size=2, max_size=12))
def test_more_money_never_raises_a_level(terms: Terms, balances_minor: list[int]) -> None:
    before = NONE
    for less, more in pairwise(sorted(balances_minor)):
        for level in (NONE, REMIND, WARN, TRIP):
            after = [level_after(level, m, 9_999, "electricity", terms) for m in (less, more)]
            assert after[0] >= after[1]
        before = level_after(before, less, 9_999, "electricity", terms)
        assert level_after(before, less, 9_999, "electricity", terms) == before


def test_the_decision_is_about_its_own_point() -> None:
    account = an_account(added(), added(point="water", meter_no="W1"), adjusted(-1, -1))
    account.points[1].policy_id = "wet"
    (fact,) = decide_level(account, account.points[1], policy("wet").terms(4), 0)
    assert isinstance(account.points[1], Point)
    assert (fact.point, fact.trace.policy_id, fact.trace.policy_version) == ("water", "wet", 4)
