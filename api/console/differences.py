"""What differs between two documents of the catalogue, place by place, as a person reads it."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from api.console import words
from api.console.language import Language
from api.console.words import N_
from ledger.pricing.document_diff import KEYS, Changed, document_diff

PLACES: Final = {
    "versions": N_("prices from %(name)s on"),
    "charges": "%(name)s",
    "modifiers": "%(name)s",
    "seasons": N_("season %(name)s"),
    "no_cut_windows": N_("window %(name)s"),
}
"""Lists whose members have a name, and how such a member is called."""
NAMES: Final = {
    "name": N_("Name"),
    "source": N_("Sources"),
    "confidence": N_("Confidence"),
    "tou_calendar": N_("Hours"),
    "effective_from": N_("From"),
    "effective_to": N_("Until"),
    "tiers": N_("tier"),
    "upto": N_("up to"),
    "rates": N_("price"),
    "rate": N_("price"),
    "amount": N_("amount"),
    "accumulation": N_("Counting"),
    "window": N_("Tiers count over"),
    "rounding": N_("Rounding"),
    "tax": N_("Tax"),
    "remind": words.LEVELS["remind"],
    "warn": words.LEVELS["warn"],
    "trip": words.LEVELS["trip"],
    "available_minor": N_("available, in the smallest unit"),
    "days_left": N_("Days left"),
    "restore_above_minor": N_("Restore line, in the smallest unit"),
    "hysteresis_minor": N_("Hysteresis, in the smallest unit"),
    "cuts": N_("May cut"),
    "grace_hours": N_("Grace in hours"),
    "days": N_("Days"),
    "hours": N_("Hours"),
    "holidays": N_("Calendar"),
    "through_year": N_("Calendar known through"),
    "first_day": N_("First day"),
    "last_day": N_("Last day"),
    "kind": N_("Kind"),
    "effect": N_("Effect"),
    "per": N_("Counted by"),
    "per_month": N_("Quantity a month"),
    "at_rate": N_("price"),
    "when": N_("For whom"),
    "attribute": N_("What counts"),
    "gte": N_("At least"),
    "eq": N_("Equal to"),
    "starts": N_("Begins"),
    "valid_years": N_("Years"),
    "change": N_("Effect on the window that runs"),
    "gl": N_("Booked as"),
    "tax_rate": N_("Tax"),
    "note": N_("Note"),
}
VALUES: Final = {
    "shift_tiers": N_("higher bounds"),
    "flat_price": N_("one price"),
    "next_month": N_("from the next month on"),
    "from_change_on": N_("from the change on"),
    "rerate_window": N_("the window that runs is charged anew"),
    "consumption": N_("price of a unit"),
    "fixed": N_("fixed charge"),
    "free_quantity": N_("free quantity"),
    "percent": N_("percentage"),
    "minimum": N_("minimum"),
    "capacity": N_("capacity charge"),
    "demand": N_("demand charge"),
    "month": N_("month"),
    "year": N_("year"),
    "day": N_("day"),
}
"""Words that authors choose among, and the usual attributes."""


NAMING: Final = ("/id", "/effective_from")
"""They name their member, which is named already."""


class Difference(NamedTuple):
    """A place, and what stood and stands there; empty where nothing does."""

    place: str
    old: str
    new: str


def differences(old: object, new: object, language: Language) -> list[Difference]:
    """Every place at which two documents differ."""
    found = (each for change in document_diff(old, new) for each in _opened(change))
    return [
        Difference(
            _place(change.path, language), _text(change.old, language), _text(change.new, language)
        )
        for change in found
        if not change.path.endswith(NAMING)
    ]


def _opened(change: Changed) -> Iterator[Changed]:
    """A part that came or went as its own particulars, so that nobody reads JSON."""
    if change.old is None:
        yield from (Changed(path, None, value) for path, value in _leaves(change.path, change.new))
    elif change.new is None:
        yield from (Changed(path, value, None) for path, value in _leaves(change.path, change.old))
    else:
        yield change


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(f"{path}/{name}", member)
    elif isinstance(value, list) and any(isinstance(member, dict) for member in value):
        key = KEYS.get(path.rpartition("/")[2], "")
        for number, member in enumerate(value):
            yield from _leaves(f"{path}/{member.get(key, number)}", member)
    elif value is not None:
        yield path, value


def _place(path: str, language: Language) -> str:
    told: list[str] = []
    steps = iter(path.split("/")[1:])
    for step in steps:
        if step in PLACES and (name := next(steps, None)) is not None:
            word = language.say(words.word(words.CHARGES, name))
            told.append(language.say(PLACES[step], name=word))
        elif step.isdigit():
            told.append(str(int(step) + 1))
        else:
            word = NAMES.get(step) or words.REGISTERS.get(step) or step
            told.append(language.say(word))
    return " · ".join(told)


def _text(value: object, language: Language) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return language.say(words.word(VALUES | words.ATTRIBUTES, value))
    if isinstance(value, Sequence) and all(isinstance(each, str | int) for each in value):
        return " / ".join(map(str, value))
    return msgspec.json.encode(value).decode()
