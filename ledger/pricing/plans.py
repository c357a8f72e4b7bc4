"""Charges of a tariff document as tables over its lines: the schedules of a version."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ledger.pricing.charges import (
    Computed,
    ConsumptionCharge,
    Demand,
    FixedCharge,
    FreeQuantity,
    Limit,
    Minimum,
    Percent,
    Plan,
    PowerFactor,
    PriceTable,
    TierReached,
)
from ledger.pricing.context import condition_of
from ledger.pricing.document import (
    AdjustmentTable,
    Capacity,
    Charge,
    Consumption,
    Fixed,
    Prices,
    Schedule,
    Season,
    TariffDocument,
    Tier,
    Version,
)
from ledger.pricing.document import Demand as DemandDocument
from ledger.pricing.document import FreeQuantity as FreeDocument
from ledger.pricing.document import Minimum as MinimumDocument
from ledger.pricing.document import Percent as PercentDocument
from ledger.pricing.exact import ACCRUAL_DIGITS, PRICE_DIGITS, QUANTITY_DIGITS, scaled
from ledger.pricing.lines import TAX_LINE, floor_of, is_taxed_outside


class Book(NamedTuple):
    """Names that the numbers of all tables stand for."""

    document: TariffDocument
    tracks: tuple[str, ...]
    """Lines, and behind them what is accrued without being shown."""
    energy: tuple[str, ...]
    """Registers that count a quantity which has a price."""

    def track(self, name: str) -> int:
        return self.tracks.index(name)


def plans_of(version: Version, book: Book) -> tuple[Plan, ...]:
    """The version's one schedule, or those that its total chooses from."""
    schedules: Sequence[Schedule | None] = version.schedule_by_total or [None]
    return tuple(_plan(version, schedule, book) for schedule in schedules)


def _plan(version: Version, schedule: Schedule | None, book: Book) -> Plan:
    charges, own, upto = list(version.charges), None, None
    if schedule is not None:
        charges, own = [*version.charges, *schedule.charges], schedule.tiers
        upto = None if schedule.upto is None else scaled(schedule.upto, QUANTITY_DIGITS)
    seasons = (None, *version.seasons)
    tiers = [tiers_of(season, version.tiers, own) for season in seasons]
    consumption = tuple(
        _consumption(charge, seasons, tiers, book)
        for charge in charges
        if isinstance(charge, Consumption)
    )
    computed = [
        found for charge in charges if (found := _computed(charge, charges, book)) is not None
    ]
    if is_taxed_outside(book.document):
        computed.append(_tax(charges, book))
    return Plan(
        upto=upto,
        limits=tuple(map(limits_of, tiers)),
        consumption=consumption,
        fixed=tuple(fee for charge in charges if (fee := _fixed(charge, book)) and fee.amount),
        computed=tuple(_in_order(computed)),
        kva=next(filter(None, map(kva_attribute, charges)), None),
    )


def kva_attribute(charge: Charge) -> str | None:
    """The attribute that tells the kVA, where the charge names it."""
    if isinstance(charge, Capacity) and charge.per == "kva_month":
        return charge.quantity_attribute
    return None


def tiers_of(season: Season | None, tiers: list[Tier], own: list[Tier] | None = None) -> list[Tier]:
    """The tiers that hold in a season; a schedule's own ones hold in all."""
    if own is not None:
        return own
    return tiers if season is None or season.tiers is None else season.tiers


def limits_of(tiers: list[Tier]) -> tuple[Limit, ...]:
    """Bounds of all tiers but the last, which is open."""
    return tuple(
        Limit(scaled(tier.upto, QUANTITY_DIGITS), tier.per)
        for tier in tiers
        if tier.upto is not None
    )


def price_table(prices: Prices | str, tiers: int, registers: Sequence[str]) -> PriceTable:
    """For each tier the price of each register."""
    if isinstance(prices, str):
        prices = [prices] * tiers
    if isinstance(prices, list):
        prices = dict.fromkeys(registers, prices)
    columns = [[scaled(price, PRICE_DIGITS) for price in prices[name]] for name in registers]
    return tuple(zip(*columns, strict=True))


def prices_in(charge: Consumption, season: Season | None) -> Prices | str:
    """What a charge says of its prices in a season."""
    prices: Prices | str = charge.rates if charge.rates is not None else charge.rate or "0"
    return prices if season is None else season.rates.get(charge.id, prices)


def _consumption(
    charge: Consumption,
    seasons: Sequence[Season | None],
    tiers: Sequence[list[Tier]],
    book: Book,
) -> ConsumptionCharge:
    tables = [
        price_table(prices_in(charge, season), len(held), book.energy)
        for season, held in zip(seasons, tiers, strict=True)
    ]
    over = charge.on_excess_over
    return ConsumptionCharge(
        line=book.track(charge.id),
        condition=condition_of(charge.when),
        over=None if over is None else scaled(over, QUANTITY_DIGITS),
        is_tiered=charge.rates is not None,
        prices=tuple(tables),
    )


def _fixed(charge: Charge, book: Book) -> FixedCharge | None:
    condition = condition_of(charge.when)
    per: str
    match charge:
        case Fixed() if charge.amount is not None:
            line, per, amount = book.track(charge.id), charge.per, charge.amount
        case MinimumDocument():
            line, per, amount = book.track(floor_of(charge.id)), charge.per, charge.amount
        case Capacity():
            line, per, amount = book.track(charge.id), "month", charge.rate
        case _:
            return None
    times = charge.quantity_attribute if isinstance(charge, Capacity) else None
    return FixedCharge(line, per, scaled(amount, ACCRUAL_DIGITS), condition, times)


def _computed(charge: Charge, charges: list[Charge], book: Book) -> Computed | None:
    line, condition = book.track(charge.id), condition_of(charge.when)
    match charge:
        case Fixed() if charge.amount_by_tier_reached is not None:
            amounts = tuple(Fraction(amount) for amount in charge.amount_by_tier_reached)
            return TierReached(line, condition, amounts)
        case PercentDocument():
            rate = Fraction(charge.rate)
            known = {each.id for each in charges}
            shares = tuple((book.track(name), rate) for name in charge.of if name in known)
            return Percent(line, condition, shares)
        case AdjustmentTable():
            steps = tuple(
                (_hundredths(step.from_), _hundredths(step.to), Fraction(step.percent_per_001))
                for step in charge.steps
            )
            known = {each.id for each in charges}
            of = tuple(book.track(name) for name in charge.of if name in known)
            return PowerFactor(line, condition, of, _hundredths(charge.standard), steps)
        case FreeDocument():
            return _free(charge, charges, book)
        case MinimumDocument():
            of = tuple(book.track(name) for name in _topped_up(charge, charges))
            return Minimum(line, condition, of, book.track(floor_of(charge.id)))
        case DemandDocument():
            return _demand(charge, book)
        case _:
            return None


def _free(charge: FreeDocument, charges: list[Charge], book: Book) -> FreeQuantity:
    rate = None
    if charge.effect == "credit":
        rate = Fraction(charge.at_rate or first_price(charges) or "0")
    return FreeQuantity(
        line=book.track(charge.id),
        condition=condition_of(charge.when),
        per_month=scaled(charge.per_month, QUANTITY_DIGITS),
        rate=rate,
    )


def first_price(charges: Sequence[Charge]) -> str | None:
    """Price of the first tier of the first tiered charge; None where registers differ."""
    for charge in charges:
        if isinstance(charge, Consumption) and isinstance(charge.rates, list):
            return charge.rates[0]
    return None


def _demand(charge: DemandDocument, book: Book) -> Demand:
    rows = charge.rates if isinstance(charge.rates, list) else charge.rates[charge.register_]
    ratchet = charge.ratchet
    return Demand(
        line=book.track(charge.id),
        condition=condition_of(charge.when),
        register=book.document.registers.index(charge.register_),
        price=Fraction(rows[0]),
        ratchet=Fraction(0) if ratchet is None else Fraction(ratchet.percent),
        lookback=0 if ratchet is None else ratchet.lookback_months,
        of_contract=Fraction(charge.min_percent_of_contract or 0),
    )


def _topped_up(minimum: MinimumDocument, charges: list[Charge]) -> list[str]:
    """Lines that count towards a minimum: all but shares of the minimum itself."""
    following = {minimum.id}
    for charge in charges:
        if isinstance(charge, PercentDocument | AdjustmentTable) and following & set(charge.of):
            following.add(charge.id)
    return [charge.id for charge in charges if charge.id not in following]


def _tax(charges: list[Charge], book: Book) -> Percent:
    """Tax outside the price, where no charge of the tariff is that tax already."""
    rate = book.document.tax.rate or "0"
    shares = [(book.track(each.id), Fraction(each.tax_rate or rate)) for each in charges]
    return Percent(book.track(TAX_LINE), None, tuple(share for share in shares if share[1]))


def _in_order(computed: list[Computed]) -> list[Computed]:
    """Each behind all that it needs; a circle is refused before."""
    ordered: list[Computed] = []
    waiting = list(computed)
    while waiting:
        open_lines = {charge.line for charge in waiting}
        ready = [charge for charge in waiting if not charge.needs() & (open_lines - {charge.line})]
        ordered.extend(ready or waiting)
        waiting = [charge for charge in waiting if charge not in ready] if ready else []
    return ordered


def _hundredths(text: str) -> int:
    return scaled(text, 2)
