"""What the read side answers, on each store alike."""

import pytest

from adapters.views.queries import SqlQueries
from ledger.access import Reach
from ledger.aggregates import Refused
from ledger.commands import connect_meter, register_gateway, request_command
from ledger.commands.connect_meter import ConnectMeter
from ledger.commands.register_gateway import RegisterGateway
from ledger.commands.request_command import RequestCommand
from ledger.queries import AccountsAsked, Asked, EventsAsked, ReadingsAsked
from ledger.store.history import Moment
from tests.harness.busy_day import busy_day
from tests.harness.desk import ACTOR, Desk, at_us, point


@pytest.fixture
def queries(desk: Desk) -> SqlQueries:
    """The read side after a busy day."""
    busy_day(desk)
    desk.views.catch_up()
    return SqlQueries(desk.engine, desk.terms)


def numbers(queries: SqlQueries, reach: Reach = Reach(), **asked: object) -> set[str]:  # noqa: B008 - immutable
    page = queries.accounts(AccountsAsked(**asked), reach)  # type: ignore[arg-type]
    return {item["account_no"] for item in page.items}


@pytest.mark.parametrize("sort", ["account_no", "balance", "-balance", "days_left"])
def test_pages_of_one_make_up_the_whole_list(queries: SqlQueries, sort: str) -> None:
    whole = queries.accounts(AccountsAsked(sort=sort)).items  # type: ignore[arg-type]
    found, cursor = [], None
    for _ in range(len(whole) + 1):
        page = queries.accounts(AccountsAsked(sort=sort, cursor=cursor, limit=1))  # type: ignore[arg-type]
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert found == whole
    assert len(whole) == 6


def test_accounts_are_found_by_what_they_are(queries: SqlQueries) -> None:
    assert numbers(queries, q="a2") == {"A2"}
    assert numbers(queries, q="w1") == {"A1"}
    assert numbers(queries, q="%") == set()
    assert numbers(queries, group="shops") == {"A1"}
    assert numbers(queries, site="东区 № 7") == {"A1"}
    assert numbers(queries, alert_level="none") == {
        item["account_no"]
        for item in queries.accounts(AccountsAsked()).items
        if item["alert_level"] == "none"
    }
    assert numbers(queries, Reach(sites=frozenset({"东区 № 7"}))) == {"A1"}
    assert numbers(queries, Reach(account_no="A2")) == {"A2"}


def test_every_level_and_supply_that_is_shown_can_be_filtered_by(queries: SqlQueries) -> None:
    items = queries.accounts(AccountsAsked()).items
    for level in ("none", "remind", "warn", "trip"):
        shown = {item["account_no"] for item in items if item["alert_level"] == level}
        assert numbers(queries, alert_level=level) == shown
    for supply in ("on", "off"):
        shown = {
            item["account_no"]
            for item in items
            if any(point["supply"]["intended"] == supply for point in item["service_points"])
        }
        assert numbers(queries, supply=supply) == shown


def test_a_cut_account_is_off_and_counted_so(desk: Desk) -> None:
    desk.open("C1", point("CM1"))
    desk.recharge("C1", 10_00)
    desk.read("CM1", "2026-01-02", 40_000)
    desk.views.catch_up()
    queries = SqlQueries(desk.engine, desk.terms)
    assert numbers(queries, supply="off", alert_level="trip") == {"C1"}
    totals = queries.totals()
    assert totals["supply_off"] == 1
    assert totals["alert_levels"] == {"none": 0, "remind": 0, "warn": 0, "trip": 1}
    balance = queries.account("C1")
    assert balance is not None
    assert totals["balances"] == [{"currency": "CNY", "balance_minor": balance["balance_minor"]}]
    alerts = queries.alerts(Asked()).items
    assert [(item["account_no"], item["level"]) for item in alerts] == [("C1", "trip")]
    (decision,) = queries.why("C1")["decisions"]
    assert any(rule["holds"] for rule in decision["trace"]["rules"])


def test_the_cursor_of_another_list_is_refused(queries: SqlQueries) -> None:
    cursor = queries.events("A1", EventsAsked(limit=1)).cursor
    with pytest.raises(Refused, match="cursor"):
        queries.accounts(AccountsAsked(sort="balance", cursor=cursor))


def test_an_account_reads_alike_from_its_view_and_from_its_events(queries: SqlQueries) -> None:
    now = Moment(valid_at_us=at_us("2026-12-31"))
    for number in ("A1", "A2", "A3"):
        assert queries.account(number) == queries.account(number, now)


def test_an_account_is_shown_as_it_was_known(desk: Desk, queries: SqlQueries) -> None:
    desk.clock.pass_by(hours=1)
    before = queries.account("A1")
    known_us = desk.clock() - 1
    desk.recharge("A1", 1_00)
    desk.views.catch_up()
    assert queries.account("A1", Moment(known_at_us=known_us)) == before
    assert queries.account("A1") != before
    assert queries.account("A1", Moment(known_at_us=at_us("2020-01-01"))) is None


def test_events_page_from_either_end(queries: SqlQueries) -> None:
    forth = queries.events("A1", EventsAsked(limit=500)).items
    back = queries.events("A1", EventsAsked(limit=500, newest_first=True)).items
    assert forth == back[::-1]
    first = queries.events("A1", EventsAsked(limit=5, newest_first=True))
    second = queries.events("A1", EventsAsked(limit=5, newest_first=True, cursor=first.cursor))
    assert first.items + second.items == back[:10]
    charges = queries.events("A1", EventsAsked(types=("account.charged",))).items
    assert {item["topic"] for item in charges} == {"account.charged.v1"}


def test_a_statement_closes_where_the_account_stands(queries: SqlQueries) -> None:
    account = queries.account("A1")
    months = queries.statement("A1", "0000-00", "9999-99")["months"]
    assert account is not None
    assert months[-1]["closing_minor"] == account["balance_minor"]
    assert months[-1]["granted_closing_minor"] == account["granted_minor"]
    assert [m["opening_minor"] for m in months[1:]] == [m["closing_minor"] for m in months[:-1]]


def test_usage_by_month_is_the_sum_of_its_days(queries: SqlQueries) -> None:
    days = queries.usage("A2", "day", "2026-01-01", "2026-12-31")["items"]
    months = queries.usage("A2", "month", "2026-01-01", "2026-12-31")["items"]
    assert len(days) > len(months) > 0
    assert sum(float(item["quantity"]) for item in days) == pytest.approx(
        sum(float(item["quantity"]) for item in months)
    )


def test_readings_of_a_meter_are_those_that_were_charged(queries: SqlQueries) -> None:
    items = queries.readings(ReadingsAsked("M1")).items
    assert [item["at"] for item in items] == sorted(item["at"] for item in items)
    assert len(items) == 11  # The late one counts among them.
    assert queries.readings(ReadingsAsked("M1"), Reach(account_no="A2")).items == []
    assert queries.readings(ReadingsAsked("nothing")).items == []


def test_quarantine_and_meters_keep_to_the_reach(queries: SqlQueries) -> None:
    everything = queries.quarantine(Asked()).items
    assert {item["code"] for item in everything} >= {"contradiction", "backward"}
    mine = queries.quarantine(Asked(), Reach(sites=frozenset({"东区 № 7"}))).items
    assert {item["account_no"] for item in mine} == {"A1"}
    meter = queries.meter("W1")
    assert meter is not None
    assert meter["account_no"] == "A1"
    assert queries.meter("W1", Reach(account_no="A2")) is None
    assert {item["meter_no"] for item in queries.meters(AccountsAsked()).items} >= {"M1", "W1"}


def test_published_documents_are_listed_and_read(queries: SqlQueries) -> None:
    ids = [item["tariff_id"] for item in queries.documents("tariff", Asked()).items]
    assert ids == sorted(ids)
    found = queries.document("tariff", ids[0])
    assert found is not None
    assert found["document"]["tariff_id"] == ids[0]
    assert queries.document("policy", "standard") is not None
    assert queries.document("policy", "nothing") is None


def test_what_changed_is_told_from_the_log(desk: Desk, queries: SqlQueries) -> None:
    before = queries.heads()
    desk.recharge("A2", 1_00)
    changes = queries.changed(before, queries.heads(), 100)
    assert changes.account_nos == {"A2"}
    assert "account.credited.v1" in changes.topics
    assert not changes.is_cut
    assert queries.changed({}, queries.heads(), 3).is_cut
    assert not queries.has_seen("front", queries.heads())
    desk.views.catch_up()
    assert queries.has_seen("front", queries.heads())


def test_the_body_after_a_command_is_that_of_the_view(desk: Desk) -> None:
    opened = desk.open("B1", point("BM1"))
    desk.views.catch_up()
    shown = SqlQueries(desk.engine, desk.terms).account("B1")
    assert shown is not None
    # A command ends at its last event, which is one of the meter's.
    apart = {"position", "positions"}
    assert {k: shown[k] for k in shown.keys() - apart} == {
        k: opened[k] for k in opened.keys() - apart
    }


def test_commands_are_listed_by_what_became_of_them(desk: Desk) -> None:
    desk.open("C1", point("CM1"), site="East")
    desk.open("C2", point("CM2"), site="West")
    for number in ("C1", "C2"):
        command = RequestCommand(account_no=number, kind="recall", reason="a look")
        request_command.handle(command, desk.ledger, ACTOR)
    desk.views.catch_up()
    queries = SqlQueries(desk.engine, desk.terms)
    whole = queries.commands(Asked()).items
    assert {item["account_no"] for item in whole} == {"C1", "C2"}
    assert queries.commands(Asked({"status": "open"})).items == whole
    assert queries.commands(Asked({"status": "verified"})).items == []
    assert queries.commands(Asked({"account_no": "C1"})).items[0]["kind"] == "recall"
    east = queries.commands(Asked(), Reach(sites=frozenset({"East"}))).items
    assert [item["account_no"] for item in east] == ["C1"]
    first = queries.commands(Asked(limit=1))
    assert first.items + queries.commands(Asked(cursor=first.cursor)).items == whole
    assert queries.account_of_command(whole[0]["command_id"]) == whole[0]["account_no"]
    assert queries.work_orders(Asked()).items == []


def test_gateways_count_their_meters(desk: Desk) -> None:
    gateway = RegisterGateway(gateway_id="G1", url="rtu+tcp://127.0.0.1:1502", site="East")
    register_gateway.handle(gateway, desk.ledger, ACTOR)
    desk.open("C1", point("CM1"), site="East")
    line = ConnectMeter(meter_no="CM1", gateway_id="G1", unit=7, model="DDSY1352")
    connect_meter.handle(line, desk.ledger, ACTOR)
    desk.views.catch_up()
    queries = SqlQueries(desk.engine, desk.terms)
    (item,) = queries.gateways(Asked()).items
    assert (item["gateway_id"], item["meters"]) == ("G1", 1)
    assert queries.gateways(Asked(), Reach(sites=frozenset({"West"}))).items == []
    meter = queries.meter("CM1")
    assert meter is not None
    assert meter["line"] == {"gateway_id": "G1", "unit": 7, "model": "DDSY1352"}
