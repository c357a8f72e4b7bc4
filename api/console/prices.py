"""The prices of a tariff as tables: a row for each tier, a column for each charge and register."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from api.console import words
from api.console.language import UNITS, Language
from api.console.words import N_
from ledger.pricing.document import Charge, Consumption, Prices, TariffDocument, Tier, Version

PER_TIER: Final = {"day": N_("a day"), "kva": N_("per kVA")}


class PriceTable(NamedTuple):
    """Prices that hold together; `title` says when, where it is not always."""

    title: str
    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


class Column(NamedTuple):
    """One price for each tier."""

    head: str
    prices: Sequence[str]


def price_tables(
    document: TariffDocument, version: Version, language: Language
) -> list[PriceTable]:
    """What a unit costs: in the usual months, in each season, and by the whole of a window."""
    unit = UNITS[document.unit]
    others = language.say(N_("Other months")) if version.seasons else ""
    tables = []
    for season in version.seasons:
        title = language.months(season.months)
        columns = _columns(version.charges, season.rates, language)
        tables.append(_table(title, season.tiers or version.tiers, columns, language, unit))
    usual = _columns(version.charges, {}, language)
    tables.append(_table(others, version.tiers, usual, language, unit))
    lower = "0"
    for schedule in version.schedule_by_total:
        bound = tier_text(lower, Tier(upto=schedule.upto), language, unit)
        title = language.say(N_("Where the whole use is: %(bound)s"), bound=bound)
        columns = _columns(schedule.charges, {}, language)
        tables.append(_table(title, schedule.tiers or version.tiers, columns, language, unit))
        lower = schedule.upto or lower
    return [table for table in tables if table.heads]


def tier_text(lower: str, tier: Tier, language: Language, unit: str) -> str:
    """Where a tier begins and ends."""
    per = PER_TIER.get(tier.per)
    measure = f"{unit} {language.say(per)}" if per else unit
    low = language.plain(lower)
    if tier.upto is None:
        if lower == "0":
            return language.say(N_("Any quantity"))
        return language.say(N_("Above %(bound)s"), bound=f"{low} {measure}")
    high = f"{language.plain(tier.upto)} {measure}"
    if lower == "0":
        return language.say(N_("Up to %(bound)s"), bound=high)
    return f"{low} – {high}"


def _table(
    title: str, tiers: Sequence[Tier], columns: Sequence[Column], language: Language, unit: str
) -> PriceTable:
    bounds = ["0", *(tier.upto or "0" for tier in tiers)]
    lowers = [low for low, _ in pairwise(bounds)]
    rows = [
        (
            tier_text(lower, tier, language, unit),
            [_price(column.prices, number, language) for column in columns],
        )
        for number, (lower, tier) in enumerate(zip(lowers, tiers, strict=True))
    ]
    return PriceTable(title, [column.head for column in columns], rows)


def _price(prices: Sequence[str], tier: int, language: Language) -> str:
    """The price of a tier; where all tiers have one, it is written once."""
    return language.price(prices[min(tier, len(prices) - 1)])


def _columns(
    charges: Sequence[Charge], seasonal: Mapping[str, Prices], language: Language
) -> list[Column]:
    consumed = [charge for charge in charges if isinstance(charge, Consumption)]
    is_alone = len(consumed) == 1
    return [
        Column(_head(charge, register, language, is_alone=is_alone), prices)
        for charge in consumed
        for register, prices in _by_register(charge, seasonal.get(charge.id, charge.rates))
    ]


def _by_register(charge: Consumption, rates: Prices | None) -> Iterator[tuple[str, list[str]]]:
    if isinstance(rates, dict):
        yield from rates.items()
    elif rates is not None:
        yield "", rates
    elif charge.rate is not None:
        yield "", [charge.rate]


def _head(charge: Consumption, register: str, language: Language, *, is_alone: bool) -> str:
    name = language.say(words.word(words.CHARGES, charge.id))
    if not register:
        return name
    word = language.say(words.word(words.REGISTERS, register))
    return word if is_alone else f"{name} · {word}"
