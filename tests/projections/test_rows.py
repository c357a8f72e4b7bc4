"""What views make of facts: the same rows in whatever batches the facts come."""

from collections import Counter
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.events import Event
from ledger.events import account as facts
from ledger.events.meter import ReadingQuarantined
from ledger.projections import Merge, Projection
from ledger.projections.accounts import Accounts, Usage
from ledger.projections.alerts import TELLING, Alerts
from ledger.projections.catalogue import feeds
from ledger.projections.journal_totals import JournalTotals
from ledger.projections.quarantine import Quarantine
from ledger.projections.statements import Statements
from tests.harness.desk import at_us
from tests.harness.envelopes import in_batches, recorded, view_of
from tests.harness.past import NEW_YEAR, added, adjusted, an_account, paid, read
from tests.harness.story import Story
from tests.strategies import stories

SHANGHAI = "Asia/Shanghai"
ALL = [projection for spec in feeds(SHANGHAI) for projection in spec.projections]
every_view = pytest.mark.parametrize("projection", ALL, ids=lambda projection: projection.name)


@every_view
@given(stories(), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_batches_of_any_size_make_the_same_view(
    projection: Projection, story: Story, sizes: list[int]
) -> None:
    items = recorded(*story.past)
    assert view_of(projection, [items]) == view_of(projection, in_batches(items, sizes))


@every_view
def test_a_view_has_a_key_that_begins_with_the_shard(projection: Projection) -> None:
    keys = [column.name for column in projection.columns if column.merge is Merge.KEY]
    assert keys[0] == "shard"
    assert projection.rows([]) == []


@given(stories())
def test_an_account_reads_as_it_was_folded(story: Story) -> None:
    account = story.account
    ((_, row),) = view_of(Accounts(), [recorded(*story.past)]).items()
    assert (row["balance_minor"], row["granted_minor"]) == (
        account.balance_minor,
        account.granted_minor,
    )
    assert (row["status"], row["version"], row["position"]) == (
        account.status,
        account.version,
        len(story.past),
    )
    assert row["week_minor"] == sum(account.week)
    for point in account.points:
        usage, supply = Usage(*row["usage"][point.name]), row["supply"][point.name]
        assert (supply["level"], supply["intended"]) == (point.level, point.supply_intended)
        assert usage.registers == point.named_registers()
        assert (usage.used, usage.den) == (point.position.used, point.position.den)
        assert row["points"][f"{point.name}.meter_no"] == point.meter_no
        assert row["points"][f"{point.name}.policy_id"] == point.policy_id


def test_a_point_that_is_gone_leaves_where_its_tiers_stand() -> None:
    gone = facts.ServicePointRemoved("A1", "electricity", "M1", "moved out")
    opened = (facts.AccountOpened("A1", "CNY", SHANGHAI, "", "", {}, {}), NEW_YEAR)
    past = recorded(opened, added(), (gone, NEW_YEAR))
    for sizes in ([1], [2], [3]):
        ((_, row),) = view_of(Accounts(), in_batches(past, sizes)).items()
        assert (row["points"], row["supply"], list(row["usage"])) == ({}, {}, ["electricity"])


@given(stories())
def test_statements_add_up_to_both_wallets(story: Story) -> None:
    rows = view_of(Statements(SHANGHAI), [recorded(*story.past)]).values()
    total: Counter[str] = Counter()
    for row in rows:
        total.update({name: value for name, value in row.items() if name.endswith("_minor")})
    paid_in = total["recharged_minor"] - total["reversed_minor"] + total["adjusted_minor"]
    from_balance = total["charged_minor"] - total["granted_used_minor"]
    assert story.account.balance_minor == paid_in - from_balance
    assert story.account.granted_minor == total["granted_minor"] - total["granted_used_minor"]


def test_a_charge_belongs_to_the_month_of_its_supply_and_money_to_its_own() -> None:
    account = an_account(added(), paid(50_00, 50_00))
    charge = read(account, "2026-02-01", 10_000)
    money = [(paid(50_00, 50_00), at_us("2026-02-01")), (adjusted(1, 1), at_us("2026-01-31T23:59"))]
    past = recorded((charge, at_us("2026-02-01")), *money)
    rows = view_of(Statements(SHANGHAI), [past])
    found = {key[3]: row for key, row in rows.items()}
    january, february = found["2026-01"], found["2026-02"]
    assert (january["charged_minor"], january["adjusted_minor"]) == (5_00, 1)
    assert (february["charged_minor"], february["recharged_minor"]) == (0, 50_00)


@given(stories())
def test_the_trial_balance_is_nothing(story: Story) -> None:
    rows = view_of(JournalTotals(SHANGHAI), [recorded(*story.past)]).values()
    assert sum(row["debit_minor"] - row["credit_minor"] for row in rows) == 0
    assert all(row["debit_minor"] >= 0 <= row["credit_minor"] for row in rows)


def test_a_fact_is_booked_on_the_day_it_was_recorded() -> None:
    late = recorded((paid(50_00, 50_00), NEW_YEAR), recorded_at_us=at_us("2026-07-01T23:59"))
    next_day = recorded((paid(1, 50_01), NEW_YEAR), recorded_at_us=at_us("2026-07-02"), first=2)
    days = {key[1] for key in view_of(JournalTotals(SHANGHAI), [late + next_day])}
    assert days == {"2026-07-01", "2026-07-02"}
    assert all(date.fromisoformat(day) for day in days)


@given(stories())
def test_an_alert_is_the_last_decision_about_its_point(story: Story) -> None:
    last: dict[str, tuple[int, Event]] = {}
    for number, (fact, _) in enumerate(story.past, start=1):
        if type(fact) in TELLING:
            point: str = fact.point  # type: ignore[attr-defined] # every telling fact has one
            last[point] = (number, fact)
    view = view_of(Alerts(), [recorded(*story.past)])
    assert {key[2] for key in view} == set(last)
    for (_, _, point), row in view.items():
        position, fact = last[point]
        trace: facts.Trace = fact.trace  # type: ignore[attr-defined] # no point was removed
        assert (row["position"], row["topic"], row["level"]) == (
            position,
            fact.TOPIC,
            trace.level_after,
        )
        assert msgspec.convert(row["trace"], facts.Trace) == trace


def test_an_alert_ends_with_its_point() -> None:
    story = Story()
    story.adjust(-5_00, "paid")
    removed = facts.ServicePointRemoved("A1", "electricity", "M-electricity", "moved out")
    for sizes in ([100], [1]):
        items = recorded(*story.past, (removed, NEW_YEAR))
        view = view_of(Alerts(), in_batches(items, sizes))
        row: dict[str, Any] = view[0, "A1", "electricity"]
        assert (row["level"], row["trace"]["level_after"]) == ("none", "trip")


def test_a_reading_kept_aside_is_a_row_of_its_own() -> None:
    aside = ReadingQuarantined("M1", "A1", {"total": 5}, "backward", "It went back.")
    view = view_of(Quarantine(), [recorded((aside, 7), (aside, 8), (paid(1, 1), 9))])
    assert {key[1]: row["at_us"] for key, row in view.items()} == {1: 7, 2: 8}
    assert {row["code"] for row in view.values()} == {"backward"}
