"""Whatever is paid and used: no trip lies in a window, and what was put off comes once."""

from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.aggregates.account import Account
from ledger.aggregates.account.control import Terms, decide_level
from ledger.aggregates.policy import TripLine
from ledger.aggregates.policy_windows import NoCutWindow
from ledger.commands.publish_policy import lint
from ledger.events import Event
from ledger.events import account as facts
from ledger.values import local_us
from tests.harness.documents import policy
from tests.harness.past import added, adjusted, an_account, the_point

HOUR_US: Final = 3_600_000_000
ZONES: Final = ("Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")
EPOCH: Final = date(1970, 1, 1)
BEGINNINGS: Final = (date(2026, 3, 27), date(2026, 10, 23), date(2026, 12, 29), date(2027, 2, 3))
"""Clocks are put forward or back, the year ends, the Spring Festival begins."""
WINDOWS: Final[tuple[dict[str, Any], ...]] = (
    {"name": "nights", "hours": "18:00-08:00"},
    {"name": "small hours", "hours": "02:15-02:45, 23:30-01:30"},
    {"name": "weekends", "days": ("fri", "weekend"), "holidays": "cn"},
    {"name": "holidays", "days": ("holiday",), "holidays": "cn"},
    {"name": "Spring Festival", "first_day": "2027-02-05", "last_day": "2027-02-20"},
    {"name": "turn of the year", "first_day": "12-30", "last_day": "01-02"},
    {"name": "mornings of Monday", "days": ("mon",), "hours": "00:00-12:00"},
)

QUARTERS: Final = st.integers(0, 4) | st.integers(0, 120)
AMOUNTS: Final = st.sampled_from([-70_00, -5_00, -1, 1, 5_00, 70_00])


class Decided(NamedTuple):
    """A fact, when it was decided, and the money then."""

    at_us: int
    fact: Event
    available_minor: int


class Life:
    """An account whose scheduler wakes at every deadline, and never late."""

    def __init__(self, terms: Terms, zone: str, begun_us: int) -> None:
        self.account: Account = an_account(added(), adjusted(50_00, 50_00))
        self.account.timezone = zone
        self.terms, self.now_us = terms, begun_us
        self.decided: list[Decided] = []

    def move(self, quarters: int, amount_minor: int) -> None:
        self.pass_by(self.now_us + quarters * HOUR_US // 4)
        after = self.account.balance_minor + amount_minor
        self.account.evolve(adjusted(amount_minor, after), self.now_us)
        self.decide()

    def pass_by(self, until_us: int) -> None:
        while 0 < the_point(self.account).trip_due_us <= until_us:
            self.now_us = the_point(self.account).trip_due_us
            self.decide()
        self.now_us = until_us

    def decide(self) -> None:
        point = the_point(self.account)
        for _ in range(2):  # Again is silence.
            for fact in decide_level(self.account, point, self.terms, self.now_us):
                assert _ == 0, "decided twice"
                self.account.evolve(fact, self.now_us)
                money = self.account.available_minor
                self.decided.append(Decided(self.now_us, fact, money))


def is_open(terms: Terms, zone: str, at_us: int) -> bool:
    """By its definition: the clock shows a time between begin and end of some day's span."""
    assert terms.no_cut is not None
    local = local_us(zone, at_us)
    today = EPOCH.toordinal() + local // (24 * HOUR_US)
    return any(
        begins <= local < end
        for window in terms.no_cut.windows
        for begins, end in window.on((today - 1, today))
    )


def first_free(terms: Terms, zone: str, at_us: int, since_us: int, grace_hours: int) -> int:
    """Found by looking at every quarter of an hour: windows and clocks change at none else."""
    free_us = max(at_us, since_us + grace_hours * HOUR_US)
    while is_open(terms, zone, free_us):
        free_us += HOUR_US // 4
    return free_us


def terms_of(windows: list[dict[str, Any]], grace_hours: int) -> Terms:
    made = tuple(NoCutWindow.model_validate(each) for each in windows)
    document = policy(no_cut_windows=made, hysteresis_minor=3_00).model_copy(
        update={"trip": TripLine(available_minor=0, grace_hours=grace_hours)}
    )
    assert lint(document.model_dump(mode="json")) == []
    return document.terms(1)


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from(WINDOWS), max_size=4, unique_by=lambda each: each["name"]),
    st.sampled_from([0, 1, 30]),
    st.sampled_from(ZONES),
    st.sampled_from(BEGINNINGS),
    st.lists(st.tuples(QUARTERS, AMOUNTS), max_size=40),
)
def test_no_trip_lies_in_a_window_and_what_was_put_off_comes_once(
    windows: list[dict[str, Any]],
    grace_hours: int,
    zone: str,
    begun: date,
    moves: list[tuple[int, int]],
) -> None:
    terms = terms_of(windows, grace_hours)
    begun_us = (begun - EPOCH) // timedelta(microseconds=1)
    life = Life(terms, zone, begun_us)
    for quarters, amount_minor in moves:
        life.move(quarters, amount_minor)
    life.pass_by(life.now_us + 60 * 24 * HOUR_US)
    due_us = since_us = 0
    for at_us, fact, available_minor in life.decided:
        match fact:
            case facts.SupplyTripPostponed():
                assert is_open(terms, zone, at_us) or at_us < fact.since_us + grace_hours * HOUR_US
                assert fact.due_us == first_free(terms, zone, at_us, fact.since_us, grace_hours)
                since_us = since_us or fact.since_us
                assert fact.since_us == since_us
                due_us = fact.due_us
            case facts.SupplyTripOrdered():
                assert terms.no_cut is None or not is_open(terms, zone, at_us)
                assert at_us >= (since_us or at_us - grace_hours * HOUR_US)
                assert not due_us or at_us == due_us
                assert grace_hours == 0 or at_us >= since_us + grace_hours * HOUR_US > 0
                assert available_minor <= 0
                due_us = since_us = 0
            case facts.WarningCancelled() | facts.SupplyRestoreOrdered():
                due_us = since_us = 0
            case _:
                pass
    assert due_us == 0, "what was put off was decided when it was due"
    point = the_point(life.account)
    is_off = point.supply_intended == "off"
    if life.account.available_minor <= 0 and moves:
        assert is_off, "an unchanged balance is cut once the window is over"
    assert (point.level == "trip") == is_off
