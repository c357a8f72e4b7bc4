"""Is a tariff document publishable? Every problem with its place and its remedy."""

import json
from datetime import date
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from ledger.pricing.calendar import WINDOW_MONTHS, Window
from ledger.pricing.document import TariffDocument, Version, parse_tariff
from ledger.pricing.lines import energy_registers, is_outside_tax
from ledger.pricing.lint_hours import calendar_problems
from ledger.pricing.lint_household import vending_problems
from ledger.pricing.lint_version import line_problems, placed, version_problems
from ledger.pricing.problems import Problem, Problems, TariffInvalid, pointer
from ledger.pricing.shape import shape_problems

UNITS: Final = {
    "electricity": ("kWh",),
    "heat": ("kWh",),
    "water": ("m3",),
    "gas": ("m3", "kWh"),
}


def lint(document: dict[str, object]) -> list[Problem]:
    """Every reason why the tariff cannot be published; none when it can."""
    try:
        parsed = parse_tariff(document)
    except ValidationError as error:
        return shape_problems(error, document)
    return list(dict.fromkeys(_problems(parsed)))


def checked(document: bytes | dict[str, object]) -> TariffDocument:
    """The document, if it can be rated by; TariffInvalid names what is wrong."""
    fields = _read(document) if isinstance(document, bytes) else document
    problems = lint(fields)
    if problems:
        raise TariffInvalid(problems)
    return parse_tariff(fields)


def _read(text: bytes) -> dict[str, object]:
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise TariffInvalid([Problem("", f"This is no JSON: {error}.", "invalid")]) from error
    if not isinstance(fields, dict):
        raise TariffInvalid([Problem("", "A tariff document is a JSON object.", "invalid")])
    return fields


def _problems(document: TariffDocument) -> Problems:
    yield from _header_problems(document)
    yield from calendar_problems(document)
    yield from _tax_problems(document)
    if document.vending is not None:
        yield from vending_problems(document, document.vending)
    yield from _date_problems(document.versions)
    for number, version in enumerate(document.versions):
        yield from version_problems(document, version, ("versions", number))
    yield from line_problems(document)


# ---------------------------------------------------------------- header


def _header_problems(document: TariffDocument) -> Problems:
    units = UNITS[document.service_kind]
    if document.unit not in units:
        message = f"{document.service_kind} is measured in {' or '.join(units)}; correct the unit."
        yield Problem("/unit", message, "unit")
    try:
        ZoneInfo(document.timezone)
    except (KeyError, ValueError, OSError):
        message = f"{document.timezone!r} is no time zone; use an IANA name like Asia/Shanghai."
        yield Problem("/timezone", message, "timezone")
    for index, register in enumerate(document.registers):
        if register in document.registers[:index]:
            message = f"The register {register} stands twice; name each once."
            yield Problem(pointer("registers", index), message, "registers")
    energy = energy_registers(document)
    if "total" in energy and len(energy) > 1:
        message = "`total` beside other registers counts twice; name either it or its parts."
        yield Problem("/registers", message, "registers")
    if not energy:
        message = "Name a register that counts a quantity."
        yield Problem("/registers", message, "registers")


def _tax_problems(document: TariffDocument) -> Problems:
    placed_charges = [
        (charge, place)
        for number, version in enumerate(document.versions)
        for charge, place in placed(version, ("versions", number))
    ]
    message = "A tariff without tax has no rate; take it out, or say how the tax is treated."
    if document.tax.treatment != "none":
        taxes = [charge.id for charge, _ in placed_charges if is_outside_tax(document, charge)]
        if not taxes:
            return
        message = f"The tax is the charge {taxes[0]}, which takes no rate of others; take it out."
    elif document.tax.rate is not None:
        yield Problem("/tax/rate", message, "tax")
    for charge, place in placed_charges:
        if charge.tax_rate is not None:
            yield Problem(pointer(*place, "tax_rate"), message, "tax")


# ---------------------------------------------------------------- versions


def _date_problems(versions: list[Version]) -> Problems:
    wrong = list(_unreadable_dates(versions))
    if wrong:
        yield from wrong
        return
    for number, version in enumerate(versions):
        if version.effective_to is not None and version.effective_to <= version.effective_from:
            message = "A version ends after it begins; `effective_to` is its first day without it."
            yield Problem(pointer("versions", number, "effective_to"), message, "dates")
    for number, (old, new) in enumerate(pairwise(versions)):
        place = pointer("versions", number, "effective_to")
        if old.effective_to is None or old.effective_to > new.effective_from:
            message = f"The next version begins on {new.effective_from}; end this one there."
            yield Problem(place, message, "version_overlap")
        elif old.effective_to < new.effective_from:
            message = (
                f"No version holds from {old.effective_to} to {new.effective_from}; join them."
            )
            yield Problem(place, message, "version_gap")
        yield from _window_problems(old, new, number + 1)
        if old.accumulation.basis != new.accumulation.basis:
            message = "Units are sold by all versions or by none; publish another tariff for that."
            place = pointer("versions", number + 1, "accumulation", "basis")
            yield Problem(place, message, "purchase")


def _unreadable_dates(versions: list[Version]) -> Problems:
    for number, version in enumerate(versions):
        for name in ("effective_from", "effective_to"):
            text = getattr(version, name)
            try:
                date.fromisoformat(text or "2000-01-01")
            except ValueError:
                message = f"{text} is no day of the calendar; correct it."
                yield Problem(pointer("versions", number, name), message, "dates")


def _window_problems(old: Version, new: Version, number: int) -> Problems:
    """Another window may only begin where both have a border, unless the version says reset."""
    windows = [_window(version) for version in (old, new)]
    if None in windows or windows[0] == windows[1]:
        return
    if new.accumulation.on_version_change == "reset":
        return
    day = date.fromisoformat(new.effective_from).toordinal()
    if any(window is not None and window.around(day)[0] != day for window in windows):
        message = "Another window begins amid one; begin at a border of both, or say `reset`."
        place = pointer("versions", number, "accumulation", "window")
        yield Problem(place, message, "window_change")


def _window(version: Version) -> Window | None:
    months = WINDOW_MONTHS.get(version.accumulation.window)
    return None if months is None else Window(months, version.accumulation.anchor_month)
