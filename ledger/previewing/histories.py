"""Preview of a draft (资费试算): accounts rated again on their real history, and nothing written.

Pure: it is handed an account's facts in order. Baseline and draft go through the same reckoning,
so a draft that equals the tariff in force differs in nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from ledger.aggregates.account import Account
from ledger.aggregates.account.control import NO_DAYS, Terms
from ledger.aggregates.account.sharing import kind_of
from ledger.events import account as facts
from ledger.events.registry import decode
from ledger.previewing.purse import Purse
from ledger.previewing.summary import Outcome
from ledger.previewing.tiers import Tiers
from ledger.previewing.unit_sales import UnitRun
from ledger.pricing import CompiledTariff, NotRateable
from ledger.pricing.context import Context
from ledger.pricing.hours import counted
from ledger.pricing.vending import sells_units
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
        facts.MeterReplaced,
        facts.TariffAssigned,
        facts.PolicyAssigned,
        facts.AccountCharged,
        facts.ChargeCorrected,
        facts.FixedFeeCharged,
        facts.UnitsSold,
        facts.UnitsReturned,
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
    """A service point; without tiers its tariff is not the one in question."""

    name: str
    service_kind: str
    policy_id: str
    tiers: Tiers | None


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
        self.sells_units = sells_units(draft)

    def outcome(self, history: Sequence[Fact]) -> Outcome:
        """What an account would have paid; its facts come in order of version."""
        if not self.sells_units:
            try:
                return _Run(self).take(history)
            except _UnitsSoldError:
                pass
        return UnitRun(self).take(history)


class _UnitsSoldError(Exception):
    """The account buys units: what it pays follows from what it bought."""


class _Run:
    """One account on its way through its facts."""

    def __init__(self, preview: Preview) -> None:
        self._preview = preview
        self._draft = preview.draft
        self._account = Account(0, "")
        self._context: Context | None = None
        self._points: dict[str, _Point] = {}
        self._tiers: dict[str, Tiers] = {}
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
            place = event.meter_no, event.from_us
            amount = tiers.take(place, at_us, quantities, self._context)
            self._outcome.intervals += 1
        self._book(event.amount_minor, amount, at_us, is_meant=tiers is not None)

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
            case facts.ChargeCorrected() | facts.FixedFeeCharged():
                self._again(event, at_us)
            case facts.AccountCredited() | facts.CreditReversed() | facts.AccountAdjusted():
                moved = event.paid_minor + event.granted_minor
                for purse in (self._now, self._then):
                    purse.receive(moved)
                self._decide()
            case facts.UnitsSold() | facts.UnitsReturned():
                raise _UnitsSoldError
            case _:
                self._fitted(event, at_us)

    def _fitted(self, event: Any, at_us: int) -> None:  # noqa: ANN401 - one of many facts
        """What became of a point or its meter."""
        match event:
            case facts.ServicePointAdded():
                for purse in (self._now, self._then):
                    purse.begin(event.point)
                self._points[event.point] = self._begun(event, event.service_kind, at_us)
            case facts.TariffAssigned():
                kind = self._points[event.point].service_kind
                policy_id = self._points[event.point].policy_id
                self._points[event.point] = self._begun(event, kind, event.from_us, policy_id)
            case facts.MeterReplaced():
                tiers = self._points[event.point].tiers
                if tiers is not None:
                    tiers.replace(event, at_us)
            case facts.ServicePointRemoved():
                self._points.pop(event.point, None)
            case _:
                self._points[event.point].policy_id = event.policy_id
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
                tiers = self._tiers[service_kind] = Tiers(self._draft, at_us)
        policy = event.policy_id if isinstance(event, facts.ServicePointAdded) else policy_id
        return _Point(event.point, service_kind, policy, tiers)

    def _again(self, event: facts.ChargeCorrected | facts.FixedFeeCharged, at_us: int) -> None:
        """Rate the tiers anew: their intervals became others, or a silent day passed."""
        tiers = None
        if event.tariff_id == self._preview.instead_of:
            tiers = self._tiers.get(kind_of(event.point))
        amount = event.amount_minor
        if tiers is not None and isinstance(event, facts.ChargeCorrected):
            amount = tiers.correct(event, self._context)
        elif tiers is not None:
            amount = tiers.stay_silent(at_us, self._context)
        self._book(event.amount_minor, amount, at_us, is_meant=tiers is not None)
