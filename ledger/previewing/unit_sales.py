"""Accounts that buy units, under a draft (售电试算): every payment and reading decided again.

What a payment buys follows from what is owed, and what a reading costs from what was bought. So
the account is folded whole, as it was and as it would have been, by the rules that it lives by.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.consumption import Quarantine, charge
from ledger.aggregates.account.fixed_fees import charge_day
from ledger.aggregates.account.intervals import Known
from ledger.aggregates.account.read_back import READ_BACK
from ledger.aggregates.account.rerating import change_of, correct_charge
from ledger.aggregates.account.sales import Offer, give_all_back, give_back, sell
from ledger.aggregates.account.units import total_of
from ledger.events import Event
from ledger.events import account as facts
from ledger.events.registry import decode
from ledger.previewing.purse import Purse, next_due_us
from ledger.previewing.summary import Outcome
from ledger.previewing.turns import Told, Turns
from ledger.pricing import NotRateable
from ledger.pricing.position import SOLD_IN_UNITS
from ledger.pricing.vending import TOO_SMALL, sells_units

if TYPE_CHECKING:
    from ledger.previewing.histories import Preview

DRAFT = 0
"""Publication number of what was never published."""
Metered = facts.AccountCharged | facts.ChargeCorrected | facts.FixedFeeCharged
Charge = TypeVar("Charge", facts.AccountCharged, facts.ChargeCorrected)
Moved = Metered | facts.UnitsSold | facts.UnitsReturned


class UnitRun(Turns):
    """One account on its way through its facts, as it was and as it would have been."""

    def __init__(self, preview: "Preview") -> None:
        super().__init__(preview.span)
        self._preview = preview
        self._draft = preview.draft
        self._now, self._then = Account(0, ""), Account(0, "")
        self._known: list[Known] = []
        """What tells of intervals, as it would have been recorded."""
        self._sales: dict[str, facts.UnitsSold] = {}
        """The draft's, by receipt."""
        self._purses = (Purse(), Purse())
        self._outcome = Outcome(sells_units=True)

    def take(self, history: Iterable[Told]) -> Outcome:
        """Every fact in turn."""
        outcome = self._outcome
        try:
            self.go(history)
        except NotRateable as reason:
            outcome.refused = reason.code
        outcome.account_no = self._now.account_no
        outcome.levels_before, outcome.levels_after = (each.highest for each in self._purses)
        return outcome

    def next_due_us(self) -> int:
        """When the next trip falls due that was put off; 0 where none was."""
        return next_due_us(self._purses)

    def fold(self, told: Told) -> None:
        """Bring a fact into the account as it was, and what it would have been into the other."""
        event, at_us = decode(told.topic, told.payload), told.at_us
        is_meant = self._is_meant(event)
        came = list(self._decided(event, at_us)) if is_meant else [event]
        self._now.evolve(event, at_us)
        for each in came:
            self._then.evolve(each, at_us)
            if each.TOPIC in READ_BACK:
                self._known.append(Known(each, at_us))
        self._outcome.intervals += is_meant and isinstance(event, facts.AccountCharged)
        if isinstance(event, facts.ServicePointAdded | facts.ServicePointRemoved):
            for purse in self._purses:
                purse.forget(event.point)
        if is_meant and self.span.covers(at_us):
            self._outcome.before_minor += _charged(event)
            self._outcome.after_minor += sum(map(_charged, came))
            self._outcome.units_before += _bought(event)
            self._outcome.units_after += sum(map(_bought, came))

    def _is_meant(self, event: Event) -> bool:
        """Whether a fact would have been another one under the draft."""
        replaced = self._preview.instead_of
        if isinstance(event, facts.ServicePointAdded | facts.TariffAssigned):
            return event.tariff_id == replaced
        return isinstance(event, Moved) and event.tariff_id == replaced

    def _decided(self, event: Any, at_us: int) -> Iterable[Event]:  # noqa: ANN401 - one of many facts
        """What would have been recorded in the place of a fact."""
        if isinstance(event, facts.ServicePointAdded | facts.TariffAssigned):
            begun_us = at_us if isinstance(event, facts.ServicePointAdded) else event.from_us
            position = self._draft.start(begun_us)
            yield msgspec.structs.replace(
                event, tariff_id=self._draft.tariff_id, position=position, joins=False
            )
            return
        points = [each for each in self._then.points if each.name == event.point]
        match event:
            case facts.ChargeCorrected():
                yield self._corrected(event, at_us)
            case _ if not points:
                pass
            case facts.AccountCharged():
                yield self._read(event, points[0], at_us)
            case facts.FixedFeeCharged():
                fee = charge_day(self._then, points[0], self._draft, DRAFT, at_us)
                yield from [] if fee is None or sells_units(self._draft) else [fee]
            case facts.UnitsSold():
                yield from self._sold(event, points[0], at_us)
            case _:
                yield from self._given_back(event, points[0], at_us)

    def _read(self, event: facts.AccountCharged, point: Point, at_us: int) -> facts.AccountCharged:
        if event.units is None and sells_units(self._draft):
            message = "The account pays for what is read; the draft sells units."
            raise NotRateable(SOLD_IN_UNITS, message)
        shown = {name: after for name, (_, after, _) in event.registers.items()}
        return _sound(charge(self._then, point, at_us, shown, self._draft, DRAFT, at_us))

    def _corrected(self, event: facts.ChargeCorrected, at_us: int) -> facts.ChargeCorrected:
        newest_first = reversed(self._known)
        change = change_of(self._then, event, at_us, self._draft, newest_first)
        if isinstance(change, str):
            raise NotRateable("not_explained", f"A correction does not follow: {change}.")
        return _sound(correct_charge(self._then, change, self._draft, DRAFT))

    def _sold(self, event: facts.UnitsSold, point: Point, at_us: int) -> Iterable[Event]:
        """What the payment would have bought; too small a one buys with the next."""
        if sells_units(self._draft):
            offer = Offer(event.receipt_no, event.paid_minor, at_us, event.channel_fee_minor)
            try:
                sold = sell(self._then, point, self._draft, DRAFT, offer)
            except NotRateable as reason:
                if reason.code != TOO_SMALL:
                    raise
            else:
                self._sales[event.receipt_no] = sold
                yield sold

    def _given_back(self, event: facts.UnitsReturned, point: Point, at_us: int) -> Iterable[Event]:
        if not event.receipt_no:
            yield from give_all_back(self._then, point, at_us, event.reason)
        elif event.receipt_no in self._sales:
            yield give_back(self._then, point, self._sales[event.receipt_no], event.reason)

    def decide(self, at_us: int) -> None:
        """Decide about every point, as it was and as it would have been."""
        is_counted = self.span.covers(at_us)
        for account, purse in zip((self._now, self._then), self._purses, strict=True):
            purse.has_moved, purse.week = account.has_moved, account.week
            for point in account.points:
                terms = self._preview.terms.get(point.policy_id)
                if terms is not None:
                    purse.available = account.available_at(point)
                    purse.decide(account, point, terms, at_us, is_counted=is_counted)

    def protect(self, at_us: int) -> None:
        """Look again whether points may be cut."""
        for account, purse in zip((self._now, self._then), self._purses, strict=True):
            purse.protect(account, at_us, is_counted=self.span.covers(at_us))


def _sound(fact: Charge | Quarantine) -> Charge:
    if isinstance(fact, Quarantine):
        raise NotRateable(fact.code, fact.reason)
    return fact


def _charged(event: Event) -> int:
    """What a fact charges: supply that was read, or what a purchase bears itself."""
    if isinstance(event, facts.UnitsSold | facts.UnitsReturned):
        return total_of(event.lines)
    return event.amount_minor if isinstance(event, Metered) else 0


def _bought(event: Event) -> int:
    """Wh or litres that a purchase brought, or took back."""
    match event:
        case facts.UnitsSold():
            return event.units.quantity
        case facts.UnitsReturned():
            return -event.units.quantity
        case _:
            return 0
