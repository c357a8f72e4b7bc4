"""Shapes of the format that the engine does not rate yet: refused by name, never ignored.

A bill that leaves out an allowance or a fee is worse than a tariff that cannot be published.
"""

from ledger.pricing.document import Charge, Consumption, Fixed, TariffDocument, Tier, Version
from ledger.pricing.problems import Problem, Problems, pointer


def not_built_yet(document: TariffDocument) -> Problems:
    """Every place of the document that asks for what the engine cannot do yet."""
    if document.tax.treatment == "exclusive":
        yield _missing("tax outside the price", "tax", "treatment")
    if document.vending is not None:
        yield _missing("vending of units", "vending")
    for number, version in enumerate(document.versions):
        at = ("versions", number)
        yield from _in_accumulation(version, at)
        for name in ("modifiers", "bill_rounding", "schedule_by_total"):
            if getattr(version, name):
                yield _missing(f"`{name}`", *at, name)
        if version.tou_tier_mode == "per_register":
            yield _missing("tier bounds of each register", *at, "tou_tier_mode")
        yield from _in_tiers(version.tiers, (*at, "tiers"))
        for index, season in enumerate(version.seasons):
            yield from _in_tiers(season.tiers or [], (*at, "seasons", index, "tiers"))
        for index, charge in enumerate(version.charges):
            yield from _in_charge(charge, (*at, "charges", index))


def _missing(what: str, *place: str | int) -> Problem:
    message = f"The engine does not rate {what} yet; take it out, or wait for the part that does."
    return Problem(pointer(*place), message, "not_built_yet")


def _in_accumulation(version: Version, at: tuple[str | int, ...]) -> Problems:
    accumulation = version.accumulation
    at = (*at, "accumulation")
    if accumulation.window == "billing_period":
        yield _missing("windows from bill to bill", *at, "window")
    if accumulation.basis == "purchase":
        yield _missing("tiers by purchases", *at, "basis")
    if accumulation.proration.method in {"days", "months"}:
        yield _missing(
            f"bounds prorated by {accumulation.proration.method}", *at, "proration", "method"
        )


def _in_tiers(tiers: list[Tier], at: tuple[str | int, ...]) -> Problems:
    for index, tier in enumerate(tiers):
        if tier.per != "window":
            yield _missing(f"tier bounds per {tier.per}", *at, index, "per")


def _in_charge(charge: Charge, at: tuple[str | int, ...]) -> Problems:
    if charge.when is not None:
        yield _missing("charges that depend on an attribute", *at, "when")
    match charge:
        case Consumption():
            if charge.on_excess_over is not None:
                yield _missing("prices of the excess alone", *at, "on_excess_over")
        case Fixed():
            if charge.per == "first_purchase_of_month":
                yield _missing("charges at the first purchase of a month", *at, "per")
            if charge.amount_by_tier_reached is not None:
                yield _missing("amounts by the tier reached", *at, "amount_by_tier_reached")
        case _:
            yield _missing(f"charges of kind `{charge.kind}`", *at, "kind")
