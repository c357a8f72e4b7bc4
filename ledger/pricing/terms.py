"""A tariff document as tables of integers: versions, the terms of their seasons, their lines."""

from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

from ledger.pricing.calendar import FOREVER, WINDOW_MONTHS, Window, month_of
from ledger.pricing.document import (
    Consumption,
    Fixed,
    Prices,
    Rounding,
    Season,
    TariffDocument,
    Tier,
)
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
from ledger.pricing.position import Line

FIXED_DIGITS: Final = ACCRUAL_DIGITS

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

    def minor(self, accrued: int, den: int = 1) -> int:
        """Minor units of an accrual of `accrued / den`."""
        return self.rounder(accrued, self.step * den) * self.quantum_minor


class FixedCharge(NamedTuple):
    """An amount that is due once per day, month or window, whatever is used."""

    line: int
    per: str
    amount: int
    """In units of the accrual."""


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
    resets: bool
    terms: tuple[Terms, ...]
    months: tuple[int, ...]
    """Index of the terms for each month of the year."""
    fixed: tuple[FixedCharge, ...]
    rounding: tuple[LineRounding, ...]
    is_monthly: bool
    """Something changes or falls due with the calendar month."""

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


def lines_of(document: TariffDocument) -> tuple[Line, ...]:
    """Lines of all versions in the order in which they first appear."""
    lines: dict[str, Line] = {}
    for version in document.versions:
        for charge in version.charges:
            rate = charge.tax_rate or document.tax.rate
            vat = Fraction(rate or 0)
            line = Line(charge.id, charge.gl, (vat.numerator, vat.denominator))
            lines.setdefault(charge.id, line)
    return tuple(lines.values())


def versions_of(document: TariffDocument) -> tuple[Version, ...]:
    """Every version with its tables over all lines of the tariff."""
    lines = [line.id for line in lines_of(document)]
    roundings: dict[str, LineRounding] = {}
    versions = []
    for number, version in enumerate(document.versions):
        roundings |= _roundings(version, document.currency)
        default = _rounding(version.rounding, document.currency)
        versions.append(
            _version(
                number,
                version,
                lines,
                document.registers,
                # A line that this version lacks keeps its last rounding, and so its last amount.
                tuple(roundings.get(line, default) for line in lines),
            )
        )
    return tuple(versions)


def _version(
    number: int,
    version: VersionDocument,
    lines: list[str],
    registers: list[str],
    rounding: tuple[LineRounding, ...],
) -> Version:
    accumulation = version.accumulation
    terms = [_terms(version, season, lines, registers) for season in (None, *version.seasons)]
    fixed = _fixed_charges(version, lines)
    return Version(
        number=number,
        from_day=_day(version.effective_from),
        to_day=FOREVER if version.effective_to is None else _day(version.effective_to),
        by_reading_end=version.applies == "by_reading_end",
        window=Window(WINDOW_MONTHS[accumulation.window], accumulation.anchor_month),
        windows_by_reading_end=accumulation.period_attribution == "by_reading_end",
        prorated=accumulation.proration.method == "months_in_service",
        resets=accumulation.on_version_change == "reset",
        terms=tuple(terms),
        months=_terms_by_month(version.seasons),
        fixed=fixed,
        rounding=rounding,
        is_monthly=len(terms) > 1 or any(charge.per == "month" for charge in fixed),
    )


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def _terms_by_month(seasons: list[Season]) -> tuple[int, ...]:
    by_month = {
        month: number for number, season in enumerate(seasons, start=1) for month in season.months
    }
    return tuple(by_month.get(month, 0) for month in range(1, 13))


def _terms(
    version: VersionDocument, season: Season | None, lines: list[str], registers: list[str]
) -> Terms:
    tiers: list[Tier] = version.tiers
    if season is not None and season.tiers is not None:
        tiers = season.tiers
    tables = {}
    for charge in version.charges:
        if isinstance(charge, Consumption):
            prices: Prices | str = charge.rates if charge.rates is not None else charge.rate or "0"
            if season is not None:
                prices = season.rates.get(charge.id, prices)
            tables[charge.id] = _price_table(prices, len(tiers), registers)
    nothing = [(0,) * len(registers)] * len(tiers)
    return Terms(
        season="" if season is None else season.id,
        bounds=tuple(scaled(tier.upto, QUANTITY_DIGITS) for tier in tiers if tier.upto is not None),
        prices=tuple(zip(*(tables.get(line, nothing) for line in lines), strict=True)),
    )


def _price_table(prices: Prices | str, tiers: int, registers: list[str]) -> list[tuple[int, ...]]:
    """For each tier the price of each register."""
    if isinstance(prices, str):
        prices = [prices] * tiers
    if isinstance(prices, list):
        prices = dict.fromkeys(registers, prices)
    columns = [[scaled(price, PRICE_DIGITS) for price in prices[name]] for name in registers]
    return list(zip(*columns, strict=True))


def _fixed_charges(version: VersionDocument, lines: list[str]) -> tuple[FixedCharge, ...]:
    charges = [
        FixedCharge(lines.index(charge.id), charge.per, scaled(charge.amount or "0", FIXED_DIGITS))
        for charge in version.charges
        if isinstance(charge, Fixed)
    ]
    return tuple(charge for charge in charges if charge.amount)


def _roundings(version: VersionDocument, currency: str) -> dict[str, LineRounding]:
    return {
        charge.id: _rounding(charge.rounding or version.rounding, currency)
        for charge in version.charges
    }


def _rounding(rounding: Rounding, currency: str) -> LineRounding:
    quantum_minor = scaled(rounding.quantum, minor_digits(currency))
    return LineRounding(
        mode=rounding.mode,
        rounder=ROUNDERS[rounding.mode],
        step=quantum_minor * 10 ** (ACCRUAL_DIGITS - minor_digits(currency)),
        quantum_minor=quantum_minor,
    )
