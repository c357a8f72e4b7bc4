"""Preview of a control policy (费控试算): who would have been reminded, warned, cut, and restored.

Pure: it is handed an account's facts in order, and decides after the same facts as the account did.
Policy in force and draft go through the same reckoning, so equal ones differ in nothing. What a
no-cut window puts off is decided again at its end, as the scheduler does. Whoever has a guarantee,
disputes what is owed or is protected is cut when that has ended, if it is still wanted then.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.control import NO_DAYS, TRIP, WARN, Terms, level_after
from ledger.aggregates.account.state import DAYS_MAX, days_left
from ledger.aggregates.account.supply import is_guaranteed, what_forbids_a_trip
from ledger.events import account as facts
from ledger.events import supply
from ledger.events.registry import decode
from ledger.previewing.histories import CHARGED, Span

KINDS: Final = ("reminded", "warned", "disconnected")
POSTPONED: Final = "postponed"
KEPT_ON: Final = "kept_on"
"""A trip that nobody carries out, because the point may not be cut."""
RESTORED: Final = "restored"
CANCELLED: Final = "cancelled"


class Told(NamedTuple):
    """A fact of an account as the log holds it."""

    topic: str
    at_us: int
    command_id: str | None
    payload: str | bytes


class Decided(NamedTuple):
    """A level that a point came to."""

    at_us: int
    point: str
    before: int
    after: int
    kind: str
    """What people call it: one of `KINDS`, `POSTPONED`, `KEPT_ON`, `RESTORED`, `CANCELLED`."""


class Standing(NamedTuple):
    """The level of a point; where a trip was put off, when it is due and since when."""

    level: int = 0
    due_us: int = 0
    since_us: int = 0
    is_kept_on: bool = False
    """The trip waits until the point may be cut."""

    @property
    def is_cut(self) -> bool:
        """Whether the supply is off."""
        return self.level == TRIP and not (self.due_us or self.is_kept_on)

    def kind_of(self, after: "Standing") -> str:
        """What the step to another standing is called."""
        if after.due_us:
            return POSTPONED
        if after.is_cut:
            return KINDS[TRIP - 1]
        if self.is_cut:
            return RESTORED
        if after.is_kept_on:
            return KEPT_ON
        return KINDS[after.level - 1] if after.level > self.level else CANCELLED


DECIDED_AFTER: Final = frozenset(
    event.TOPIC
    for event in (
        facts.AccountCharged,
        facts.ChargeCorrected,
        facts.FixedFeeCharged,
        facts.UnitsSold,
        facts.UnitsReturned,
        facts.ServicePointRemoved,
        facts.MeterReplaced,
        facts.TariffAssigned,
        facts.PolicyAssigned,
        facts.GroupAssigned,
        facts.AccountCredited,
        facts.CreditReversed,
        facts.AccountAdjusted,
    )
)
"""Topics after which an account decides its levels."""
PROTECTED_BY: Final = frozenset(
    event.TOPIC
    for event in (
        supply.GuaranteeStarted,
        supply.GuaranteeEnded,
        supply.DisputeHeld,
        supply.DisputeReleased,
        facts.AttributesChanged,
    )
)
"""Topics after which a point may be cut, or not any more; no level changes."""
TOLD: Final = (
    DECIDED_AFTER | PROTECTED_BY | {facts.AccountOpened.TOPIC, facts.ServicePointAdded.TOPIC}
)
"""Topics that a preview of decisions reads."""


class Decisions(msgspec.Struct, gc=False):
    """What was decided at an account's points of a policy, and what a draft would have decided."""

    account_no: str = ""
    is_meant: bool = False
    """Whether any of its points was ever under the policy."""
    now: list[Decided] = []
    then: list[Decided] = []
    level_now: int = 0
    level_then: int = 0
    """The highest level at its points of the policy in the end."""


class PolicyPreview:
    """Decides about accounts under a draft in the place of a policy."""

    def __init__(
        self, draft: Terms, instead_of: str, in_force: Mapping[str, Terms], span: Span
    ) -> None:
        self.draft = draft
        self.instead_of = instead_of
        self.in_force = in_force
        self.span = span

    def decisions(self, history: Iterable[Told]) -> Decisions:
        """What would have been decided about an account; its facts come in order of version."""
        return _Run(self).take(history)


class _Run:
    """One account on its way through its facts."""

    def __init__(self, preview: PolicyPreview) -> None:
        self._preview = preview
        self._account = Account(0, "")
        self._now: dict[str, Standing] = {}
        self._then: dict[str, Standing] = {}
        """By point."""
        self._reached_us = 0
        self._found = Decisions()

    def take(self, history: Iterable[Told]) -> Decisions:
        """Every fact in turn; of one command the levels are decided once, but after each charge."""
        due: Told | None = None
        for told in history:
            if due is not None and (told.topic == CHARGED or not _is_of_one(due, told)):
                self._decide(due.at_us)
                due = None
            if due is None:
                self._let_pass(told.at_us)
            self._fold(told)
            if told.topic in DECIDED_AFTER:
                due = told
            elif told.topic in PROTECTED_BY:
                self._settle(told.at_us, self._protected)
        if due is not None:
            self._decide(due.at_us)
        self._let_pass(self._preview.span.until_us)
        return self._ended()

    def _let_pass(self, until_us: int) -> None:
        """Decide what falls due by then; a standing is put off to a later time, or no longer."""
        while True:
            standings = (*self._now.values(), *self._then.values())
            due_us = min((each.due_us for each in standings if each.due_us), default=until_us + 1)
            if due_us > until_us:
                return
            self._decide(due_us)

    def _fold(self, told: Told) -> None:
        event = decode(told.topic, told.payload)
        self._account.evolve(event, told.at_us)
        if isinstance(event, facts.AccountOpened):
            self._found.account_no = event.account_no
        elif isinstance(event, facts.ServicePointAdded | facts.ServicePointRemoved):
            for levels in (self._now, self._then):
                levels.pop(event.point, None)
        if isinstance(event, facts.ServicePointAdded | facts.PolicyAssigned):
            is_meant = event.policy_id == self._preview.instead_of
            self._found.is_meant = self._found.is_meant or is_meant

    def _decide(self, at_us: int) -> None:
        self._settle(at_us, self._standing)

    def _settle(self, at_us: int, standing: Callable[[Point, Standing, Terms], Standing]) -> None:
        """Bring each point to its new standing, and keep what was decided by it."""
        preview = self._preview
        self._reached_us = max(self._reached_us, at_us)
        is_counted = preview.span.after_us < at_us <= preview.span.until_us
        if not self._account.has_moved:
            return
        for point in self._account.points:
            in_force = preview.in_force.get(point.policy_id)
            if in_force is None:
                continue
            is_meant = point.policy_id == preview.instead_of
            for levels, terms, decided in (
                (self._now, in_force, self._found.now),
                (self._then, preview.draft if is_meant else in_force, self._found.then),
            ):
                before = levels.get(point.name, Standing())
                after = levels[point.name] = standing(point, before, terms)
                if is_meant and is_counted and after != before:
                    steps = before.level, after.level, before.kind_of(after)
                    decided.append(Decided(at_us, point.name, *steps))

    def _standing(self, point: Point, before: Standing, terms: Terms) -> Standing:
        available = self._account.available_at(point)
        if before.level == 0 and available > terms.top_minor and terms.days == NO_DAYS:
            return before
        week_minor = sum(self._account.week)
        left = days_left(available, week_minor) if terms.days != NO_DAYS else DAYS_MAX
        held = WARN if before.due_us else before.level
        level = level_after(held, available, left, point.service_kind, terms)
        if level != TRIP:
            return Standing(level)
        is_new = before.level != TRIP or before.due_us
        if is_new and terms.no_cut is not None:
            since_us = before.since_us or self._reached_us
            hold = terms.no_cut.hold(self._account.timezone, since_us, self._reached_us)
            if hold is not None:
                return Standing(TRIP, hold.until_us, since_us)
        return self._protected(point, Standing(TRIP, is_kept_on=not before.is_cut), terms)

    def _protected(self, point: Point, before: Standing, _terms: Terms) -> Standing:
        """The same standing where only what protects the point has changed."""
        if before.level != TRIP or before.due_us:
            return before
        if before.is_cut:  # A guarantee gives the supply back, a dispute does not.
            is_kept_on = is_guaranteed(point, self._reached_us)
        else:
            is_kept_on = bool(what_forbids_a_trip(self._account, point, self._reached_us))
        return before._replace(is_kept_on=is_kept_on)

    def _ended(self) -> Decisions:
        of_policy = self._preview.instead_of
        meant = [each.name for each in self._account.points if each.policy_id == of_policy]
        found = self._found
        found.level_now, found.level_then = (
            max((levels.get(name, Standing()).level for name in meant), default=0)
            for levels in (self._now, self._then)
        )
        return found


def _is_of_one(told: Told, other: Told) -> bool:
    """Whether two facts were decided together."""
    return bool(told.command_id) and told.command_id == other.command_id
