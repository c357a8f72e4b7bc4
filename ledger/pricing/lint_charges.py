"""What can be wrong with a charge: each kind has its own needs."""

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from ledger.pricing.document import (
    AdjustmentTable,
    Capacity,
    Charge,
    Consumption,
    Demand,
    Equals,
    Fixed,
    FreeQuantity,
    Minimum,
    Percent,
    Prices,
    Season,
    TariffDocument,
    Tier,
    Version,
)
from ledger.pricing.exact import QUANTITY_DIGITS
from ledger.pricing.lines import charges_of, energy_registers
from ledger.pricing.lint_numbers import (
    Place,
    number_problems,
    positive_problems,
    price_problems,
    rounding_problems,
)
from ledger.pricing.plans import first_price, tiers_of
from ledger.pricing.problems import Problem, Problems, pointer

GL: Final = re.compile(r"revenue|tax|credit|pass_through:\S.*")
FACTOR_DIGITS: Final = 2
"""A power factor is told in hundredths."""
SHARE_MAX: Final = 2
"""A larger share of other lines is a percentage that was not divided by 100."""


class Found(NamedTuple):
    """A charge where it stands: its document, version and tiers, and its path."""

    document: TariffDocument
    version: Version
    own_tiers: list[Tier] | None
    """Those of its schedule, which hold in all seasons."""
    at: Place

    def tiers(self, season: Season | None = None) -> list[Tier]:
        """The tiers by which the charge goes."""
        return tiers_of(season, self.version.tiers, self.own_tiers)

    def names(self) -> set[str]:
        """Charges that a share may be taken of."""
        return {charge.id for charge in charges_of(self.version)}


def charge_problems(found: Found, charge: Charge) -> Problems:
    """Problems of one charge that its shape does not show."""
    document, at = found.document, found.at
    if not GL.fullmatch(charge.gl):
        message = "Book a line as revenue, tax, credit or pass_through:<payee>."
        yield Problem(pointer(*at, "gl"), message, "gl")
    if charge.rounding is not None:
        yield from rounding_problems(charge.rounding, document.currency, (*at, "rounding"))
    for rate, place in ((charge.tax_rate, (*at, "tax_rate")), (document.tax.rate, ("tax", "rate"))):
        if rate is not None and not 0 <= Fraction(rate) < 1:
            yield Problem(pointer(*place), "Write a tax of 13 % as 0.13.", "tax")
    if isinstance(charge.when, Equals) and isinstance(charge.when.eq, list | dict):
        message = "Compare an attribute with true, false, a number or a text."
        yield Problem(pointer(*at, "when", "eq"), message, "condition")
    yield from _of_kind(found, charge)


def _of_kind(found: Found, charge: Charge) -> Problems:
    match charge:
        case Consumption():
            yield from _consumption_problems(found, charge)
        case Fixed():
            yield from _fixed_problems(found, charge)
        case Capacity():
            yield from price_problems(charge.rate, charge.gl, (*found.at, "rate"))
        case Demand():
            yield from _demand_problems(found, charge)
        case Percent():
            yield from _share_problems(found, charge)
            yield from price_problems(charge.rate, charge.gl, (*found.at, "rate"))
            if abs(Fraction(charge.rate)) > SHARE_MAX:
                message = "This is more than twice the lines; write a share of 13 % as 0.13."
                yield Problem(pointer(*found.at, "rate"), message, "range")
        case AdjustmentTable():
            yield from _share_problems(found, charge)
            yield from _step_problems(found, charge)
        case FreeQuantity():
            yield from _free_problems(found, charge)
        case Minimum():
            yield from price_problems(charge.amount, charge.gl, (*found.at, "amount"))


# ---------------------------------------------------------------- consumption


def _consumption_problems(found: Found, charge: Consumption) -> Problems:
    at, version = found.at, found.version
    if (charge.rate is None) == (charge.rates is None):
        message = "Give either `rate` (one price) or `rates` (by tier), exactly one of them."
        yield Problem(pointer(*at), message, "charge")
        return
    if charge.on_excess_over is not None:
        yield from number_problems(charge.on_excess_over, QUANTITY_DIGITS, (*at, "on_excess_over"))
        yield from positive_problems(charge.on_excess_over, (*at, "on_excess_over"))
    gl = "credit" if _is_covered(version, charge) else charge.gl
    if charge.rate is not None:
        yield from price_problems(charge.rate, gl, (*at, "rate"))
    counts = {len(found.tiers())}
    for index, season in enumerate(version.seasons):
        tiers = len(found.tiers(season))
        if charge.id in season.rates:
            place = (*at[:2], "seasons", index, "rates", charge.id)
            yield from _rates_problems(found, season.rates[charge.id], {tiers}, gl, place)
        else:
            counts.add(tiers)
    if charge.rates is not None:
        yield from _rates_problems(found, charge.rates, counts, gl, (*at, "rates"))


def _is_covered(version: Version, charge: Consumption) -> bool:
    """Whether a unit never costs less than nothing, because others make up for what this gives."""
    others = (
        each
        for each in charges_of(version)
        if isinstance(each, Consumption) and each.id != charge.id
        if each.when is None and each.on_excess_over is None
    )
    floor = sum((_least(version, each) for each in others), Fraction(0))
    return floor + _least(version, charge) >= 0


def _least(version: Version, charge: Consumption) -> Fraction:
    """The lowest price of a charge in any season, register and tier."""
    told = [charge.rates, *(season.rates.get(charge.id) for season in version.seasons)]
    found = [] if charge.rate is None else [charge.rate]
    for prices in told:
        rows = [prices or []] if not isinstance(prices, dict) else prices.values()
        found += [price for row in rows for price in row]
    return min(map(Fraction, found), default=Fraction(0))


def _rates_problems(found: Found, rates: Prices, counts: set[int], gl: str, at: Place) -> Problems:
    """A price for each tier of every season it serves, of exactly the priced registers."""
    rows = {"": rates} if isinstance(rates, list) else rates
    registers = energy_registers(found.document)
    if isinstance(rates, dict) and set(rates) != set(registers):
        names = ", ".join(registers)
        message = f"Give prices for exactly the tariff's registers: {names}."
        yield Problem(pointer(*at), message, "registers")
    for register, prices in rows.items():
        place = (*at, register) if register else at
        if {len(prices)} != counts:
            tiers = " or ".join(str(count) for count in sorted(counts))
            message = f"{len(prices)} prices for {tiers} tiers; give one price for each tier."
            yield Problem(pointer(*place), message, "rate_count")
        for index, price in enumerate(prices):
            yield from price_problems(price, gl, (*place, index))


# ---------------------------------------------------------------- fixed, free, demand


def _fixed_problems(found: Found, charge: Fixed) -> Problems:
    at, reached = found.at, charge.amount_by_tier_reached
    if (charge.amount is None) == (reached is None):
        yield Problem(pointer(*at), "Give either `amount` or `amount_by_tier_reached`.", "charge")
    if charge.amount is not None:
        yield from price_problems(charge.amount, charge.gl, (*at, "amount"))
    if reached is not None:
        place = (*at, "amount_by_tier_reached")
        if len(reached) != len(found.tiers()):
            message = f"{len(reached)} amounts for {len(found.tiers())} tiers; give one for each."
            yield Problem(pointer(*place), message, "rate_count")
        for index, amount in enumerate(reached):
            yield from price_problems(amount, charge.gl, (*place, index))
        if charge.per != "period" and (charge.per, found.version.accumulation.window) != (
            "month",
            "month",
        ):
            message = "The tier reached is told by the window; write `period`."
            yield Problem(pointer(*at, "per"), message, "charge")
    is_bought = found.version.accumulation.basis == "purchase"
    if (charge.per == "first_purchase_of_month") != is_bought:
        message = "Amounts at a purchase and tiers by purchases (`basis`) belong together."
        yield Problem(pointer(*at, "per"), message, "charge")


def _free_problems(found: Found, charge: FreeQuantity) -> Problems:
    at = found.at
    yield from number_problems(charge.per_month, QUANTITY_DIGITS, (*at, "per_month"))
    yield from positive_problems(charge.per_month, (*at, "per_month"))
    if charge.effect == "deduct_quantity":
        if charge.at_rate is not None:
            message = "A deducted quantity has no price; take it out, or write effect credit."
            yield Problem(pointer(*at, "at_rate"), message, "charge")
        if found.version.tou_tier_mode == "per_register":
            message = "With tiers of each register a quantity cannot be deducted; credit it."
            yield Problem(pointer(*at, "effect"), message, "charge")
    elif charge.at_rate is None and first_price(found.version.charges) is None:
        message = "Say at which price the quantity is credited; there is no one first price."
        yield Problem(pointer(*at), message, "charge")
    if charge.at_rate is not None:
        yield from price_problems(charge.at_rate, "revenue", (*at, "at_rate"))


def _demand_problems(found: Found, charge: Demand) -> Problems:
    at = found.at
    if charge.register_ not in found.document.registers:
        message = f"The tariff has no register {charge.register_}; name it among `registers`."
        yield Problem(pointer(*at, "register"), message, "registers")
    rows = {charge.register_: charge.rates} if isinstance(charge.rates, list) else charge.rates
    if set(rows) != {charge.register_} or any(len(prices) != 1 for prices in rows.values()):
        message = "Demand has one price per kW and month; give exactly one, of this register."
        yield Problem(pointer(*at, "rates"), message, "rate_count")
    for price in (price for prices in rows.values() for price in prices):
        yield from price_problems(price, charge.gl, (*at, "rates"))
    if charge.ratchet is not None:
        yield from _part_problems(charge.ratchet.percent, (*at, "ratchet", "percent"))
        if charge.ratchet.lookback_months < 1:
            message = "Look back over one month or more."
            yield Problem(pointer(*at, "ratchet", "lookback_months"), message, "range")
    if charge.min_percent_of_contract is not None:
        place = (*at, "min_percent_of_contract")
        yield from _part_problems(charge.min_percent_of_contract, place)


def _part_problems(number: str, at: Place) -> Problems:
    if not 0 < Fraction(number) <= 1:
        yield Problem(pointer(*at), "Write 80 % as 0.80.", "range")


# ---------------------------------------------------------------- shares of other lines


def _share_problems(found: Found, charge: Percent | AdjustmentTable) -> Problems:
    for index, name in enumerate(charge.of):
        if name not in found.names() or name == charge.id:
            message = f"No other charge {name} in this version; correct the id."
            yield Problem(pointer(*found.at, "of", index), message, "unknown_charge")
        elif name in charge.of[:index]:
            yield Problem(pointer(*found.at, "of", index), "Name it once.", "duplicate")


def circle_problems(charges: Sequence[Charge], place_of: Callable[[Charge], Place]) -> Problems:
    """A share of a line that is itself, over others, a share of this one."""
    needs = {
        charge.id: set(charge.of) - {charge.id}
        for charge in charges
        if isinstance(charge, Percent | AdjustmentTable)
    }
    for charge in charges:
        reached, open_names = set[str](), set(needs.get(charge.id, ()))
        while open_names:
            reached |= open_names
            open_names = {far for name in open_names for far in needs.get(name, ())} - reached
        if charge.id in reached:
            message = "These shares go in a circle; take one of them out of `of`."
            yield Problem(pointer(*place_of(charge), "of"), message, "circle")


def _step_problems(found: Found, charge: AdjustmentTable) -> Problems:
    at = found.at
    yield from _factor_problems(charge.standard, (*at, "standard"))
    hundredths: set[int] = set()
    for index, step in enumerate(charge.steps):
        place = (*at, "steps", index)
        wrong = [
            *_factor_problems(step.from_, (*place, "from")),
            *_factor_problems(step.to, (*place, "to")),
        ]
        yield from wrong
        if wrong:
            continue
        span = set(range(int(Fraction(step.from_) * 100), int(Fraction(step.to) * 100) + 1))
        if not span:
            message = "A step goes from a lower to a higher factor; exchange them."
            yield Problem(pointer(*place), message, "steps")
        if span & hundredths:
            message = "Two steps speak of one hundredth; let each begin behind the other."
            yield Problem(pointer(*place), message, "steps")
        hundredths |= span


def _factor_problems(factor: str, at: Place) -> Problems:
    yield from number_problems(factor, FACTOR_DIGITS, at)
    if not 0 <= Fraction(factor) <= 1:
        yield Problem(pointer(*at), "A power factor lies between 0 and 1.", "range")
