"""The town's history is in the ledger as if it had happened, and the meters go on from it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from adapters.demo.history import DAY_US, END_MINOR, HOUR_US, hours_of, start_of
from adapters.demo.life import Life
from adapters.demo.stage import Plan, Stage, staged, temporary
from adapters.views.meter_lines import meter_addresses
from adapters.wiring import open_engine, open_ledger
from ledger.commands import reconcile_supply, record_readings, steer_supply
from ledger.devices import MeterState, Relay
from ledger.events import Event, Recorded
from ledger.events.account import AccountCharged, AccountCredited, AccountOpened, SupplyTripOrdered
from ledger.events.command import CommandRequested, CommandVerified
from ledger.events.supply import SupplyConfirmed, SupplyMismatchFound
from ledger.policies.supply import steering_of
from ledger.store import Context
from tests.harness.desk import Desk, at_us

NOW_US = at_us("2026-07-01T12:34")
CUSTOMERS = 16


class Lived(NamedTuple):
    stage: Stage
    desk: Desk

    def facts(self, kind: type[Event]) -> list[tuple[Recorded, Any]]:
        """Everything of a kind in the log, with its payload."""
        found = self.desk.recorded()
        return [(item, item.event) for item in found if isinstance(item.event, kind)]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Sixteen customers, ninety days later; the town's time stands still."""
    settings = temporary(tmp_path_factory.mktemp("demo"))
    plan = Plan(meters=CUSTOMERS, gateways=2, speed=0, seed=1)
    with staged(settings, plan, NOW_US, lambda _done, _all: None) as stage:
        desk = Desk(open_engine(settings))
        yield Lived(stage, desk)
        desk.close()


def test_every_meter_was_read_daily_and_in_the_end_hourly(lived: Lived) -> None:
    times = defaultdict(list)
    for item, event in lived.facts(AccountCharged):
        times[event.account_no].append(item.valid_at_us)
    assert len(times) == CUSTOMERS
    daily = range(start_of(NOW_US) + DAY_US, hours_of(NOW_US) - 3 * DAY_US, DAY_US)
    hourly = range(hours_of(NOW_US) - 3 * DAY_US, hours_of(NOW_US) + 1, HOUR_US)
    assert all(found == [*daily, *hourly] for found in times.values())
    assert lived.stage.readings == CUSTOMERS * len([*daily, *hourly])


def test_each_fact_was_recorded_when_it_happened(lived: Lived) -> None:
    assert all(
        item.recorded_at_us == item.valid_at_us for item, event in lived.facts(AccountCharged)
    )
    assert all(
        item.recorded_at_us == item.valid_at_us for item, event in lived.facts(AccountCredited)
    )


def test_the_history_ends_with_somebody_at_every_line(lived: Lived) -> None:
    balances = {
        event.account_no: event.balance_after_minor for item, event in lived.facts(AccountCharged)
    }
    fates = {each.customer.account_no: each.customer.fate for each in lived.stage.town.people}
    for account_no, fate in fates.items():
        if fate == "well":
            assert balances[account_no] > 0
        else:
            assert abs(balances[account_no] - END_MINOR[fate]) <= 25, (account_no, fate)
    tripped = {event.account_no for item, event in lived.facts(SupplyTripOrdered)}
    assert tripped == {account_no for account_no, fate in fates.items() if fate == "cut_off"}


def test_who_is_cut_off_begins_with_an_open_relay_and_a_settled_order(lived: Lived) -> None:
    """The policy that follows the log, and the first sweep, find nothing to be done."""
    cut = {e.customer.account_no: e for e in lived.stage.town.people if not e.meter.is_closed}
    fates = {each.customer.account_no: each.customer.fate for each in lived.stage.town.people}
    assert cut.keys() == {number for number, fate in fates.items() if fate == "cut_off"}
    confirmed = {event.account_no: event.actual for _, event in lived.facts(SupplyConfirmed)}
    assert confirmed == dict.fromkeys(cut, "off")
    assert len(lived.facts(CommandVerified)) == len(lived.facts(CommandRequested)) == len(cut)
    ledger = open_ledger(lived.stage.settings, clock=lived.stage.town.clock.now_us)
    for steering in filter(None, map(steering_of, lived.desk.recorded())):
        steer_supply.handle(steering, ledger, Context("test"))
    for each in lived.stage.town.people:
        relay: Relay = "closed" if each.meter.is_closed else "open"
        answer = reconcile_supply.submit(
            each.customer.meter_no, MeterState(NOW_US, {}, relay, "unknown"), ledger
        )
        assert answer is not None
        assert answer.result().body["mismatch"] == ""
    ledger.close()
    assert not lived.facts(SupplyMismatchFound)
    assert len(lived.facts(CommandRequested)) == len(cut)


def test_money_came_in_through_several_channels(lived: Lived) -> None:
    channels = Counter(event.channel for item, event in lived.facts(AccountCredited))
    assert set(channels) == {"wechat", "alipay", "cash", "pos"}


def test_names_are_sealed_and_no_event_has_one(lived: Lived) -> None:
    for _, event in lived.facts(AccountOpened):
        assert set(event.personal) == {"name", "phone", "address"}
        name = lived.stage.town.by_account[event.account_no].customer.name
        assert name not in str(event)


def test_the_meters_go_on_exactly_where_the_history_ended(lived: Lived) -> None:
    ledger = open_ledger(lived.stage.settings, clock=lived.stage.town.clock.now_us)
    readings = [each.reading(NOW_US) for each in lived.stage.town.people]
    body = record_readings.handle(readings, ledger, Context("test")).body
    ledger.close()
    assert (body["accepted"], body["quarantined"]) == (CUSTOMERS, [])
    for item, event in lived.facts(AccountCharged):
        if item.valid_at_us == NOW_US:
            each = lived.stage.town.by_account[event.account_no]
            is_cut = each.customer.fate == "cut_off"
            usual_wh = 0 if is_cut else each.wh_between(hours_of(NOW_US), NOW_US)
            passed = sum(after - before for before, after, _ in event.registers.values())
            assert abs(passed - usual_wh) <= 10 * len(event.registers)


def test_every_meter_is_connected_to_a_line_that_answers(lived: Lived) -> None:
    engine = open_engine(lived.stage.settings)
    with engine.begin() as connection:
        addresses = meter_addresses(connection)
    engine.dispose()
    assert sorted(addresses) == sorted(lived.stage.town.park.addresses())


def test_life_goes_on_and_only_those_who_can_pay(lived: Lived) -> None:
    town = lived.stage.town
    ledger = open_ledger(lived.stage.settings, clock=town.clock.now_us)
    life = Life(town, ledger, lived.stage.purses)
    for _ in range(12):
        town.clock.skip(2 * DAY_US)
        readings = [each.reading(town.clock.now_us()) for each in town.people]
        body = record_readings.handle(readings, ledger, Context("test")).body
        assert body["quarantined"] == []
        life.purses.await_position(body["positions"]["0"])
        life.pay()
    ledger.close()
    last = {event.account_no: event.balance_after_minor for _, event in lived.facts(AccountCharged)}
    paid = {
        event.account_no
        for item, event in lived.facts(AccountCredited)
        if "L0" in event.channel_txn_id
    }
    well = {each.customer.account_no for each in town.people if each.customer.fate == "well"}
    assert paid
    assert paid <= well
    assert all(last[account_no] > 0 for account_no in paid)
