"""The daily report says what the log and the books say, on any days, in pages of any size."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.views.queries import SqlQueries
from ledger.access import Reach
from ledger.queries import DailyAsked
from tests.harness.desk import Desk, point, water
from tests.harness.documents import policy
from tests.harness.reckoned_days import check_days, report
from tests.harness.town import Step, Town
from tests.strategies import town_histories


@settings(max_examples=15)
@given(town_histories(), st.lists(st.integers(0, 40), min_size=1), st.integers(1, 3))
def test_any_history_on_any_days_closes_as_it_opened_and_moved(
    steps: Sequence[Step], hours: list[int], shards: int
) -> None:
    desk = Desk.at("sqlite://", shards)
    desk.publish(policy("strict", trip=5_00), policy("wet", cuts=("electricity", "water")))
    town = Town(desk)
    for number in range(0, len(steps), 2):
        town.play(steps[number : number + 2])
        desk.clock.pass_by(hours=hours[number // 2 % len(hours)])
    desk.views.catch_up()
    check_days(desk, desk.recorded())
    desk.close()


DAY_ONE, DAY_TWO = ("2026-07-01", "2026-07-01"), ("2026-07-02", "2026-07-02")


def days_of_three(desk: Desk) -> None:
    """Three accounts of two sites, one of which moves on the second day alone."""
    desk.open("A1", point("M1"), water("W1"), site="East", group="homes")
    desk.open("A2", point("M2"), site="East", group="shops")
    desk.open("A3", point("M3"), site="West", group="homes")
    desk.recharge("A1", 50_00)
    desk.recharge("A3", 7_00)
    desk.clock.pass_by(days=1)
    desk.read("M1", "2026-01-05", 10_000)
    desk.read("W1", "2026-01-05", 2_500)
    desk.recharge("A2", 1_00)
    desk.clock.pass_by(days=1)
    desk.views.catch_up()


def test_a_day_is_that_of_booking_and_its_wallets_are_those_at_its_end(desk: Desk) -> None:
    days_of_three(desk)
    first, second = report(desk, *DAY_ONE), report(desk, *DAY_TWO)
    assert set(first) == {"A1", "A3"}, "A2 had nothing booked to it yet"
    assert first["A1"]["closing_minor"] == second["A1"]["opening_minor"] == 50_00
    assert first["A1"]["quantity_kwh"] == "0"
    assert (second["A1"]["quantity_kwh"], second["A1"]["quantity_m3"]) == ("10", "2.5")
    assert second["A1"]["closing_minor"] == 50_00 - second["A1"]["charged_minor"]
    third = report(desk, "2026-07-03", "2026-07-09")
    assert {number: row["closing_minor"] for number, row in third.items()} == {
        number: row["closing_minor"] for number, row in second.items()
    }
    assert report(desk, "2026-06-01", "2026-06-30") == {}


def test_a_report_is_of_a_site_or_a_group_and_of_what_is_in_reach(desk: Desk) -> None:
    days_of_three(desk)
    span = ("2026-07-01", "2026-07-02")
    assert set(report(desk, *span, site="East")) == {"A1", "A2"}
    assert set(report(desk, *span, group="homes")) == {"A1", "A3"}
    assert set(report(desk, *span, site="West", group="shops")) == set()
    queries = SqlQueries(desk.engine, desk.terms)
    seen = queries.daily(DailyAsked(*span), Reach(sites=frozenset({"West"})))
    assert [row["account_no"] for row in seen.items] == ["A3"]
    own = queries.daily(DailyAsked(*span), Reach(account_no="A2"))
    assert [row["account_no"] for row in own.items] == ["A2"]


def test_a_closed_account_is_told_until_it_is_empty(desk: Desk) -> None:
    desk.open("A1")
    desk.recharge("A1", 5_00)
    desk.clock.pass_by(days=1)
    desk.adjust("A1", -5_00)
    desk.close_account("A1")
    desk.views.catch_up()
    opened, emptied = report(desk, *DAY_ONE), report(desk, *DAY_TWO)
    assert opened["A1"]["closing_minor"] == emptied["A1"]["opening_minor"] == 5_00
    assert (emptied["A1"]["closing_minor"], emptied["A1"]["status"]) == (0, "closed")
    assert report(desk, "2026-07-03", "2026-07-03") == {}
