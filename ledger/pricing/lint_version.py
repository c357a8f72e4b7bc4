"""What can be wrong inside a version: tiers, seasons, schedules, and lines between versions."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ledger.pricing.document import (
    Accumulation,
    Charge,
    Consumption,
    Fixed,
    Percent,
    TariffDocument,
    Tier,
    Version,
)
from ledger.pricing.exact import QUANTITY_DIGITS, decimal, minor_digits
from ledger.pricing.lines import (
    ROUNDING_LINE,
    TOTAL,
    charges_of,
    energy_registers,
    is_taxed_outside,
)
from ledger.pricing.lines import TAX_LINE as TAX
from ledger.pricing.lint_charges import Found, charge_problems, circle_problems
from ledger.pricing.lint_household import modifier_problems
from ledger.pricing.lint_numbers import (
    Place,
    number_problems,
    positive_problems,
    rounding_problems,
)
from ledger.pricing.plans import kva_attribute
from ledger.pricing.problems import Problem, Problems, pointer


def version_problems(document: TariffDocument, version: Version, at: Place) -> Problems:
    """Problems of one version that its shape does not show."""
    yield from _tier_problems(version, version.tiers, (*at, "tiers"))
    if minor_digits(document.currency) or Fraction(version.rounding.quantum) != Fraction("0.01"):
        # The customary hundredth is no mistake where the currency has no minor unit.
        yield from rounding_problems(version.rounding, document.currency, (*at, "rounding"))
    yield from _season_problems(version, at)
    yield from _proration_problems(version.accumulation, at)
    if version.accumulation.basis == "purchase":
        yield from _purchase_problems(document, version, at)
    most = max(len(tiers) for tiers in _tiers_in_force(version))
    if version.tou_tier_mode == "none" and most > 1 and len(energy_registers(document)) > 1:
        message = "Tiers over several registers need `shared_thresholds` or `per_register`."
        yield Problem(pointer(*at, "tou_tier_mode"), message, "tou_tier_mode")
    yield from _all_charge_problems(document, version, at)
    for index, modifier in enumerate(version.modifiers):
        yield from modifier_problems(version, modifier, (*at, "modifiers", index))
        if modifier.id in {each.id for each in version.modifiers[:index]}:
            message = "Give each allowance its own id."
            yield Problem(pointer(*at, "modifiers", index, "id"), message, "duplicate")
    yield from _bill_problems(document, version, at)


def line_problems(document: TariffDocument) -> Problems:
    """A line is one thing in all versions: its kind, its account and its tax do not change."""
    known: dict[str, tuple[str, str, Fraction]] = {}
    for number, version in enumerate(document.versions):
        for charge, place in placed(version, ("versions", number)):
            tax_rate = Fraction(charge.tax_rate or document.tax.rate or 0)
            line = charge.kind, charge.gl, tax_rate
            if known.setdefault(charge.id, line) != line:
                message = "Another version has this id with another kind, gl or tax; rename it."
                yield Problem(pointer(*place, "id"), message, "line_changed")
    reserved = {ROUNDING_LINE} if any(each.bill_rounding for each in document.versions) else set()
    if is_taxed_outside(document):
        reserved.add(TAX)
    for number, version in enumerate(document.versions):
        for charge, place in placed(version, ("versions", number)):
            if charge.id in reserved:
                message = f"The ledger itself adds a line {charge.id}; give this one another id."
                yield Problem(pointer(*place, "id"), message, "duplicate")


def placed(version: Version, at: Place) -> Iterator[tuple[Charge, Place]]:
    """Charges of a version and of its schedules, with their places."""
    for index, charge in enumerate(version.charges):
        yield charge, (*at, "charges", index)
    for number, schedule in enumerate(version.schedule_by_total):
        for index, charge in enumerate(schedule.charges):
            yield charge, (*at, "schedule_by_total", number, "charges", index)


# ---------------------------------------------------------------- charges and schedules


def _all_charge_problems(document: TariffDocument, version: Version, at: Place) -> Problems:
    common: set[str] = set()
    for index, charge in enumerate(version.charges):
        place = (*at, "charges", index)
        yield from _repeated(charge, common, place)
        if not (version.schedule_by_total and isinstance(charge, Consumption)):
            yield from charge_problems(Found(document, version, None, place), charge)
        else:
            yield from _common_problems(document, version, charge, place)
    lower, last = Fraction(0), len(version.schedule_by_total) - 1
    for number, schedule in enumerate(version.schedule_by_total):
        place = (*at, "schedule_by_total", number)
        yield from _bound_problems(schedule.upto, lower, (*place, "upto"), is_last=number == last)
        lower = max(lower, Fraction(schedule.upto or 0))
        if schedule.tiers is not None:
            yield from _tier_problems(version, schedule.tiers, (*place, "tiers"))
        seen = set(common)
        for index, charge in enumerate(schedule.charges):
            deeper = (*place, "charges", index)
            yield from _repeated(charge, seen, deeper)
            found = Found(document, version, schedule.tiers, deeper)
            yield from charge_problems(found, charge)
    yield from _circles(version, at)


def _circles(version: Version, at: Place) -> Problems:
    places = {id(charge): place for charge, place in placed(version, at)}
    yield from circle_problems(list(charges_of(version)), lambda charge: places[id(charge)])


def _common_problems(
    document: TariffDocument, version: Version, charge: Consumption, at: Place
) -> Problems:
    """A price that every schedule shares must fit the tiers of each."""
    for schedule in version.schedule_by_total:
        found = Found(document, version, schedule.tiers, at)
        yield from charge_problems(found, charge)


def _repeated(charge: Charge, seen: set[str], at: Place) -> Problems:
    if charge.id in seen:
        message = f"The charge {charge.id} stands twice; give each its own id."
        yield Problem(pointer(*at, "id"), message, "duplicate")
    seen.add(charge.id)


def _bill_problems(document: TariffDocument, version: Version, at: Place) -> Problems:
    own = {charge.id: charge.rounding or version.rounding for charge in charges_of(version)}
    reached = {line: Fraction(rounding.quantum) for line, rounding in own.items()}
    for index, ladder in enumerate(version.bill_rounding):
        place = (*at, "bill_rounding", index)
        if ladder.line not in {TOTAL, *own}:
            message = f"No line {ladder.line}; write `total`, or the id of a charge."
            yield Problem(pointer(*place, "line"), message, "unknown_charge")
        yield from rounding_problems(ladder.rounding, document.currency, (*place, "rounding"))
        quantum, before = Fraction(ladder.rounding.quantum), reached.get(ladder.line)
        if before is not None and quantum < before:
            message = f"It is rounded to {decimal(before)} before; go from fine to coarse."
            yield Problem(pointer(*place, "rounding", "quantum"), message, "ladder")
        reached[ladder.line] = quantum


def _proration_problems(accumulation: Accumulation, at: Place) -> Problems:
    rule, place = accumulation.proration, (*at, "accumulation", "proration")
    for name in ("factor_quantum", "tier_quantum"):
        yield from positive_problems(getattr(rule, name), (*place, name))
    if rule.factor_quantum is not None and rule.method == "none":
        message = "Without proration there is no factor to round; take it out, or name a method."
        yield Problem(pointer(*place, "factor_quantum"), message, "proration")
    if rule.method == "months_in_service" and accumulation.window == "billing_period":
        message = "A billing period has no months in service; write `days`, `months` or `none`."
        yield Problem(pointer(*place, "method"), message, "proration")
    if rule.base_days is not None and (rule.base_days < 1 or rule.method != "days"):
        message = "A number of days, 1 or more, belongs to the method `days`."
        yield Problem(pointer(*place, "base_days"), message, "range")


def _purchase_problems(document: TariffDocument, version: Version, at: Place) -> Problems:
    for charge, where in placed(version, at):
        if not isinstance(charge, Consumption | Fixed | Percent):
            message = f"Units are not sold with charges of kind `{charge.kind}`; take it out."
            yield Problem(pointer(*where, "kind"), message, "purchase")
        if isinstance(charge, Fixed) and charge.per == "day":
            message = "A purchase bears amounts of its month; write it as one a month."
            yield Problem(pointer(*where, "per"), message, "purchase")
        if isinstance(charge, Consumption) and charge.on_excess_over is not None:
            message = "Units are sold by tiers alone; write the excess as a tier."
            yield Problem(pointer(*where, "on_excess_over"), message, "purchase")
    if version.accumulation.window == "billing_period" or len(document.registers) > 1:
        message = "Units are sold by one register, and counted by the calendar."
        yield Problem(pointer(*at, "accumulation", "basis"), message, "purchase")
    if version.schedule_by_total or version.modifiers or version.bill_rounding:
        message = "Units are sold by tiers alone, without schedules, allowances or ladders."
        yield Problem(pointer(*at, "accumulation", "basis"), message, "purchase")


# ---------------------------------------------------------------- tiers and seasons


def _tiers_in_force(version: Version) -> list[list[Tier]]:
    return [version.tiers, *(season.tiers or version.tiers for season in version.seasons)]


def _tier_problems(version: Version, tiers: Sequence[Tier], at: Place) -> Problems:
    lower: dict[str, Fraction] = {}
    for index, tier in enumerate(tiers):
        place = (*at, index, "upto")
        below = lower.get(tier.per, Fraction(0))
        yield from _bound_problems(tier.upto, below, place, is_last=index == len(tiers) - 1)
        lower[tier.per] = max(below, Fraction(tier.upto or 0))
        if tier.per == "kva" and not any(map(kva_attribute, charges_of(version))):
            message = "A capacity charge per kVA must name the attribute that tells the kVA."
            yield Problem(pointer(*at, index, "per"), message, "attribute")


def _bound_problems(upto: str | None, lower: Fraction, at: Place, *, is_last: bool) -> Problems:
    if upto is None:
        if not is_last:
            message = "Only the last tier is open; give this one a bound."
            yield Problem(pointer(*at), message, "tiers")
        return
    if is_last:
        message = "The last tier must be open; write null, or add a tier after it."
        yield Problem(pointer(*at), message, "tiers")
    yield from number_problems(upto, QUANTITY_DIGITS, at)
    if Fraction(upto) <= lower:
        message = f"Bounds ascend from above 0; this one must be more than {decimal(lower)}."
        yield Problem(pointer(*at), message, "tiers")


def _season_problems(version: Version, at: Place) -> Problems:
    names: set[str] = set()
    months: set[int] = set()
    priced = {charge.id for charge in charges_of(version) if isinstance(charge, Consumption)}
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
        yield from _tier_problems(version, season.tiers or [], (*place, "tiers"))
        names.add(season.id)
        months.update(season.months)
