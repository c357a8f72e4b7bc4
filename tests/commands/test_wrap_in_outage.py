"""A register wraps while its meter is silent: real accounts, from the silence to the books."""

from itertools import permutations

import pytest

from ledger.commands.late_readings import Reading
from ledger.commands.recompute_quarantine import recompute
from ledger.events.account import AccountCharged
from tests.commands.test_accrue_fixed import BY_DAY, accrue, fees
from tests.commands.test_recompute_quarantine import items
from tests.harness.desk import ACTOR, Desk, at_us, point
from tests.harness.documents import energy, tariff, version
from tests.harness.readings import codes, counts
from tests.harness.reckoning import check_energy, check_journal, check_statements, check_tax
from tests.views.test_previews import preview

SIDES = tariff(
    "sides",
    version(energy({"peak": ["0.6", "0.9"], "valley": ["0.3", "0.4"]}), bounds=["100"]),
    registers=("peak", "valley"),
)
ALL_BUT_FULL = {"total": "960"}


@pytest.fixture
def silent(desk: Desk) -> Desk:
    """M1 counts to 1,000 kWh; it was read at 980 and told nothing more for 18 days."""
    desk.publish(BY_DAY)
    desk.clock.go("2026-01-02T12:00")
    desk.open("A1", point("M1", "by_day", wrap="1000", initial=ALL_BUT_FULL))
    assert counts(desk.read("M1", "2026-01-02", 980_000)) == (1, 0, [])
    desk.clock.go("2026-01-19T12:00")
    assert accrue(desk)["days"] == len(fees(desk)) == 17
    desk.clock.go("2026-01-20T12:00")
    return desk


def holds(desk: Desk, balance_minor: int) -> None:
    """The account stands there, and so do its views, its books, the audit and a preview."""
    assert desk.account("A1").balance_minor == balance_minor
    desk.views.catch_up()
    assert desk.views.verify() == []
    log = desk.recorded()
    for reckoned in (check_statements, check_energy, check_journal):
        reckoned(desk, log)
    check_tax(log)
    same = preview(desk, BY_DAY)
    assert same["before_minor"] == same["after_minor"] == -balance_minor


def test_what_passed_in_the_outage_is_charged_over_the_wrap_once(silent: Desk) -> None:
    assert counts(silent.read("M1", "2026-01-20", 75_000)) == (1, 0, [])
    charged = silent.facts("A1")[-1]
    assert isinstance(charged, AccountCharged)
    assert charged.registers == {"total": (980_000, 75_000, 95_000)}
    holds(silent, -(100 * 50 + 15 * 100 + 19 * 20))
    assert counts(silent.read("M1", "2026-01-20", 75_000)) == (0, 1, [])
    silent.clock.go("2026-01-22T12:00")
    assert accrue(silent)["days"] == 2
    assert counts(silent.read("M1", "2026-01-22", 80_000)) == (1, 0, [])
    holds(silent, -(100 * 50 + 20 * 100 + 21 * 20))


def test_what_the_meter_had_stored_is_rated_in_on_both_sides_of_the_wrap(silent: Desk) -> None:
    stored = [
        Reading("M1", at_us(f"2026-01-{day}"), {"total": total})
        for day, total in (("08", 999_999), ("09", 0), ("12", 30_000), ("20", 75_000))
    ]
    for order in [*permutations(stored)][::7]:
        other = Desk.at("sqlite://")
        other.publish(BY_DAY)
        other.clock.go("2026-01-20T12:00")
        other.open("A1", point("M1", "by_day", wrap="1000", initial=ALL_BUT_FULL))
        other.read("M1", "2026-01-02", 980_000)
        for reading in order:
            assert counts(other.read_all(reading)) == (1, 0, [])
        holds(other, -(100 * 50 + 15 * 100 + 19 * 20))
        other.close()
    silent.read("M1", "2026-01-20", 75_000)
    assert counts(silent.read_all(*stored)) == (3, 1, [])
    holds(silent, -(100 * 50 + 15 * 100 + 19 * 20))


def test_one_register_of_two_wraps(desk: Desk) -> None:
    desk.publish(SIDES)
    initial = {"peak": "990", "valley": "10"}
    desk.open("A1", point("M1", "sides", wrap="1000", initial=initial))
    assert counts(desk.read("M1", "2026-01-20", peak=30_000, valley=50_000)) == (1, 0, [])
    assert desk.account("A1").balance_minor == -(40 * 60 + 40 * 30)
    assert counts(desk.read("M1", "2026-01-10", peak=5_000, valley=20_000)) == (1, 0, [])
    assert desk.account("A1").balance_minor == -(40 * 60 + 40 * 30)


def test_a_wrap_too_far_to_tell_from_a_fall_waits_for_what_lay_between(silent: Desk) -> None:
    """160 kWh of a range of 1,000: as likely a register that ran back; a stored reading decides."""
    assert codes(silent.read("M1", "2026-01-20", 140_000)) == ["backward"]
    holds(silent, -(20 * 50 + 18 * 20))
    assert counts(silent.read("M1", "2026-01-11", 60_000)) == (1, 0, [])
    assert recompute(items(silent), silent.ledger, ACTOR)["charged"] == 1
    assert items(silent) == []
    holds(silent, -(100 * 50 + 80 * 100 + 19 * 20))
