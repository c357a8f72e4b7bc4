"""What can be wrong with allowances and sales of units: the shape does not show it."""

from fractions import Fraction
from typing import Final

from ledger.pricing.document import (
    AtLeast,
    Consumption,
    Modifier,
    TariffDocument,
    Vending,
    Version,
)
from ledger.pricing.exact import QUANTITY_DIGITS
from ledger.pricing.lines import charges_of
from ledger.pricing.lint_numbers import (
    Place,
    number_problems,
    positive_problems,
    price_problems,
)
from ledger.pricing.problems import Problem, Problems, pointer

TAKEN: Final = frozenset({"channel_fee", "arrears", "vat"})
"""What a payment bears besides the charges of the tariff."""


def modifier_problems(version: Version, modifier: Modifier, at: Place) -> Problems:
    """An allowance says what it moves, for whom, and from when on."""
    if modifier.effect == "shift_tiers":
        yield from _shift_problems(version, modifier, at)
    else:
        yield from _flat_problems(version, modifier, at)
    if modifier.valid_years is not None and modifier.valid_years < 1:
        yield Problem(
            pointer(*at, "valid_years"), "An allowance lasts 1 year or more; correct it.", "range"
        )
    if modifier.per_extra_person and not isinstance(modifier.when, AtLeast):
        message = "Extra persons are counted from a number on; write the condition with `gte`."
        yield Problem(pointer(*at, "per_extra_person"), message, "condition")


def _shift_problems(version: Version, modifier: Modifier, at: Place) -> Problems:
    if modifier.per_month is None:
        message = "Say by how much a month the bounds move."
        yield Problem(pointer(*at), message, "missing_field")
    else:
        yield from number_problems(modifier.per_month, QUANTITY_DIGITS, (*at, "per_month"))
        yield from positive_problems(modifier.per_month, (*at, "per_month"))
    if modifier.rate is not None:
        message = "Bounds that move have no price; take it out, or write flat_price."
        yield Problem(pointer(*at, "rate"), message, "charge")
    bounded = max(len(version.tiers), *(len(season.tiers or []) for season in version.seasons), 1)
    for index, tier in enumerate(modifier.only_tiers or []):
        if not 0 <= tier < bounded:
            message = "Tiers count from 1, and the last one has no bound to move."
            yield Problem(pointer(*at, "only_tiers", index), message, "tiers")


def _flat_problems(version: Version, modifier: Modifier, at: Place) -> Problems:
    if modifier.rate is None:
        yield Problem(pointer(*at), "Say the one price.", "missing_field")
    else:
        yield from price_problems(modifier.rate, "revenue", (*at, "rate"))
    for name in ("per_month", "only_tiers", "per_extra_person"):
        if getattr(modifier, name) is not None:
            message = "One price moves no bounds; take it out, or write shift_tiers."
            yield Problem(pointer(*at, name), message, "charge")
    tiered = {
        charge.id
        for charge in charges_of(version)
        if isinstance(charge, Consumption) and charge.rates is not None
    }
    if len(tiered) != 1:
        message = "One price replaces one tiered charge; this version has another number of them."
        yield Problem(pointer(*at, "effect"), message, "charge")


def vending_problems(document: TariffDocument, vending: Vending) -> Problems:
    """Units are sold in whole quanta, and a payment bears known things in a known order."""
    if vending.unit_quantum is not None:
        yield from number_problems(
            vending.unit_quantum, QUANTITY_DIGITS, ("vending", "unit_quantum")
        )
        yield from positive_problems(vending.unit_quantum, ("vending", "unit_quantum"))
    share = vending.arrears_share
    if share is not None and not 0 <= Fraction(share) <= 1:
        message = "Write a quarter of the payment as 0.25."
        yield Problem("/vending/arrears_share", message, "range")
    known = TAKEN | {charge.id for version in document.versions for charge in version.charges}
    for index, name in enumerate(vending.order or []):
        if name not in known:
            names = ", ".join(sorted(known))
            message = f"A payment does not bear {name}; it bears: {names}."
            yield Problem(pointer("vending", "order", index), message, "unknown_charge")
        elif name in (vending.order or [])[:index]:
            yield Problem(pointer("vending", "order", index), "Name it once.", "duplicate")
