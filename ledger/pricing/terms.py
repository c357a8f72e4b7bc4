"""A tariff document as tables of integers: versions, the terms of their seasons, their lines."""

from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

from ledger.pricing.calendar import FOREVER, WINDOW_MONTHS, Window, month_of
from ledger.pricing.charges import FixedCharge, FreeQuantity, Modifier, Plan, Proration
from ledger.pricing.context import Condition, condition_of
from ledger.pricing.document import Accumulation, Consumption, Rounding, Season, TariffDocument
from ledger.pricing.document import Modifier as ModifierDocument
from ledger.pricing.document import Version as VersionDocument
from ledger.pricing.exact import (
    ACCRUAL_DIGITS,
    PRICE_DIGITS,
    QUANTITY_DIGITS,
    ROUNDERS,
    Rounder,
    minor_digits,
    scaled,
)
from ledger.pricing.lines import TOTAL, charges_of, energy_registers, tracks_of
from ledger.pricing.plans import Book, plans_of, price_table, prices_in, tiers_of

TierPrices = tuple[tuple[int, ...], ...]
"""For each line the price of each register, in 10⁻⁸ of the major unit per kWh or m³."""


class Terms(NamedTuple):
    """Bounds and prices that hold the year round, or in one season."""

    season: str
    bounds: tuple[int, ...]
    """Upper bounds (inclusive) of all tiers but the last, which is open; in Wh or litres."""
    prices: tuple[TierPrices, ...]
    """For each tier."""


class LineRounding(NamedTuple):
    """How the accrual of a line becomes money: whole steps of so many minor units."""

    mode: str
    rounder: Rounder
    step: int
    """One step in units of the accrual."""
    quantum_minor: int
    again: tuple["LineRounding", ...] = ()
    """Further steps of the ladder, each from what the one before came to."""

    def minor(self, accrued: int, den: int = 1) -> int:
        """Minor units of an accrual of `accrued / den`."""
        found = self.rounder(accrued, self.step * den) * self.quantum_minor
        for rounding in self.again:
            found = rounding.of_minor(found)
        return found

    def of_minor(self, amount_minor: int) -> int:
        """Minor units of an amount that is in minor units already."""
        return self.rounder(amount_minor, self.quantum_minor) * self.quantum_minor


class Version(NamedTuple):
    """What a version of a tariff says, ready to reckon with."""

    number: int
    from_day: int
    to_day: int
    by_reading_end: bool
    """The first reading after `from_day` is charged by this version as a whole."""
    window: Window
    windows_by_reading_end: bool
    prorated: bool
    """By months in service, which the fast path knows too."""
    resets: bool
    terms: tuple[Terms, ...]
    """By season, of the charges that hold for every household: all that the fast path needs."""
    months: tuple[int, ...]
    """Index of the terms for each month of the year."""
    fixed: tuple[FixedCharge, ...]
    rounding: tuple[LineRounding, ...]
    is_monthly: bool
    """Something changes or falls due with the calendar month."""
    plans: tuple[Plan, ...]
    modifiers: tuple[Modifier, ...]
    proration: Proration
    by_register: bool
    """Each register has the bounds for itself."""
    counts_registers: bool
    """This version or another of the tariff does so: what a register passed is carried over."""
    bill_rounding: tuple[LineRounding, ...]
    """Of the sum of all lines."""
    by_purchase: bool
    lines: frozenset[int]
    """Those that its own charges have."""
    is_simple: bool
    """The fast path rates it, for a household that fulfils no condition."""

    @property
    def is_billed(self) -> bool:
        """Whether its windows run from bill to bill."""
        return not self.window.months

    def season(self, day: int) -> int:
        """Index of the terms that hold on that day."""
        return self.months[month_of(day) % 12] if len(self.terms) > 1 else 0

    def bounds(
        self, season: int, window_from: int, in_service_from: int
    ) -> tuple[tuple[int, ...], int]:
        """Bounds in force as numerators over one denominator, prorated by months in service."""
        bounds = self.terms[season].bounds
        if not self.prorated or in_service_from <= window_from:
            return bounds, 1
        share = Fraction(self.window.months_left(window_from, in_service_from), self.window.months)
        return tuple(bound * share.numerator for bound in bounds), share.denominator


def versions_of(document: TariffDocument) -> tuple[Version, ...]:
    """Every version with its tables over all lines of the tariff."""
    book = Book(document, tracks_of(document), energy_registers(document))
    roundings: dict[str, LineRounding] = {}
    versions = []
    for number, version in enumerate(document.versions):
        roundings |= _roundings(version, document.currency)
        default = _rounding(version.rounding, document.currency)
        # A line that this version lacks keeps its last rounding, and so its last amount.
        rounding = tuple(roundings.get(line, default) for line in book.tracks)
        versions.append(_version(number, version, book, rounding))
    return tuple(versions)


def _version(
    number: int, version: VersionDocument, book: Book, rounding: tuple[LineRounding, ...]
) -> Version:
    accumulation = version.accumulation
    terms = tuple(_terms(version, season, book) for season in (None, *version.seasons))
    plans = plans_of(version, book)
    fixed = tuple(fee for fee in plans[0].fixed if fee.condition is None and fee.amount)
    months_matter = any(fee.per in MONTHLY for plan in plans for fee in plan.fixed)
    totals = [ladder.rounding for ladder in version.bill_rounding if ladder.line == TOTAL]
    modes = {each.tou_tier_mode for each in book.document.versions}
    found = Version(
        number=number,
        from_day=_day(version.effective_from),
        to_day=FOREVER if version.effective_to is None else _day(version.effective_to),
        by_reading_end=version.applies == "by_reading_end",
        window=Window(WINDOW_MONTHS[accumulation.window], accumulation.anchor_month),
        windows_by_reading_end=accumulation.period_attribution == "by_reading_end",
        prorated=accumulation.proration.method == "months_in_service",
        resets=accumulation.on_version_change == "reset",
        terms=terms,
        months=_terms_by_month(version.seasons),
        fixed=fixed,
        rounding=rounding,
        is_monthly=len(terms) > 1 or (months_matter and accumulation.window != "billing_period"),
        plans=plans,
        modifiers=tuple(_modifier(each) for each in version.modifiers),
        proration=_proration(accumulation),
        by_register=version.tou_tier_mode == "per_register",
        counts_registers="per_register" in modes,
        bill_rounding=tuple(_rounding(rounding, book.document.currency) for rounding in totals),
        by_purchase=accumulation.basis == "purchase",
        lines=frozenset(book.track(charge.id) for charge in charges_of(version)),
        is_simple=False,
    )
    return found._replace(is_simple=_is_simple(found, book))


def _is_simple(version: Version, book: Book) -> bool:
    """Only prices, fixed amounts and bounds that are the same for every household."""
    plan = version.plans[0]
    return (
        len(version.plans) == 1
        and len(book.energy) == len(book.document.registers)
        and not (version.is_billed or version.counts_registers or version.by_purchase)
        and not version.bill_rounding
        and version.proration.method in {"none", "months_in_service"}
        and version.proration.factor_quantum is None
        and version.proration.tier_quantum is None
        and all(limit.per == "window" for limits in plan.limits for limit in limits)
        and all(charge.over is None for charge in plan.consumption)
        and all(fee.times is None for fee in plan.fixed)
        and all(
            isinstance(charge, FreeQuantity) and charge.condition is not None
            for charge in plan.computed
        )
    )


def conditions_of(version: Version) -> frozenset[Condition]:
    """All that a version may ask of a household."""
    charges = [
        charge
        for plan in version.plans
        for charge in (*plan.consumption, *plan.fixed, *plan.computed)
    ]
    asked = {charge.condition for charge in charges if charge.condition is not None}
    return frozenset(asked | {modifier.condition for modifier in version.modifiers})


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def _terms_by_month(seasons: list[Season]) -> tuple[int, ...]:
    by_month = {
        month: number for number, season in enumerate(seasons, start=1) for month in season.months
    }
    return tuple(by_month.get(month, 0) for month in range(1, 13))


def _terms(version: VersionDocument, season: Season | None, book: Book) -> Terms:
    tiers = tiers_of(season, version.tiers)
    tables = {
        charge.id: price_table(prices_in(charge, season), len(tiers), book.energy)
        for charge in version.charges
        if isinstance(charge, Consumption) and charge.when is None
    }
    nothing = ((0,) * len(book.energy),) * len(tiers)
    return Terms(
        season="" if season is None else season.id,
        bounds=tuple(scaled(tier.upto, QUANTITY_DIGITS) for tier in tiers if tier.upto is not None),
        prices=tuple(zip(*(tables.get(line, nothing) for line in book.tracks), strict=True)),
    )


def _modifier(document: ModifierDocument) -> Modifier:
    condition = condition_of(document.when)
    assert condition is not None  # noqa: S101 - the document requires one
    tiers = document.only_tiers
    first = 0 if tiers is not None and 0 in tiers else 1
    rate = document.rate if document.effect == "flat_price" else None
    return Modifier(
        id=document.id,
        condition=condition,
        per_month=scaled(document.per_month or "0", QUANTITY_DIGITS),
        per_extra_person=bool(document.per_extra_person),
        tiers=None if tiers is None else frozenset(tier - first for tier in tiers),
        flat_price=None if rate is None else scaled(rate, PRICE_DIGITS),
        valid_months=None if document.valid_years is None else document.valid_years * 12,
        rerates=document.change == "rerate_window",
        at_once=begins_at_once(document.starts),
    )


MONTHLY: Final = frozenset({"month", "first_purchase_of_month"})
_AT_ONCE: Final = frozenset({"at_once", "immediately", "same_month"})
"""How a tariff says that an allowance counts for the month of the change.

Whatever else it says is the first of the month after it, as notices have it (R8).
"""


def begins_at_once(starts: str | None) -> bool:
    """Whether an allowance counts for the month in which it was told, not from the next one on."""
    return (starts or "").lower().replace(" ", "_") in _AT_ONCE


def _proration(accumulation: Accumulation) -> Proration:
    rule = accumulation.proration
    tier_quantum = rule.tier_quantum
    return Proration(
        method=rule.method,
        base_days=rule.base_days,
        factor_quantum=None if rule.factor_quantum is None else Fraction(rule.factor_quantum),
        tier_quantum=None if tier_quantum is None else Fraction(tier_quantum) * 10**QUANTITY_DIGITS,
    )


def _roundings(version: VersionDocument, currency: str) -> dict[str, LineRounding]:
    ladders = {
        charge.id: _rounding(charge.rounding or version.rounding, currency)
        for charge in charges_of(version)
    }
    for ladder in version.bill_rounding:
        if ladder.line in ladders:
            before = ladders[ladder.line]
            again = (*before.again, _rounding(ladder.rounding, currency))
            ladders[ladder.line] = before._replace(again=again)
    return ladders


def _rounding(rounding: Rounding, currency: str) -> LineRounding:
    digits = minor_digits(currency)
    quantum = Fraction(rounding.quantum) * 10**digits
    quantum_minor = 1 if quantum < 1 else quantum.numerator  # Nothing is finer than the money.
    return LineRounding(
        mode=rounding.mode,
        rounder=ROUNDERS[rounding.mode],
        step=quantum_minor * 10 ** (ACCRUAL_DIGITS - digits),
        quantum_minor=quantum_minor,
    )
