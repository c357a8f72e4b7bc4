"""What can be wrong with the hours of a tariff: every minute of a day belongs to one register."""

from collections.abc import Collection
from datetime import date

from ledger.pricing.document import HolidayYear, TariffDocument
from ledger.pricing.holidays import CALENDARS, days_of
from ledger.pricing.hours import (
    DAY_MINUTES,
    DAY_TYPES,
    HOLIDAY,
    HOLIDAYS,
    MAKEUP_WORKDAY,
    NOTE,
    WORKDAY,
    minutes_of,
    spans_of,
)
from ledger.pricing.lines import energy_registers
from ledger.pricing.lint_numbers import Place
from ledger.pricing.problems import Problem, Problems, pointer

PLACE = "tou_calendar"


def calendar_problems(document: TariffDocument) -> Problems:
    """Hours speak of the tariff's registers, and of days that can be told apart."""
    calendar = document.tou_calendar or {}
    own: dict[str, str] = {}
    unknown = False
    for name, spans in calendar.items():
        if isinstance(spans, str):
            if name in document.registers:
                own[name] = spans
            elif name not in {NOTE, HOLIDAYS}:
                unknown = True
                yield _unknown_register(document, PLACE, name)
            continue
        yield from _day_problems(document, name, spans)
    types = [name for name, spans in calendar.items() if isinstance(spans, dict)]
    if types and not own and WORKDAY not in types:
        message = "Days that no type is given for have the hours of a workday; name these."
        yield Problem(pointer(PLACE), message, "day_type")
    if own and not unknown:
        yield from hour_problems(own, (PLACE,), energy_registers(document))
    yield from _holiday_problems(document)


def _day_problems(document: TariffDocument, name: str, spans: dict[str, str]) -> Problems:
    calendar = document.tou_calendar or {}
    strange = [register for register in spans if register not in document.registers]
    for register in strange:
        yield _unknown_register(document, PLACE, name, register)
    if not strange:
        yield from hour_problems(spans, (PLACE, name), spans)
    if name not in DAY_TYPES:
        message = f"No day is of the type {name}; the types are: {', '.join(DAY_TYPES)}."
        yield Problem(pointer(PLACE, name), message, "day_type")
    if name in {HOLIDAY, MAKEUP_WORKDAY} and HOLIDAYS not in calendar:
        message = f"Say by `{HOLIDAYS}` which calendar names these days, such as `cn`."
        yield Problem(pointer(PLACE, name), message, "holidays")


def _holiday_problems(document: TariffDocument) -> Problems:
    told = document.holidays
    named = (document.tou_calendar or {}).get(HOLIDAYS)
    if named is not None and named not in CALENDARS and not told:
        message = (
            f"There is no calendar {named}; there is: {', '.join(CALENDARS)}. Name one of them, or "
            f"tell its years by `/{HOLIDAYS}`."
        )
        yield Problem(pointer(PLACE, HOLIDAYS), message, "holidays")
    if told and named is None:
        message = f"Say by `/{PLACE}/{HOLIDAYS}` whose holidays these are, such as `cn`."
        yield Problem(pointer(HOLIDAYS), message, "holidays")
    years = [each.year for each in told]
    for index, each in enumerate(told):
        if each.year in years[:index]:
            message = f"The holidays of {each.year} stand twice; leave one of them out."
            yield Problem(pointer(HOLIDAYS, index, "year"), message, "holidays")
        yield from _year_problems(each, (HOLIDAYS, index))


def _year_problems(told: HolidayYear, at: Place) -> Problems:
    seen: set[int] = set()
    for name, texts in (("off", told.off), ("worked", told.worked)):
        for number, text in enumerate(texts):
            days, place = days_of(text), pointer(*at, name, number)
            if days is None:
                message = "Write a day as 2027-01-01, or several as 2027-02-06/2027-02-12."
                yield Problem(place, message, "holidays")
                continue
            if {date.fromordinal(day).year for day in (days[0], days[-1])} != {told.year}:
                message = f"{text} does not lie in {told.year}; each year tells its own days."
                yield Problem(place, message, "holidays")
            if seen.intersection(days):
                yield Problem(place, f"A day of {text} is told twice; take it out.", "holidays")
            seen.update(days)


def _unknown_register(document: TariffDocument, *place: str) -> Problem:
    names = ", ".join(document.registers)
    message = f"The tariff has no register {place[-1]}; it has: {names}."
    return Problem(pointer(*place), message, "registers")


def hour_problems(spans: dict[str, str], at: Place, registers: Collection[str]) -> Problems:
    """The hours of a day belong to one register each; none is left over if all are named."""
    minutes = [0] * DAY_MINUTES
    for register, text in spans.items():
        parts = spans_of(text)
        if parts is None:
            message = "Write hours like 08:00-12:00, several with a comma between."
            yield Problem(pointer(*at, register), message, "hours")
            return
        for part in parts:
            for minute in minutes_of(part):
                minutes[minute] += 1
    least = int(set(registers) <= set(spans))
    wrong = [minute for minute, count in enumerate(minutes) if not least <= count <= 1]
    if wrong:
        which = "two registers" if minutes[wrong[0]] else "no register"
        message = f"{wrong[0] // 60:02}:{wrong[0] % 60:02} belongs to {which}; let the hours join."
        yield Problem(pointer(*at), message, "hours")
