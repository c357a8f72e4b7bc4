"""A meter is in one place at a time and remembers the readings that were kept aside."""

from ledger.aggregates.meter import QUARANTINED_MAX, Meter
from ledger.events.meter import MeterInstalled, MeterRemoved, ReadingQuarantined
from tests.scenario import Scenario

INSTALLED = MeterInstalled("M1", "A1", "electricity", {"total": 0})
REMOVED = MeterRemoved("M1", "A1", "electricity", {"total": 9})


def aside(total: int = 5, code: str = "backward") -> ReadingQuarantined:
    return ReadingQuarantined("M1", "A1", {"total": total}, code, "It went back.")


def test_a_meter_is_installed_where_it_is_free() -> None:
    past = Scenario(Meter)
    past.when(Meter.install, "M1", "A1", "electricity", {"total": 0}, 5).then(INSTALLED)
    past.when(Meter.install, "M1", "A2", "electricity", {"total": 9}, 20).refused("meter_in_use")


def test_a_removed_meter_may_count_elsewhere() -> None:
    past = Scenario(Meter).given(INSTALLED)
    past.when(Meter.remove, {"total": 9}).then(REMOVED)
    past.when(Meter.remove, {"total": 9}).refused("meter_not_installed")
    elsewhere = MeterInstalled("M1", "A2", "electricity", {"total": 9})
    past.when(Meter.install, "M1", "A2", "electricity", {"total": 9}, 20).then(elsewhere)
    assert past.state.account_no == "A2"


def test_an_order_that_comes_again_does_not_bring_a_removed_meter_back() -> None:
    past = Scenario(Meter).given((INSTALLED, 10), (REMOVED, 20))
    again = past.when(Meter.install, "M1", "A1", "electricity", {"total": 0}, 10)
    again.refused("meter_installed_before")
    within = past.when(Meter.install, "M1", "A2", "electricity", {"total": 5}, 19)
    within.refused("meter_installed_before")
    later = past.when(Meter.install, "M1", "A1", "electricity", {"total": 9}, 20)
    later.then(MeterInstalled("M1", "A1", "electricity", {"total": 9}))


def test_the_same_reading_is_kept_aside_once() -> None:
    past = Scenario(Meter).given(INSTALLED)
    assert past.when(Meter.quarantine, 100, aside()).facts == (aside(),)
    assert past.given((aside(), 100)).state.quarantined == {
        "100 total=5": ("backward", "It went back.")
    }
    past.when(Meter.quarantine, 100, aside(code="late")).then_nothing()


def test_another_value_or_another_time_is_another_reading() -> None:
    past = Scenario(Meter).given(INSTALLED, (aside(), 100))
    past.when(Meter.quarantine, 100, aside(6)).then(aside(6))
    past.when(Meter.quarantine, 101, aside()).then(aside())


def test_a_quarantine_is_bounded_and_forgets_the_oldest() -> None:
    state = Meter(0, "any").replay((aside(), at) for at in range(QUARANTINED_MAX + 1))
    assert len(state.quarantined) == QUARANTINED_MAX
    assert state.quarantine(0, aside()) is not None
    assert state.quarantine(1, aside()) is None
