"""What can be wrong inside a version: tiers, seasons, prices, rounding, and lines between them."""

import re
from collections.abc import Sequence
from fractions import Fraction

from ledger.pricing.document import (
    Charge,
    Consumption,
    Fixed,
    Prices,
    Rounding,
    TariffDocument,
    Tier,
    Version,
)
from ledger.pricing.exact import PRICE_DIGITS, QUANTITY_DIGITS, decimal, minor_digits, scaled
from ledger.pricing.problems import Problem, Problems, pointer

GL = re.compile(r"revenue|tax|credit|pass_through:\S.*")
Place = tuple[str | int, ...]


def version_problems(document: TariffDocument, version: Version, at: Place) -> Problems:
    """Problems of one version that its shape does not show."""
    yield from _tier_problems(version.tiers, (*at, "tiers"))
    yield from _rounding_problems(version.rounding, document.currency, (*at, "rounding"))
    yield from _season_problems(version, at)
    most = max(len(tiers) for tiers in _tiers_in_force(version))
    if version.tou_tier_mode == "none" and most > 1 and len(document.registers) > 1:
        message = "Tiers over several registers need `shared_thresholds`."
        yield Problem(pointer(*at, "tou_tier_mode"), message, "tou_tier_mode")
    seen: set[str] = set()
    for index, charge in enumerate(version.charges):
        place = (*at, "charges", index)
        if charge.id in seen:
            message = f"The charge {charge.id} stands twice; give each its own id."
            yield Problem(pointer(*place, "id"), message, "duplicate")
        seen.add(charge.id)
        yield from _charge_problems(document, version, charge, place)


def line_problems(document: TariffDocument) -> Problems:
    """A line is one thing in all versions: its kind, its account and its tax do not change."""
    known: dict[str, tuple[str, str, Fraction]] = {}
    for number, version in enumerate(document.versions):
        for index, charge in enumerate(version.charges):
            tax_rate = Fraction(charge.tax_rate or document.tax.rate or 0)
            line = charge.kind, charge.gl, tax_rate
            if known.setdefault(charge.id, line) != line:
                message = "Another version has this id with another kind, gl or tax; rename it."
                place = pointer("versions", number, "charges", index, "id")
                yield Problem(place, message, "line_changed")


# ---------------------------------------------------------------- tiers and seasons


def _tiers_in_force(version: Version) -> list[list[Tier]]:
    return [version.tiers, *(season.tiers or version.tiers for season in version.seasons)]


def _tier_problems(tiers: Sequence[Tier], at: Place) -> Problems:
    lower = Fraction(0)
    for index, tier in enumerate(tiers):
        place = pointer(*at, index, "upto")
        is_last = index == len(tiers) - 1
        if tier.upto is None:
            if not is_last:
                yield Problem(place, "Only the last tier is open; give this one a bound.", "tiers")
            continue
        if is_last:
            message = "The last tier must be open; write null, or add a tier after it."
            yield Problem(place, message, "tiers")
        yield from _number_problems(tier.upto, QUANTITY_DIGITS, (*at, index, "upto"))
        if Fraction(tier.upto) <= lower:
            message = f"Bounds ascend from above 0; this one must be more than {decimal(lower)}."
            yield Problem(place, message, "tiers")
        lower = max(lower, Fraction(tier.upto))


def _season_problems(version: Version, at: Place) -> Problems:
    names: set[str] = set()
    months: set[int] = set()
    priced = {charge.id for charge in version.charges if isinstance(charge, Consumption)}
    for index, season in enumerate(version.seasons):
        place = (*at, "seasons", index)
        if season.id in names:
            yield Problem(pointer(*place, "id"), "Give each season its own id.", "duplicate")
        if months.intersection(season.months) or len(set(season.months)) < len(season.months):
            message = "A month belongs to one season; take out the repeated ones."
            yield Problem(pointer(*place, "months"), message, "season")
        if season.tiers is None and not season.rates:
            message = "The season changes nothing; give it `tiers` or `rates`, or take it out."
            yield Problem(pointer(*place), message, "season")
        for name in season.rates:
            if name not in priced:
                message = f"No consumption charge {name} in this version; correct the id."
                yield Problem(pointer(*place, "rates", name), message, "season")
        yield from _tier_problems(season.tiers or [], (*place, "tiers"))
        names.add(season.id)
        months.update(season.months)


# ---------------------------------------------------------------- charges


def _charge_problems(
    document: TariffDocument, version: Version, charge: Charge, at: Place
) -> Problems:
    if not GL.fullmatch(charge.gl):
        message = "Book a line as revenue, tax, credit or pass_through:<payee>."
        yield Problem(pointer(*at, "gl"), message, "gl")
    if charge.rounding is not None:
        yield from _rounding_problems(charge.rounding, document.currency, (*at, "rounding"))
    for rate, place in ((charge.tax_rate, (*at, "tax_rate")), (document.tax.rate, ("tax", "rate"))):
        if rate is not None and not 0 <= Fraction(rate) < 1:
            yield Problem(pointer(*place), "Write a tax of 13 % as 0.13.", "tax")
    match charge:
        case Consumption():
            yield from _consumption_problems(document, version, charge, at)
        case Fixed():
            if (charge.amount is None) == (charge.amount_by_tier_reached is None):
                yield Problem(pointer(*at), "A fixed charge needs one `amount`.", "charge")
            if charge.amount is not None:
                yield from _price_problems(charge.amount, charge.gl, (*at, "amount"))
        case _:
            pass  # Refused as not built.


def _consumption_problems(
    document: TariffDocument, version: Version, charge: Consumption, at: Place
) -> Problems:
    if (charge.rate is None) == (charge.rates is None):
        message = "Give either `rate` (one price) or `rates` (by tier), exactly one of them."
        yield Problem(pointer(*at), message, "charge")
        return
    if charge.rate is not None:
        yield from _price_problems(charge.rate, charge.gl, (*at, "rate"))
    counts = {len(version.tiers)}
    for index, season in enumerate(version.seasons):
        tiers = len(season.tiers or version.tiers)
        if charge.id in season.rates:
            place = (*at[:2], "seasons", index, "rates", charge.id)
            prices = season.rates[charge.id]
            yield from _rates_problems(document, prices, {tiers}, charge.gl, place)
        else:
            counts.add(tiers)
    if charge.rates is not None:
        yield from _rates_problems(document, charge.rates, counts, charge.gl, (*at, "rates"))


def _rates_problems(
    document: TariffDocument, rates: Prices, counts: set[int], gl: str, at: Place
) -> Problems:
    """A price for each tier of every season it serves, of exactly the tariff's registers."""
    rows = {"": rates} if isinstance(rates, list) else rates
    if isinstance(rates, dict) and set(rates) != set(document.registers):
        names = ", ".join(document.registers)
        message = f"Give prices for exactly the tariff's registers: {names}."
        yield Problem(pointer(*at), message, "registers")
    for register, prices in rows.items():
        place = (*at, register) if register else at
        if {len(prices)} != counts:
            tiers = " or ".join(str(count) for count in sorted(counts))
            message = f"{len(prices)} prices for {tiers} tiers; give one price for each tier."
            yield Problem(pointer(*place), message, "rate_count")
        for index, price in enumerate(prices):
            yield from _price_problems(price, gl, (*place, index))


# ---------------------------------------------------------------- numbers


def _price_problems(price: str, gl: str, at: Place) -> Problems:
    yield from _number_problems(price, PRICE_DIGITS, at)
    if Fraction(price) < 0 and gl != "credit":
        message = "Only a line booked as `credit` may be below zero; correct the sign or the gl."
        yield Problem(pointer(*at), message, "negative")


def _number_problems(number: str, digits: int, at: Place) -> Problems:
    try:
        scaled(number, digits)
    except ValueError:
        yield Problem(pointer(*at), f"At most {digits} decimals; round it.", "decimals")


def _rounding_problems(rounding: Rounding, currency: str, at: Place) -> Problems:
    digits = minor_digits(currency)
    quantum = Fraction(rounding.quantum) * Fraction(10**digits)
    if quantum <= 0 or quantum.denominator != 1:
        unit = decimal(Fraction(1, 10**digits))
        message = f"Round to whole minor units of {currency}: a multiple of {unit}."
        yield Problem(pointer(*at, "quantum"), message, "quantum")
