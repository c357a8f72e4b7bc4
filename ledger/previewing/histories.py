"""Preview of a draft (资费试算): accounts rated again on their real history, and nothing written.

Pure: it is handed an account's facts in order. Baseline and draft go through the same reckoning,
so a draft that equals the tariff in force differs in nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from ledger.aggregates.account import Account
from ledger.aggregates.account.control import NO_DAYS, Terms
from ledger.events import account as facts
from ledger.events.registry import decode
from ledger.previewing.purse import Purse
from ledger.previewing.summary import Outcome
from ledger.pricing import CompiledTariff, NotRateable, Position
from ledger.pricing.context import Context
from ledger.pricing.hours import counted
from ledger.values import closing_day

Quantities = tuple[int, ...]
Fact = tuple[str, int, str | bytes]
"""Topic, time and payload."""


class _Charged(msgspec.Struct, gc=False):
    """What a preview needs of a charge: the rest of the payload is passed over."""

    point: str
    from_us: int
    registers: dict[str, tuple[int, int, int]]
    amount_minor: int


_charged: Final = msgspec.json.Decoder(_Charged).decode
CHARGED: Final = facts.AccountCharged.TOPIC
READ: Final = frozenset(
    event.TOPIC
    for event in (
        facts.AccountOpened,
        facts.AttributesChanged,
        facts.ServicePointAdded,
        facts.ServicePointRemoved,
        facts.TariffAssigned,
        facts.PolicyAssigned,
        facts.AccountCharged,
        facts.ChargeCorrected,
        facts.FixedFeeCharged,
        facts.AccountCredited,
        facts.CreditReversed,
        facts.AccountAdjusted,
    )
)
"""Topics that a preview reads."""


class Span(NamedTuple):
    """Charges that are compared: those of readings later than one time, up to another."""

    after_us: int = 0
    until_us: int = 2**62


@dataclass(slots=True)
class _Point:
    """A service point: what it counted under the tariff that the draft would replace."""

    name: str
    service_kind: str
    policy_id: str
    start: Position | None
    position: Position | None
    intervals: dict[int, tuple[int, Quantities]] = field(default_factory=dict)
    posted: int = 0
    fixed_at_us: int = 0


class Preview:
    """Rates accounts under a draft in the place of a tariff."""

    def __init__(
        self,
        draft: CompiledTariff,
        instead_of: str,
        terms: Mapping[str, Terms],
        span: Span = Span(),  # noqa: B008 - immutable
    ) -> None:
        self.draft = draft
        self.instead_of = instead_of
        self.terms = terms
        self.looks_at_days = any(each.days != NO_DAYS for each in terms.values())
        self.span = span

    def outcome(self, history: Iterable[Fact]) -> Outcome:
        """What an account would have paid; its facts come in order of version."""
        return _Run(self).take(history)


class _Run:
    """One account on its way through its facts."""

    def __init__(self, preview: Preview) -> None:
        self._preview = preview
        self._draft = preview.draft
        self._account = Account(0, "")
        self._context: Context | None = None
        self._points: dict[str, _Point] = {}
        self._now, self._then = Purse(), Purse()
        self._outcome = Outcome()

    def take(self, history: Iterable[Fact]) -> Outcome:
        """Every fact in turn."""
        outcome = self._outcome
        try:
            for topic, at_us, payload in history:
                if topic == CHARGED:
                    self._charge(_charged(payload), at_us)
                else:
                    self._other(decode(topic, payload), at_us)
        except NotRateable as reason:
            outcome.refused = reason.code
        outcome.levels_before, outcome.levels_after = self._now.highest, self._then.highest
        return outcome

    def _charge(self, event: _Charged, at_us: int) -> None:
        point = self._points[event.point]
        amount = event.amount_minor
        if point.position is not None:
            quantities = counted(self._draft, event.registers)
            point.intervals[event.from_us] = at_us, quantities
            point.position, amounts = self._draft.rate(
                point.position, event.from_us, at_us, quantities, self._context
            )
            amount = sum(amounts)
            point.posted += amount
            self._outcome.intervals += 1
        self._book(point, event.amount_minor, amount, at_us)

    def _book(self, point: _Point, before: int, after: int, at_us: int) -> None:
        """Let both purses pay, and count the difference where it lies in the span."""
        preview = self._preview
        if point.position is not None and preview.span.after_us < at_us <= preview.span.until_us:
            self._outcome.before_minor += before
            self._outcome.after_minor += after
        self._now.pay(before)
        self._then.pay(after)
        if preview.looks_at_days:
            day = closing_day(self._account.timezone, at_us)
            self._now.note(before, day)
            self._then.note(after, day)
        self._decide()

    def _decide(self) -> None:
        for point in self._points.values():
            terms = self._preview.terms.get(point.policy_id)
            if terms is not None:
                for purse in (self._now, self._then):
                    purse.decide(point.name, point.service_kind, terms)

    def _other(self, event: Any, at_us: int) -> None:  # noqa: ANN401 - one of many facts
        match event:
            case facts.AccountOpened() | facts.AttributesChanged():
                self._account.evolve(event, at_us)
                self._context = self._account.rating_context()
                self._outcome.account_no = event.account_no
            case facts.ServicePointAdded():
                for purse in (self._now, self._then):
                    purse.begin(event.point)
                self._points[event.point] = self._begun(event, event.service_kind, at_us)
            case facts.TariffAssigned():
                kind = self._points[event.point].service_kind
                policy_id = self._points[event.point].policy_id
                self._points[event.point] = self._begun(event, kind, event.from_us, policy_id)
            case facts.ServicePointRemoved():
                self._points.pop(event.point, None)
            case facts.PolicyAssigned():
                self._points[event.point].policy_id = event.policy_id
                self._decide()
            case facts.ChargeCorrected() | facts.FixedFeeCharged():
                self._again(event, at_us)
            case _:
                moved = event.paid_minor + event.granted_minor
                for purse in (self._now, self._then):
                    purse.receive(moved)
                self._decide()

    def _begun(
        self,
        event: facts.ServicePointAdded | facts.TariffAssigned,
        service_kind: str,
        at_us: int,
        policy_id: str = "",
    ) -> _Point:
        is_meant = event.tariff_id == self._preview.instead_of
        start = self._draft.start(at_us) if is_meant else None
        policy = event.policy_id if isinstance(event, facts.ServicePointAdded) else policy_id
        return _Point(event.point, service_kind, policy, start, start)

    def _again(self, event: facts.ChargeCorrected | facts.FixedFeeCharged, at_us: int) -> None:
        """Rate the point anew: its intervals became others, or a silent day passed."""
        point = self._points.get(event.point)
        if point is None:  # It was removed since: what it comes to stays as it was booked.
            point = _Point(event.point, "", "", None, None)
        amount = event.amount_minor
        if point.start is not None:
            if isinstance(event, facts.ChargeCorrected):
                for gone in event.replaced:
                    point.intervals.pop(gone.from_us, None)
                for come in event.intervals:
                    taken = counted(self._draft, come.registers)
                    point.intervals[come.from_us] = come.to_us, taken
                total = self._total(point)
            else:
                point.fixed_at_us = max(point.fixed_at_us, at_us)
                total = point.posted + self._silent_days(point)
            amount, point.posted = total - point.posted, total
        self._book(point, event.amount_minor, amount, at_us)

    def _total(self, point: _Point) -> int:
        total, point.position = 0, point.start
        for from_us in sorted(point.intervals):
            to_us, quantities = point.intervals[from_us]
            assert point.position is not None  # noqa: S101 - it began with one
            point.position, amounts = self._draft.rate(
                point.position, from_us, to_us, quantities, self._context
            )
            total += sum(amounts)
        return total + (self._silent_days(point) if point.fixed_at_us else 0)

    def _silent_days(self, point: _Point) -> int:
        assert point.position is not None  # noqa: S101 - it began with one
        point.position, amounts = self._draft.to_fixed_only(
            point.position, point.fixed_at_us, self._context
        )
        return sum(amounts)
