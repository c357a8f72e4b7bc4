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
from ledger.aggregates.account.sharing import kind_of
from ledger.events import account as facts
from ledger.events.registry import decode
from ledger.previewing.purse import Purse
from ledger.previewing.summary import Outcome
from ledger.pricing import CLOSED_WINDOW, CompiledTariff, NotRateable, Position
from ledger.pricing.context import Context
from ledger.pricing.hours import counted
from ledger.pricing.side_by_side import OpenWindows, amounts_of
from ledger.values import closing_day

Quantities = tuple[int, ...]
Fact = tuple[str, int, str | bytes]
"""Topic, time and payload."""


class _Charged(msgspec.Struct, gc=False):
    """What a preview needs of a charge: the rest of the payload is passed over."""

    point: str
    meter_no: str
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
class _Tiers:
    """What points of one kind counted together under the tariff that the draft would replace."""

    begun_us: int
    position: Position
    intervals: dict[tuple[str, int], tuple[int, Quantities]] = field(default_factory=dict)
    """By meter and beginning: the end, and what was counted."""
    through_us: int = 0
    posted: int = 0
    fixed_at_us: int = 0


@dataclass(slots=True)
class _Point:
    """A service point; without tiers its tariff is not the one in question."""

    name: str
    service_kind: str
    policy_id: str
    tiers: _Tiers | None


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
        self._tiers: dict[str, _Tiers] = {}
        """By service kind."""
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
        tiers = self._points[event.point].tiers
        amount = event.amount_minor
        if tiers is not None:
            quantities = counted(self._draft, event.registers)
            tiers.intervals[event.meter_no, event.from_us] = at_us, quantities
            amount = self._next(tiers, event.from_us, at_us, quantities)
            tiers.posted += amount
            self._outcome.intervals += 1
        self._book(event.amount_minor, amount, at_us, is_meant=tiers is not None)

    def _next(self, tiers: _Tiers, from_us: int, at_us: int, quantities: Quantities) -> int:
        """What one more interval comes to; all anew where it cannot be the next under the draft."""
        if at_us < tiers.through_us:
            return self._total(tiers) - tiers.posted
        tiers.through_us = at_us
        try:
            tiers.position, amounts = self._draft.rate(
                tiers.position, from_us, at_us, quantities, self._context
            )
        except NotRateable as reason:
            if reason.code != CLOSED_WINDOW:
                raise
            return self._total(tiers) - tiers.posted
        return sum(amounts)

    def _book(self, before: int, after: int, at_us: int, *, is_meant: bool) -> None:
        """Let both purses pay, and count the difference where it lies in the span."""
        preview = self._preview
        if is_meant and preview.span.after_us < at_us <= preview.span.until_us:
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
        tiers = None
        if event.tariff_id == self._preview.instead_of:
            tiers = self._tiers.get(service_kind) if event.joins else None
            if tiers is None:
                tiers = self._tiers[service_kind] = _Tiers(at_us, self._draft.start(at_us))
        policy = event.policy_id if isinstance(event, facts.ServicePointAdded) else policy_id
        return _Point(event.point, service_kind, policy, tiers)

    def _again(self, event: facts.ChargeCorrected | facts.FixedFeeCharged, at_us: int) -> None:
        """Rate the tiers anew: their intervals became others, or a silent day passed."""
        tiers = None
        if event.tariff_id == self._preview.instead_of:
            tiers = self._tiers.get(kind_of(event.point))
        amount = event.amount_minor
        if tiers is not None:
            if isinstance(event, facts.ChargeCorrected):
                for gone in event.replaced:
                    tiers.intervals.pop((gone.meter_no, gone.from_us), None)
                for come in event.intervals:
                    taken = counted(self._draft, come.registers)
                    tiers.intervals[come.meter_no, come.from_us] = come.to_us, taken
                total = self._total(tiers)
            else:
                tiers.fixed_at_us = max(tiers.fixed_at_us, at_us)
                total = tiers.posted + self._silent_days(tiers)
            amount, tiers.posted = total - tiers.posted, total
        self._book(event.amount_minor, amount, at_us, is_meant=tiers is not None)

    def _total(self, tiers: _Tiers) -> int:
        ordered = sorted(
            (to_us, from_us, meter_no, quantities)
            for (meter_no, from_us), (to_us, quantities) in tiers.intervals.items()
        )
        tiers.through_us = ordered[-1][0] if ordered else 0
        start = self._draft.start(min([tiers.begun_us, *(from_us for _, from_us, _, _ in ordered)]))
        total, position = 0, start
        try:
            for to_us, from_us, _, quantities in ordered:
                position, amounts = self._draft.rate(
                    position, from_us, to_us, quantities, self._context
                )
                total += sum(amounts)
        except NotRateable as reason:
            if reason.code != CLOSED_WINDOW:
                raise
            windows = OpenWindows(self._draft, start, self._context)
            steps = [windows.take(each[1], each[0], each[3]) for each in ordered]
            total, position = sum(sum(amounts_of(each)) for each in steps), windows.position()
        tiers.position = position
        return total + (self._silent_days(tiers) if tiers.fixed_at_us else 0)

    def _silent_days(self, tiers: _Tiers) -> int:
        tiers.position, amounts = self._draft.to_fixed_only(
            tiers.position, tiers.fixed_at_us, self._context
        )
        return sum(amounts)
