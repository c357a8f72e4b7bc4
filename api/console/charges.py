"""What a tariff asks besides the price of a unit: fees, allowances and rules as sentences."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from api.console import words
from api.console.language import UNITS, Language
from api.console.words import N_
from ledger.pricing.document import (
    AdjustmentTable,
    AtLeast,
    Capacity,
    Charge,
    Condition,
    Consumption,
    Demand,
    Fixed,
    FreeQuantity,
    Minimum,
    Modifier,
    Percent,
    TariffDocument,
    Version,
)
from ledger.pricing.terms import begins_at_once

FIXED: Final = {
    "day": N_("%(amount)s a day"),
    "month": N_("%(amount)s a month"),
    "period": N_("%(amount)s for each billing period"),
    "first_purchase_of_month": N_("%(amount)s with the first purchase of a month"),
}
MINIMUM: Final = {
    "day": N_("at least %(amount)s a day"),
    "month": N_("at least %(amount)s a month"),
    "period": N_("at least %(amount)s for each billing period"),
}
CAPACITY: Final = {
    "kva_month": N_("%(amount)s a month for each kVA"),
    "kw_month": N_("%(amount)s a month for each kW"),
    "amp_month": N_("%(amount)s a month for each ampere"),
}


class Told(NamedTuple):
    """One charge or allowance: its name, what it says, and what is to be added."""

    name: str
    text: str
    notes: Sequence[str] = ()


class Teller:
    """Tells the charges of one tariff in one language."""

    def __init__(self, document: TariffDocument, language: Language) -> None:
        self._document = document
        self._language = language
        self._say = language.say
        self._unit = UNITS[document.unit]

    def charges(self, version: Version) -> list[Told]:
        """Charges that are no price of a unit, and what is said of those that are."""
        every = [*version.charges, *(c for s in version.schedule_by_total for c in s.charges)]
        return [told for charge in every if (told := self._charge(charge)).text or told.notes]

    def modifiers(self, version: Version) -> list[Told]:
        """What is different for some households."""
        return [self._modifier(modifier) for modifier in version.modifiers]

    def amount(self, text: str) -> str:
        """An amount of the tariff's currency, with all digits that it was given."""
        return self._language.major(text, self._document.currency)

    def _charge(self, charge: Charge) -> Told:
        return Told(self._name(charge.id), self._text(charge), list(self._notes(charge)))

    def _text(self, charge: Charge) -> str:
        match charge:
            case Fixed():
                return self._fixed(charge)
            case Capacity():
                return self._say(CAPACITY[charge.per], amount=self.amount(charge.rate))
            case Demand():
                return self._demand(charge)
            case Percent():
                return self._percent(charge)
            case AdjustmentTable():
                return self._adjustment(charge)
            case FreeQuantity():
                return self._free(charge)
            case Minimum():
                return self._say(MINIMUM[charge.per], amount=self.amount(charge.amount))
            case Consumption():
                return ""  # It stands in the table of prices.

    def _notes(self, charge: Charge) -> Iterator[str]:
        if charge.when is not None:
            yield self.condition(charge.when)
        if charge.tax_rate is not None:
            rate = self._language.percent(charge.tax_rate)
            yield self._say(N_("tax %(rate)s"), rate=rate)
        if isinstance(charge, Consumption) and charge.on_excess_over is not None:
            bound = f"{self._language.plain(charge.on_excess_over)} {self._unit}"
            yield self._say(N_("on what is above %(bound)s"), bound=bound)
        if charge.gl != "revenue":
            kind, _, code = charge.gl.partition(":")
            word = self._say(words.word(words.BOOKED, kind))
            yield f"{word} ({code})" if code else word
        if charge.rounding is not None:
            yield self.rounding(charge.rounding.quantum, charge.rounding.mode)
        yield from (text for text in (charge.note, charge.derivation) if text)

    def _fixed(self, charge: Fixed) -> str:
        if charge.amount_by_tier_reached is not None:
            amounts = " / ".join(map(self.amount, charge.amount_by_tier_reached))
            by_tier = self._say(N_("by the tier that is reached"))
            return f"{self._say(FIXED[charge.per], amount=amounts)} · {by_tier}"
        return self._say(FIXED[charge.per], amount=self.amount(charge.amount or "0"))

    def _demand(self, charge: Demand) -> str:
        rates = charge.rates
        prices = (
            [p for found in rates.values() for p in found] if isinstance(rates, dict) else rates
        )
        amounts = " / ".join(map(self.amount, prices))
        return self._say(N_("%(amount)s for each kW of the highest demand"), amount=amounts)

    def _percent(self, charge: Percent) -> str:
        return self._say(
            N_("%(rate)s of: %(names)s"),
            rate=self._language.percent(charge.rate),
            names=self._names(charge.of),
        )

    def _adjustment(self, charge: AdjustmentTable) -> str:
        steps = "; ".join(
            f"{step.from_}–{step.to}: {step.percent_per_001} %" for step in charge.steps
        )
        return self._say(
            N_("by power factor, for each 0.01 from %(standard)s, on %(names)s: %(steps)s"),
            standard=charge.standard,
            names=self._names(charge.of),
            steps=steps,
        )

    def _free(self, charge: FreeQuantity) -> str:
        free = f"{self._language.plain(charge.per_month)} {self._unit}"
        if charge.effect == "deduct_quantity":
            return self._say(N_("%(quantity)s a month are not counted"), quantity=free)
        if charge.at_rate is None:
            return self._say(N_("%(quantity)s a month are free"), quantity=free)
        rate = self.amount(charge.at_rate)
        return self._say(
            N_("%(quantity)s a month are paid back at %(rate)s each"), quantity=free, rate=rate
        )

    def _modifier(self, modifier: Modifier) -> Told:
        if modifier.effect == "flat_price":
            price = self.amount(modifier.rate or "0")
            text = self._say(N_("one price for every unit: %(price)s"), price=price)
        else:
            more = f"{self._language.plain(modifier.per_month or '0')} {self._unit}"
            shifted = (
                N_("every bound is %(quantity)s a month higher for each person more")
                if modifier.per_extra_person
                else N_("every bound is %(quantity)s a month higher")
            )
            text = self._say(shifted, quantity=more)
        return Told(self._name(modifier.id), text, list(self._modifier_notes(modifier)))

    def _modifier_notes(self, modifier: Modifier) -> Iterator[str]:
        yield self.condition(modifier.when)
        if modifier.only_tiers:
            tiers = ", ".join(map(str, modifier.only_tiers))
            yield self._say(N_("tiers %(tiers)s only"), tiers=tiers)
        is_now = begins_at_once(modifier.starts)
        yield self._say(N_("from the same month on") if is_now else N_("from the next month on"))
        if modifier.valid_years:
            yield self._say(N_("for %(years)s years"), years=modifier.valid_years)
        if modifier.change == "rerate_window":
            yield self._say(N_("the window that runs is charged anew"))

    def condition(self, condition: Condition) -> str:
        """For whom something holds."""
        name = self._say(words.word(words.ATTRIBUTES, condition.attribute))
        if isinstance(condition, AtLeast):
            return self._say(
                N_("where %(what)s is at least %(value)s"), what=name, value=condition.gte
            )
        if condition.eq is True:
            return self._say(N_("for: %(what)s"), what=name)
        return self._say(N_("where %(what)s is %(value)s"), what=name, value=condition.eq)

    def rounding(self, quantum: str, mode: str) -> str:
        """To which step an amount is rounded, and how."""
        return self._say(
            N_("rounded to %(step)s, %(mode)s"),
            step=self.amount(quantum),
            mode=self._say(words.word(words.ROUNDING, mode)),
        )

    def _name(self, code: str) -> str:
        return self._say(words.word(words.CHARGES, code))

    def _names(self, codes: Sequence[str]) -> str:
        return ", ".join(map(self._name, codes))


def tax_text(document: TariffDocument, language: Language) -> str:
    """Whether tax is inside the prices."""
    tax = document.tax
    rate = language.percent(tax.rate) if tax.rate is not None else ""
    sentences = {
        "inclusive": N_("Prices include tax %(rate)s"),
        "exclusive": N_("Tax %(rate)s is added to the prices"),
        "none": N_("No tax"),
    }
    return language.say(sentences[tax.treatment], rate=rate).replace("  ", " ").strip()


def rules(document: TariffDocument, version: Version, language: Language) -> list[tuple[str, str]]:
    """How quantities are counted and amounts rounded: names with their values."""
    teller, say, counted = Teller(document, language), language.say, version.accumulation
    window = say(words.WINDOWS[counted.window])
    if counted.anchor_month != 1:
        month = language.months([counted.anchor_month])
        window = say(N_("%(window)s, from %(month)s on"), window=window, month=month)
    told = [
        (N_("Tiers count over"), window),
        (N_("Tiers count"), say(words.BASES[counted.basis])),
        (N_("Who moves in midway"), say(words.PRORATIONS[counted.proration.method])),
        (N_("When prices change"), say(words.APPLIES[version.applies])),
        (N_("Count at a change of prices"), say(words.CARRIED[counted.on_version_change])),
        (N_("Amounts"), teller.rounding(version.rounding.quantum, version.rounding.mode)),
        (N_("Tax"), tax_text(document, language)),
    ]
    if version.tou_tier_mode is not None and len(document.registers) > 1:
        told.insert(2, (N_("Tiers and hours"), say(words.TIER_MODES[version.tou_tier_mode])))
    if document.vending is not None and document.vending.arrears_share is not None:
        share = language.percent(document.vending.arrears_share)
        told.append((N_("Debt takes of a payment"), share))
    return [(say(name), value) for name, value in told]
