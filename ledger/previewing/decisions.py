"""Preview of a control policy (费控试算): who would have been reminded, warned, cut, and restored.

Pure: it is handed an account's facts in order, and decides after the same facts as the account did.
Policy in force and draft go through the same reckoning, so equal ones differ in nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from ledger.aggregates.account.control import NO_DAYS, TRIP, Terms
from ledger.events import account as facts
from ledger.events.registry import decode
from ledger.previewing.histories import CHARGED, Span
from ledger.previewing.purse import Purse

KINDS: Final = ("reminded", "warned", "disconnected")
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

    @property
    def kind(self) -> str:
        """What people call it: one of `KINDS`, `RESTORED` or `CANCELLED`."""
        if self.before == TRIP:
            return RESTORED
        return KINDS[self.after - 1] if self.after > self.before else CANCELLED


class _Rated(msgspec.Struct, gc=False):
    """What a decision needs of a charge: the rest of the payload is passed over."""

    amount_minor: int
    day: int


_rated: Final = msgspec.json.Decoder(_Rated).decode
RATED: Final = frozenset(
    (CHARGED, facts.ChargeCorrected.TOPIC, facts.FixedFeeCharged.TOPIC),
)
DECIDED_AFTER: Final = RATED | {
    event.TOPIC
    for event in (
        facts.ServicePointRemoved,
        facts.MeterReplaced,
        facts.TariffAssigned,
        facts.PolicyAssigned,
        facts.GroupAssigned,
        facts.AccountCredited,
        facts.CreditReversed,
        facts.AccountAdjusted,
    )
}
"""Topics after which an account decides its levels."""
TOLD: Final = DECIDED_AFTER | {facts.AccountOpened.TOPIC, facts.ServicePointAdded.TOPIC}
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


@dataclass(slots=True)
class _Point:
    """A service point as a control policy sees it."""

    service_kind: str
    policy_id: str


class PolicyPreview:
    """Decides about accounts under a draft in the place of a policy."""

    def __init__(
        self, draft: Terms, instead_of: str, in_force: Mapping[str, Terms], span: Span
    ) -> None:
        self.draft = draft
        self.instead_of = instead_of
        self.in_force = in_force
        self.span = span
        self.looks_at_days = any(each.days != NO_DAYS for each in (draft, *in_force.values()))

    def decisions(self, history: Iterable[Told]) -> Decisions:
        """What would have been decided about an account; its facts come in order of version."""
        return _Run(self).take(history)


class _Run:
    """One account on its way through its facts."""

    def __init__(self, preview: PolicyPreview) -> None:
        self._preview = preview
        self._points: dict[str, _Point] = {}
        self._now, self._then = Purse(), Purse()
        self._found = Decisions()

    def take(self, history: Iterable[Told]) -> Decisions:
        """Every fact in turn; of one command the levels are decided once, but after each charge."""
        due: Told | None = None
        for told in history:
            if due is not None and (told.topic == CHARGED or not _is_of_one(due, told)):
                self._decide(due.at_us)
                due = None
            self._fold(told)
            if told.topic in DECIDED_AFTER:
                due = told
        if due is not None:
            self._decide(due.at_us)
        return self._ended()

    def _fold(self, told: Told) -> None:
        if told.topic in RATED:
            rated = _rated(told.payload)
            for purse in (self._now, self._then):
                purse.pay(rated.amount_minor)
                if self._preview.looks_at_days:
                    purse.note(rated.amount_minor, rated.day)
        else:
            self._other(decode(told.topic, told.payload))

    def _other(self, event: Any) -> None:  # noqa: ANN401 - one of many facts
        match event:
            case facts.AccountOpened():
                self._found.account_no = event.account_no
            case facts.ServicePointAdded():
                for purse in (self._now, self._then):
                    purse.begin(event.point)
                self._points[event.point] = _Point(event.service_kind, "")
                self._assign(event.point, event.policy_id)
            case facts.PolicyAssigned():
                self._assign(event.point, event.policy_id)
            case facts.ServicePointRemoved():
                self._points.pop(event.point, None)
            case facts.AccountCredited() | facts.CreditReversed() | facts.AccountAdjusted():
                for purse in (self._now, self._then):
                    purse.receive(event.paid_minor + event.granted_minor)
            case _:
                pass  # Another meter, tariff or group moves no money.

    def _assign(self, point: str, policy_id: str) -> None:
        self._points[point].policy_id = policy_id
        self._found.is_meant = self._found.is_meant or policy_id == self._preview.instead_of

    def _decide(self, at_us: int) -> None:
        preview = self._preview
        is_counted = preview.span.after_us < at_us <= preview.span.until_us
        for name, point in self._points.items():
            in_force = preview.in_force.get(point.policy_id)
            if in_force is None:
                continue
            is_meant = point.policy_id == preview.instead_of
            for purse, terms, decided in (
                (self._now, in_force, self._found.now),
                (self._then, preview.draft if is_meant else in_force, self._found.then),
            ):
                before = purse.levels.get(name, 0)
                after = purse.decide(name, point.service_kind, terms)
                if is_meant and is_counted and after != before:
                    decided.append(Decided(at_us, name, before, after))

    def _ended(self) -> Decisions:
        meant = [
            name
            for name, point in self._points.items()
            if point.policy_id == self._preview.instead_of
        ]
        found = self._found
        found.level_now, found.level_then = (
            max((purse.levels.get(name, 0) for name in meant), default=0)
            for purse in (self._now, self._then)
        )
        return found


def _is_of_one(told: Told, other: Told) -> bool:
    """Whether two facts were decided together."""
    return bool(told.command_id) and told.command_id == other.command_id
