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
}


class Difference(NamedTuple):
    """A place, and what stood and stands there; empty where nothing does."""

    place: str
    old: str
    new: str


def differences(old: object, new: object, language: Language) -> list[Difference]:
    """Every place at which two documents differ."""
    found = (each for change in document_diff(old, new) for each in _opened(change))
    return [
        Difference(_place(change.path, language), _text(change.old), _text(change.new))
        for change in found
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


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) and all(isinstance(each, str | int) for each in value):
        return " / ".join(map(str, value))
    return msgspec.json.encode(value).decode()
