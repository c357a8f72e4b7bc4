"""From a decision to a relay and back, over real sockets, with all that can go wrong between."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from adapters.devices.park.meter import SimulatedMeter
from adapters.store.leases import Lease
from adapters.views.following import RememberedFollowing
from ledger.commands import guarantee, settle_work_order
from ledger.commands.guarantee import StartGuarantee
from ledger.commands.settle_work_order import SettleWorkOrder
from tests.harness.ledgers import CLERK, moment, real_clock
from tests.harness.supplied import FIRST, Supplied, acting, hurry, soon, supplied

Forced = list[tuple[str, bool, bool]]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
def there(sqlite_url: str, tmp_path: Path) -> Iterator[Supplied]:
    with supplied(sqlite_url, tmp_path) as found:
        yield found


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> Forced:
    """Every order that reached a meter: its number, by force or not, open or closed."""
    reached: Forced = []
    force = SimulatedMeter.force

    def noted(meter: SimulatedMeter, *, is_on: bool, is_open: bool) -> None:
        reached.append((meter.meter_no, is_on, is_open))
        force(meter, is_on=is_on, is_open=is_open)

    monkeypatch.setattr(SimulatedMeter, "force", noted)
    return reached


def opened_by(forced: Forced) -> int:
    """How often a meter was told to open."""
    return sum(is_on and is_open for _, is_on, is_open in forced)


def test_money_that_is_used_up_opens_the_relay_and_a_payment_closes_it(
    database_url: str, tmp_path: Path, forced: Forced
) -> None:
    with supplied(database_url, tmp_path) as there, acting(there):
        assert there.meter().is_closed
        there.fall_behind()
        soon(lambda: not there.meter().is_closed)
        soon(lambda: there.supply() == {"intended": "off", "actual": "off"})
        there.pay()
        soon(lambda: there.meter().is_closed)
        soon(lambda: there.supply() == {"intended": "on", "actual": "on"})
        assert there.commands() == [("trip", "verified"), ("close", "verified")]
    assert opened_by(forced) == 1


def test_an_order_done_without_an_answer_is_not_given_twice(
    there: Supplied, forced: Forced
) -> None:
    there.meter().inject("write_unanswered", 1)
    with acting(there):
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "verified")])
    assert opened_by(forced) == 1
    assert there.rows("commands")[0]["attempts"] == 1


def test_a_meter_that_was_silent_obeys_when_it_answers_again(there: Supplied) -> None:
    with acting(there):
        there.meter().inject("silent", 4)
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "verified")])
        assert not there.meter().is_closed


@pytest.mark.parametrize("fault", ["slow", "bit_flip", "busy"])
def test_an_answer_that_is_late_broken_or_no_is_settled_in_the_end(
    there: Supplied, fault: str
) -> None:
    with acting(there):
        there.meter().inject(fault, 2)  # type: ignore[arg-type] # a fault of the park
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "verified")])
        there.pay()
        soon(lambda: there.commands()[-1] == ("close", "verified"))
        assert there.meter().is_closed


def test_a_stuck_relay_becomes_a_persons_work(there: Supplied) -> None:
    there.meter().inject("stuck_relay")
    with acting(there):
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "failed")])
        (work,) = there.rows("work_orders")
        assert (work["code"], work["reason"]) == ("not_reached", "The relay is still closed.")
        soon(lambda: [row["reason"] for row in there.rows("holds")] == ["wanted off, actual on"])
        there.meter().heal()
        settled = SettleWorkOrder(work_order_no=work["work_order_no"], actual="off", note="by key")
        settle_work_order.handle(settled, there.opened.ledger, CLERK)
        soon(lambda: there.commands() == [("trip", "verified")])


def test_a_work_order_that_the_meter_makes_needless_is_settled_by_a_sweep(there: Supplied) -> None:
    with acting(there):
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "verified")])
        there.meter().inject("stuck_relay")
        there.pay()
        soon(lambda: [row["status"] for row in there.rows("work_orders")] == ["open"])
        there.meter().heal()
        soon(lambda: there.meter().is_closed)
        soon(lambda: [row["status"] for row in there.rows("work_orders")] == ["settled"])
        soon(lambda: there.supply() == {"intended": "on", "actual": "on"})


def test_a_payment_cancels_a_trip_that_could_not_be_sent(there: Supplied, forced: Forced) -> None:
    (gateway,) = there.park.gateways
    there.thread.call(gateway.down())
    with acting(there):
        there.fall_behind()
        soon(lambda: there.rows("commands")[:1] != [] and there.commands()[0][1] == "queued")
        there.pay()
        soon(lambda: there.commands()[0][1] in {"cancelled", "superseded"})
        there.thread.call(gateway.up())
        soon(lambda: all(status != "queued" for _, status in there.commands()))
        assert there.meter().is_closed
    assert opened_by(forced) == 0


def test_a_gateway_that_comes_back_gets_what_waited(there: Supplied) -> None:
    (gateway,) = there.park.gateways
    with acting(there):
        there.thread.call(gateway.down())
        there.fall_behind()
        soon(lambda: there.rows("commands")[:1] != [] and there.rows("commands")[0]["attempts"] > 0)
        there.thread.call(gateway.up())
        soon(lambda: there.commands() == [("trip", "verified")])


def test_a_meter_found_open_is_closed_without_a_payment(there: Supplied) -> None:
    with acting(there):
        soon(lambda: there.supply()["actual"] == "on")
        there.meter().force(is_on=True, is_open=True)
        soon(lambda: there.commands() == [("close", "verified")])
        assert there.meter().is_closed
        soon(lambda: [row["is_active"] for row in there.rows("holds")] == [0])


def test_the_kill_switch_lets_nothing_be_cut_and_everything_be_restored(
    sqlite_url: str, tmp_path: Path, forced: Forced
) -> None:
    with supplied(sqlite_url, tmp_path, trips="off") as there:
        with acting(there):
            there.fall_behind()
            soon(lambda: there.commands() == [("trip", "held")])
            assert there.rows("commands")[0]["outcome"] == "trips_off"
        assert opened_by(forced) == 0
        there.settings = there.settings.model_copy(update={"trips": "on"})
        with acting(there):
            soon(lambda: there.commands() == [("trip", "verified")])


def test_an_operators_switch_takes_effect_at_once_and_so_does_taking_it_back(
    there: Supplied, forced: Forced
) -> None:
    with acting(there):
        there.switch_trips("off")
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "held")])
        assert there.rows("commands")[0]["outcome"] == "trips_suspended"
        there.switch_trips("on")
        soon(lambda: there.commands() == [("trip", "verified")])
    assert opened_by(forced) == 1


def test_a_clock_that_jumped_becomes_work_and_no_reading_is_lost(there: Supplied) -> None:
    with acting(there) as side:
        soon(lambda: there.supply()["actual"] == "on")
        there.meter().clock_skew_us = 2 * 3600 * 1_000_000
        soon(lambda: [row["code"] for row in there.rows("work_orders")] == ["clock_wrong"])
        assert side.acting is not None
        assert side.acting.poller.status().clocks_wrong == 1
        there.meter().clock_skew_us = 0
        soon(lambda: [row["status"] for row in there.rows("work_orders")] == ["settled"])
        assert side.acting.poller.status().tally.quarantined == 0


def test_one_of_two_acts_and_the_other_takes_over(there: Supplied, forced: Forced) -> None:
    with acting(there) as first:
        second = there.side()
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "verified")])
        assert second.acting is None
        first.stop()
        there.pay()
        soon(lambda: there.commands()[-1] == ("close", "verified"))
        second.stop()
    assert opened_by(forced) == 1


def test_a_position_that_cannot_be_kept_at_the_end_lets_another_act_at_once(
    there: Supplied, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(_self: RememberedFollowing) -> None:
        raise OperationalError("BEGIN IMMEDIATE", None, Exception("database is locked"))

    with acting(there) as first, monkeypatch.context() as patch:
        patch.setattr(RememberedFollowing, "save", locked)
        first.stop()
        assert first.acting is None
    assert Lease(there.opened.engine, "devices", "another", real_clock).renew()


def test_a_guarantee_whose_time_has_passed_ends_by_itself(there: Supplied) -> None:
    with acting(there) as side:
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "verified")])
        until_us = real_clock() + 6_000_000
        started = StartGuarantee(
            account_no=there.account_of(FIRST), until=moment(until_us), reason="exams"
        )
        guarantee.start(started, there.opened.ledger, CLERK)
        soon(lambda: there.commands()[1:] == [("close", "verified")])
        assert there.meter().is_closed
        soon(lambda: real_clock() > until_us)
        assert side.acting is not None
        side.acting.end_guarantees()
        soon(lambda: there.commands()[2:] == [("trip", "verified")])


@pytest.mark.parametrize("are_connected", [True, False])
def test_who_takes_over_asks_once_where_all_the_meters_are_that_commands_wait_for(
    sqlite_url: str, tmp_path: Path, *, are_connected: bool
) -> None:
    with supplied(sqlite_url, tmp_path, meters=5, are_connected=are_connected) as there:
        there.switch_trips("off")
        for meter in there.park:
            there.fall_behind(meter.meter_no)
        with acting(there):
            soon(lambda: len(there.rows("commands")) == len(there.park))
        there.views.catch_up()
        asked: list[str] = []

        def note(*about: object) -> None:
            if threading.current_thread().name == "devices" and "FROM meters" in str(about[2]):
                asked.append(str(about[2]))

        event.listen(there.opened.engine, "before_cursor_execute", note)
        with acting(there) as side:
            assert side.acting is not None
            assert len(side.acting.dispatcher) == len(there.park)
        event.remove(there.opened.engine, "before_cursor_execute", note)
    assert len(asked) == 1


def test_a_meter_without_a_line_waits_until_it_is_connected(
    sqlite_url: str, tmp_path: Path
) -> None:
    with supplied(sqlite_url, tmp_path, are_connected=False) as there, acting(there):
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "held")])
        there.connect(FIRST)
        soon(lambda: there.commands() == [("trip", "verified")])
