"""The hours of a tariff (分时时段) as bands of a day, one for each kind of day."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from api.console import words
from api.console.language import Language
from api.console.words import N_
from ledger.pricing.hours import DAY_MINUTES, HOLIDAYS, NOTE, minutes_of, spans_of

WIDTH: Final = 720
BAND: Final = 30
STEP: Final = 52
HEAD: Final = 18
TICK_HOURS: Final = range(0, 25, 3)


class Stretch(NamedTuple):
    """Hours in a row that belong to one register, in units of the drawing."""

    register: str
    x: float
    width: float
    title: str


class Band(NamedTuple):
    """A kind of day: its name, its hours in words, and as they are drawn."""

    name: str
    hours: Sequence[tuple[str, str, str]]
    """Register, its word, its hours."""
    stretches: Sequence[Stretch]


def bands(calendar: Mapping[str, str | dict[str, str]] | None, language: Language) -> list[Band]:
    """Each kind of day of a calendar; what is no hours (a note) is left out."""
    every = {name: spans for name, spans in (calendar or {}).items() if isinstance(spans, str)}
    kinds = {name: spans for name, spans in (calendar or {}).items() if isinstance(spans, dict)}
    found = [_band(language.say(N_("Every day")), every, language)]
    found += [_band(_kind(name, language), spans, language) for name, spans in kinds.items()]
    return [band for band in found if band.stretches]


def notes(calendar: Mapping[str, str | dict[str, str]] | None, language: Language) -> list[str]:
    """What else the author says of the hours."""
    told = calendar or {}
    named = told.get(HOLIDAYS)
    days = [language.say(N_("Holidays of the calendar: %(name)s"), name=named)] if named else []
    return days + [text for name, text in told.items() if name == NOTE and isinstance(text, str)]


def _kind(name: str, language: Language) -> str:
    return language.say(words.word(words.DAY_KINDS, name))


def _band(name: str, spans: Mapping[str, str], language: Language) -> Band:
    owners = [""] * DAY_MINUTES
    hours = []
    for register, text in spans.items():
        minutes = [minute for span in spans_of(text) or () for minute in minutes_of(span)]
        if minutes:
            word = language.say(words.word(words.REGISTERS, register))
            hours.append((register, word, text.replace(",", ", ").replace("  ", " ")))
        for minute in minutes:
            owners[minute] = register
    return Band(name, hours, _stretches(owners, {register: word for register, word, _ in hours}))


def _stretches(owners: Sequence[str], names: Mapping[str, str]) -> list[Stretch]:
    found, at = [], 0
    for register, group in groupby(owners):
        length = len(list(group))
        if register:
            title = f"{names[register]} {_clock(at)}–{_clock(at + length)}"
            x, wide = at * WIDTH / DAY_MINUTES, length * WIDTH / DAY_MINUTES
            found.append(Stretch(register, round(x, 2), round(wide, 2), title))
        at += length
    return found


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
