"""Preview of a draft (资费试算): accounts rated again on their real history, and nothing written.

Pure: it is handed an account's facts in order. Baseline and draft go through the same reckoning,
so a draft that equals the tariff in force differs in nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from ledger.aggregates.account import Account
from ledger.aggregates.account.control import NO_DAYS, Terms
from ledger.aggregates.account.sharing import kind_of
from ledger.events import account as facts
from ledger.events.registry import decode
from ledger.previewing.purse import Purse, next_due_us
from ledger.previewing.summary import Outcome
from ledger.previewing.tiers import Tiers
from ledger.previewing.turns import CHARGED, Span, Told, Turns
from ledger.previewing.unit_sales import UnitRun
from ledger.pricing import CompiledTariff, NotRateable
from ledger.pricing.context import Context
from ledger.pricing.hours import counted
from ledger.pricing.vending import sells_units
from ledger.values import closing_day


class _Charged(msgspec.Struct, gc=False):
    """What a preview needs of a charge: the rest of the payload is passed over."""

    point: str
    meter_no: str
    from_us: int
    registers: dict[str, tuple[int, int, int]]
    amount_minor: int


_charged: Final = msgspec.json.Decoder(_Charged).decode


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

    def outcome(self, history: Sequence[Told]) -> Outcome:
        """What an account would have paid; its facts come in order of version."""
        if not self.sells_units:
            try:
                return _Run(self).take(history)
            except _UnitsSoldError:
                pass
        return UnitRun(self).take(history)


class _UnitsSoldError(Exception):
    """The account buys units: what it pays follows from what it bought."""


class _Run(Turns):
    """One account on its way through its facts."""

    def __init__(self, preview: Preview) -> None:
        super().__init__(preview.span)
        self._preview = preview
        self._draft = preview.draft
        self._account = Account(0, "")
        """What it is but for its money: that is in the purses."""
        self._context: Context | None = None
        self._tiers_of: dict[str, Tiers | None] = {}
        """By point; without tiers its tariff is not the one in question."""
        self._tiers: dict[str, Tiers] = {}
        """By service kind."""
        self._purses = self._now, self._then = Purse(), Purse()
        self._outcome = Outcome()

    def take(self, history: Iterable[Told]) -> Outcome:
        """Every fact in turn."""
        outcome = self._outcome
        try:
            self.go(history)
        except NotRateable as reason:
            outcome.refused = reason.code
        outcome.account_no = self._account.account_no
        outcome.levels_before, outcome.levels_after = self._now.highest, self._then.highest
        return outcome

    # ------------------------------------------------------------ levels

    def next_due_us(self) -> int:
        """When the next trip falls due that was put off; 0 where none was."""
        return next_due_us(self._purses)

    def decide(self, at_us: int) -> None:
        """Decide about every point by either purse."""
        account, is_counted = self._account, self.span.covers(at_us)
        for point in account.points:
            terms = self._preview.terms.get(point.policy_id)
            if terms is not None:
                for purse in self._purses:
                    purse.decide(account, point, terms, at_us, is_counted=is_counted)

    def protect(self, at_us: int) -> None:
        """Look again whether points may be cut."""
        for purse in self._purses:
            purse.protect(self._account, at_us, is_counted=self.span.covers(at_us))

    # ------------------------------------------------------------ facts

    def fold(self, told: Told) -> None:
        """Let both purses pay or receive what a fact says."""
        if told.topic == CHARGED:
            self._charge(_charged(told.payload), told.at_us)
        else:
            self._other(decode(told.topic, told.payload), told.at_us)

    def _charge(self, event: _Charged, at_us: int) -> None:
        tiers = self._tiers_of[event.point]
        amount = event.amount_minor
        if tiers is not None:
            quantities = counted(self._draft, event.registers)
            place = event.meter_no, event.from_us
            amount = tiers.take(place, at_us, quantities, self._context)
            self._outcome.intervals += 1
        self._book(event.amount_minor, amount, at_us, is_meant=tiers is not None)

    def _book(self, before: int, after: int, at_us: int, *, is_meant: bool) -> None:
        """Let both purses pay, and count the difference where it lies in the span."""
        if is_meant and self.span.covers(at_us):
            self._outcome.before_minor += before
            self._outcome.after_minor += after
        self._now.pay(before)
        self._then.pay(after)
        if self._preview.looks_at_days:
            day = closing_day(self._account.timezone, at_us)
            self._now.note(before, day)
            self._then.note(after, day)

    def _other(self, event: Any, at_us: int) -> None:  # noqa: ANN401 - one of many facts
        match event:
            case facts.ChargeCorrected() | facts.FixedFeeCharged():
                self._again(event, at_us)
            case facts.AccountCredited() | facts.CreditReversed() | facts.AccountAdjusted():
                for purse in self._purses:
                    purse.receive(event.paid_minor + event.granted_minor)
            case facts.UnitsSold() | facts.UnitsReturned():
                raise _UnitsSoldError
            case _:
                self._account.evolve(event, at_us)
                self._context = self._account.rating_context()
                self._fitted(event, at_us)

    def _fitted(self, event: Any, at_us: int) -> None:  # noqa: ANN401 - one of many facts
        """What became of a point or its meter."""
        match event:
            case facts.ServicePointAdded():
                self._forget(event.point)
                self._begin(event, at_us)
            case facts.TariffAssigned():
                self._begin(event, event.from_us)
            case facts.MeterReplaced():
                tiers = self._tiers_of[event.point]
                if tiers is not None:
                    tiers.replace(event, at_us)
            case facts.ServicePointRemoved():
                self._forget(event.point)
            case _:
                pass

    def _forget(self, point: str) -> None:
        for purse in self._purses:
            purse.forget(point)
        self._tiers_of.pop(point, None)

    def _begin(self, event: facts.ServicePointAdded | facts.TariffAssigned, at_us: int) -> None:
        """Let a point count towards tiers under the draft, where its tariff is in question."""
        tiers, kind = None, kind_of(event.point)
        if event.tariff_id == self._preview.instead_of:
            tiers = self._tiers.get(kind) if event.joins else None
            if tiers is None:
                tiers = self._tiers[kind] = Tiers(self._draft, at_us)
        self._tiers_of[event.point] = tiers

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
