"""A control policy's draft on real history: as if it had held; equal ones differ in nothing."""

from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.views.policy_previews import decisions_of_accounts, preview_policy
from adapters.views.previews import published_terms
from ledger.aggregates import Refused
from ledger.aggregates.account.control import INDEX
from ledger.aggregates.policy import PolicyDocument
from ledger.commands import accrue_fixed
from ledger.commands.assign import AssignGroup, AssignPolicy, assign_group, assign_policy
from ledger.events import account as facts
from ledger.previewing import Decided, Decisions, PolicyPreview, Span
from ledger.queries import PolicyPreviewAsked
from tests.harness import protected
from tests.harness.desk import ACTOR, Desk, Json, at_us, moment, point, water
from tests.harness.documents import daily_fee, energy, policy, tariff, version
from tests.harness.units import opened

BY_DAY = tariff("by_day", version(energy(["0.5"]), daily_fee("0.21")))
DECISIONS = (
    facts.AccountReminded
    | facts.AccountWarned
    | facts.WarningCancelled
    | facts.SupplyTripPostponed
    | facts.SupplyTripOrdered
    | facts.SupplyRestoreOrdered
)


@dataclass(frozen=True)
class Move:
    """One thing that happens to the account, so many days after the one before."""

    what: str
    amount: int
    days: int


WHATS = (
    *("read", "read", "read", "read late", "water", "pay", "reverse", "adjust", "be silent"),
    *("other policy", "same policy", "group", "remove water", "add water"),
    *("guarantee", "end guarantee", "hold dispute", "release dispute"),
)
MOVES = st.builds(
    Move,
    st.sampled_from(WHATS),
    st.integers(1, 60_00),
    st.integers(1, 9),
)
DAYS = st.none() | st.integers(0, 20)


@st.composite
def policies(draw: st.DrawFn) -> PolicyDocument:
    lines = sorted(draw(st.lists(st.integers(-20_00, 60_00), min_size=3, max_size=3)))
    trip, warn, remind = (draw(st.sampled_from([None, line, line])) for line in lines)
    return policy(
        remind=remind,
        warn=warn,
        trip=trip,
        remind_days=draw(DAYS),
        warn_days=draw(DAYS),
        hysteresis_minor=draw(st.integers(0, 5_00)),
        cuts=draw(st.sampled_from([("electricity",), ("water",), ("electricity", "water")])),
    )


class Life:
    """An account that moves happen to, in the order of time."""

    def __init__(self, in_force: PolicyDocument, document: Json = BY_DAY) -> None:
        self.desk = Desk.at("sqlite://")
        self.desk.publish(document, in_force, policy("lenient", remind=2_00, warn=1_00, trip=-9_00))
        self.desk.clock.go("2026-01-01T12:00")
        self.desk.open("A1", point("M1", "by_day"), water("W1"))
        self.day, self.shown, self.flowed, self.waters = 1, 0, 0, 1
        self.receipts: list[str] = []
        self.late_at = ""

    def go_on(self, move: Move) -> None:
        self.day += move.days
        month, day = divmod(self.day, 28)
        at = f"2026-{month + 1:02}-{day + 1:02}"
        self.desk.clock.go(f"{at}T12:00")
        getattr(self, f"_{move.what.replace(' ', '_')}")(at, move.amount)

    def _read(self, at: str, amount: int) -> None:
        self.late_at = f"{at}T02:00"
        self.shown += amount * 10
        self.desk.read("M1", f"{at}T06:00", self.shown)

    def _read_late(self, _at: str, amount: int) -> None:
        if self.late_at:
            self.desk.read("M1", self.late_at, max(self.shown - amount, 0))

    def _water(self, at: str, amount: int) -> None:
        self.flowed += amount
        self.desk.read(f"W{self.waters}", f"{at}T07:00", self.flowed)

    def _pay(self, _at: str, amount: int) -> None:
        self.receipts.append(str(self.desk.recharge("A1", amount)["receipt_no"]))

    def _reverse(self, _at: str, _amount: int) -> None:
        if self.receipts:
            self.desk.reverse(self.receipts.pop())

    def _adjust(self, _at: str, amount: int) -> None:
        self.desk.adjust("A1", amount - 30_00 or 1, "granted" if amount > 30_00 else "paid")

    def _other_policy(self, _at: str, _amount: int) -> None:
        self._assign("lenient")

    def _same_policy(self, _at: str, _amount: int) -> None:
        self._assign("standard")

    def _assign(self, policy_id: str) -> None:
        command = AssignPolicy(account_no="A1", policy_id=policy_id, service_point="electricity")
        assign_policy(command, self.desk.ledger, ACTOR)

    def _group(self, _at: str, amount: int) -> None:
        command = AssignGroup(account_no="A1", group=f"g{amount}")
        assign_group(command, self.desk.ledger, ACTOR)

    def _remove_water(self, at: str, _amount: int) -> None:
        if len(self.desk.account("A1").points) > 1:
            self.desk.remove("A1", f"{at}T08:00", {"total": f"{self.flowed / 1000:.3f}"}, "water")

    def _add_water(self, at: str, _amount: int) -> None:
        if len(self.desk.account("A1").points) == 1:
            self.waters, self.flowed = self.waters + 1, 0
            self.desk.install("A1", water(f"W{self.waters}", installed_at=at))

    def _guarantee(self, _at: str, _amount: int) -> None:
        protected.guaranteed(self.desk, "A1")

    def _end_guarantee(self, _at: str, _amount: int) -> None:
        protected.no_longer_guaranteed(self.desk, "A1")

    def _hold_dispute(self, _at: str, _amount: int) -> None:
        protected.disputed(self.desk, "A1")

    def _release_dispute(self, _at: str, _amount: int) -> None:
        protected.no_longer_disputed(self.desk, "A1")

    def _be_silent(self, _at: str, _amount: int) -> None:
        accrue_fixed.handle(["A1"], self.desk.ledger, ACTOR)


def lived(in_force: PolicyDocument, moves: list[Move], document: Json = BY_DAY) -> Desk:
    life = Life(in_force, document)
    for move in moves:
        life.go_on(move)
    life.desk.views.catch_up()
    return life.desk


def decided_by(desk: Desk, draft: PolicyDocument) -> Decisions:
    in_force = published_terms(desk.engine)
    plan = PolicyPreview(draft.terms(0), draft.policy_id, in_force, Span())
    (found,) = decisions_of_accounts(desk.engine, desk.terms.shards, plan, ["A1"])
    return found


def recorded(desk: Desk) -> list[tuple[str, int, int]]:
    """What the account did decide at its points of the standard policy."""
    return [
        (event.point, INDEX[event.trace.level_before], INDEX[event.trace.level_after])
        for event in desk.facts("A1")
        if isinstance(event, DECISIONS) and event.trace.policy_id == "standard"
    ]


def steps(decided: list[Decided]) -> list[tuple[str, int, int]]:
    """From which level to which: what a guarantee held back is decided once."""
    return [each[1:4] for each in decided if each.before != each.after]


def standing(desk: Desk) -> int:
    points = [each for each in desk.account("A1").points if each.policy_id == "standard"]
    return max((INDEX[each.level] for each in points), default=0)


@settings(max_examples=25)
@example(
    policy(cuts=("water",)),
    policy(warn=15_00, cuts=("water",)),
    [
        *(Move("read", 40_00, 3), Move("remove water", 1, 1), Move("add water", 1, 1)),
        *(Move("pay", 50_00, 1), Move("read", 1_00, 1), Move("reverse", 1, 1)),
    ],
)
@given(policies(), policies(), st.lists(MOVES, max_size=12))
def test_a_draft_decides_what_would_have_been_decided(
    in_force: PolicyDocument, draft: PolicyDocument, moves: list[Move]
) -> None:
    desk, reality = lived(in_force, moves), lived(draft, moves)
    heads = desk.heads()
    same = decided_by(desk, in_force)
    assert steps(same.now) == recorded(desk)
    assert (same.then, same.level_then) == (same.now, same.level_now)
    assert same.level_now == standing(desk)
    other = decided_by(desk, draft)
    assert (other.now, other.level_now) == (same.now, same.level_now)
    assert steps(other.then) == recorded(reality)
    assert other.level_then == standing(reality)
    assert desk.heads() == heads
    desk.close()
    reality.close()


def preview(desk: Desk, draft: PolicyDocument, *account_nos: str, **asked: object) -> Json:
    desk.views.catch_up()
    document = draft.model_dump(mode="json")
    until_us = desk.clock.now_us
    whole = {"account_nos": account_nos or None, "until_us": until_us, **asked}
    return preview_policy(
        desk.engine,
        desk.terms.shards,
        PolicyPreviewAsked(document, **whole),  # type: ignore[arg-type]
    )


@pytest.fixture
def street(desk: Desk) -> Desk:
    """Three customers with 100.00 each, of whom one uses little, one much, one too much."""
    for number, kwh in (("A1", 10), ("A2", 185), ("A3", 260)):
        desk.open(number, point(f"M{number}"))
        desk.recharge(number, 100_00, paid_at="2026-01-01T09:00:00+08:00")
        desk.read(f"M{number}", "2026-01-20", kwh * 1_000)
    desk.recharge("A3", 90_00, paid_at="2026-02-01T09:00:00+08:00")
    return desk


def test_who_would_have_been_cut_is_named(street: Desk) -> None:
    body = preview(street, policy(remind=95_00, warn=9_00, trip=8_00))
    nobody = {"before": 0, "after": 0, "newly": [], "no_longer": []}
    assert body["accounts"] == 3
    assert body["reminded"] == {"before": 0, "after": 1, "newly": ["A1"], "no_longer": []}
    assert body["warned"] == {"before": 1, "after": 0, "newly": [], "no_longer": ["A2"]}
    assert body["disconnected"] == {"before": 1, "after": 2, "newly": ["A2"], "no_longer": []}
    assert body["restored"] == nobody | {"before": 1, "after": 1}
    of_all = {"cancelled": 0, "restored": 1, "postponed": 0, "kept_on": 0}
    assert body["decisions"] == {
        "before": {"reminded": 0, "warned": 1, "disconnected": 1, **of_all},
        "after": {"reminded": 1, "warned": 0, "disconnected": 2, **of_all},
    }
    assert body["standing"] == {
        "before": {"none": 2, "remind": 0, "warn": 1, "trip": 0},
        "after": {"none": 0, "remind": 2, "warn": 0, "trip": 1},
    }


def test_only_what_was_decided_in_the_span_is_counted(street: Desk) -> None:
    since = preview(street, policy(), after_us=at_us("2026-01-25"))
    assert since["disconnected"]["before"] == since["warned"]["before"] == 0
    assert (since["restored"]["before"], since["standing"]["before"]["warn"]) == (1, 1)
    assert since["from"] == "2026-01-24T16:00:00Z"


def test_chosen_accounts_alone_are_looked_at(street: Desk) -> None:
    assert preview(street, policy(), "A1", "A3")["accounts"] == 2
    with pytest.raises(Refused, match="no account A9"):
        preview(street, policy(), "A1", "A9")


def test_a_draft_may_stand_for_another_policy(street: Desk) -> None:
    patient = policy("patient", trip=-50_00)
    body = preview(street, patient, instead_of="standard")
    assert (body["policy_id"], body["disconnected"]["no_longer"]) == ("standard", ["A3"])
    with pytest.raises(Refused, match="no policy patient"):
        preview(street, patient)


def test_a_draft_that_is_no_policy_is_refused_with_its_places(street: Desk) -> None:
    asked = PolicyPreviewAsked({"policy_id": "standard", "warn": {"days": 3}})
    with pytest.raises(Refused) as refusal:
        preview_policy(street.engine, street.terms.shards, asked)
    assert [each.path for each in refusal.value.problems] == ["/warn/days"]  # type: ignore[attr-defined]


def test_prepaid_units_count_as_money_that_is_left(desk: Desk) -> None:
    opened(desk)
    in_force = policy(trip=0)
    desk.publish(in_force)
    desk.recharge("A1", 398_00, paid_at=moment("2026-03-05T09:00"))
    for day, shown in ((10, 100), (20, 235), (28, 260)):
        desk.read("M1", f"2026-03-{day}", shown * 1_000)
    desk.recharge("A1", 130_05, paid_at=moment("2026-03-29T09:00"))
    desk.views.catch_up()
    found = decided_by(desk, in_force)
    assert [each[1:4] for each in found.now] == recorded(desk)
    assert {"warned", "disconnected", "restored"} & {each.kind for each in found.now}
    assert (found.then, found.level_now) == (found.now, standing(desk))
