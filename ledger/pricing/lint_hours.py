"""What can be wrong with the hours of a tariff: every minute of a day belongs to one register."""

from collections.abc import Collection

from ledger.pricing.document import TariffDocument
from ledger.pricing.holidays import CALENDARS
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
    yield from _holiday_problems(calendar)


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


def _holiday_problems(calendar: dict[str, str | dict[str, str]]) -> Problems:
    named = calendar.get(HOLIDAYS)
    if named is not None and named not in CALENDARS:
        message = f"There is no calendar {named}; there is: {', '.join(CALENDARS)}."
        yield Problem(pointer(PLACE, HOLIDAYS), message, "holidays")


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
