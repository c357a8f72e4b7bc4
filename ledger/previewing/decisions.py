"""Preview of a control policy (费控试算): who would have been reminded, warned, cut, and restored.

Pure: it is handed an account's facts in order, and decides after the same facts as the account did.
Policy in force and draft go through the same reckoning, so equal ones differ in nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.control import Terms
from ledger.events import account as facts
from ledger.events.registry import decode
from ledger.previewing.standings import NOTHING, Means, Standing, decided, protected
from ledger.previewing.turns import Span, Told, Turns

Step = Callable[[Point, Standing, Terms], Standing]


class Decided(NamedTuple):
    """A level that a point came to."""

    at_us: int
    point: str
    before: int
    after: int
    kind: str
    """What people call it: one of `KINDS`, `POSTPONED`, `KEPT_ON`, `RESTORED`, `CANCELLED`."""


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


class _Run(Turns):
    """One account on its way through its facts."""

    def __init__(self, preview: PolicyPreview) -> None:
        super().__init__(preview.span)
        self._preview = preview
        self._account = Account(0, "")
        self._now: dict[str, Standing] = {}
        self._then: dict[str, Standing] = {}
        """By point."""
        self._reached_us = 0
        self._found = Decisions()

    def take(self, history: Iterable[Told]) -> Decisions:
        """What was decided on the way, and where it ends."""
        self.go(history)
        return self._ended()

    def next_due_us(self) -> int:
        """When the next trip falls due that was put off; 0 where none was."""
        standings = (*self._now.values(), *self._then.values())
        return min((each.due_us for each in standings if each.due_us), default=0)

    def fold(self, told: Told) -> None:
        """Bring a fact into the account."""
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

    def decide(self, at_us: int) -> None:
        """Decide about every point by its money."""
        self._reached_us = max(self._reached_us, at_us)
        self._settle(at_us, self._decided)

    def protect(self, at_us: int) -> None:
        """Look again whether points may be cut."""
        self._reached_us = max(self._reached_us, at_us)
        self._settle(at_us, self._protected)

    def _settle(self, at_us: int, step: Step) -> None:
        """Bring each point to its new standing, and keep what was decided by it."""
        if not self._account.has_moved:
            return
        preview, is_counted = self._preview, self.span.covers(at_us)
        for point in self._account.points:
            in_force = preview.in_force.get(point.policy_id)
            if in_force is None:
                continue
            is_meant = point.policy_id == preview.instead_of
            for levels, terms, kept in (
                (self._now, in_force, self._found.now),
                (self._then, preview.draft if is_meant else in_force, self._found.then),
            ):
                before = levels.get(point.name, NOTHING)
                after = levels[point.name] = step(point, before, terms)
                if is_meant and is_counted and after != before:
                    steps = before.level, after.level, before.kind_of(after)
                    kept.append(Decided(at_us, point.name, *steps))

    def _decided(self, point: Point, before: Standing, terms: Terms) -> Standing:
        means = Means(self._account.available_at(point), sum(self._account.week))
        return decided(self._account, point, before, terms, means, self._reached_us)

    def _protected(self, point: Point, before: Standing, _terms: Terms) -> Standing:
        return protected(self._account, point, before, self._reached_us)

    def _ended(self) -> Decisions:
        of_policy = self._preview.instead_of
        meant = [each.name for each in self._account.points if each.policy_id == of_policy]
        found = self._found
        found.level_now, found.level_then = (
            max((levels.get(name, NOTHING).level for name in meant), default=0)
            for levels in (self._now, self._then)
        )
        return found
