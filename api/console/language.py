"""Two languages by gettext catalogs; money, quantities and times as each of them writes them."""

import gettext
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import get_month_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import (
    format_decimal,
    format_percent,
    get_currency_precision,
    get_currency_symbol,
)

from ledger.values import instant

CATALOGS: Final = Path(__file__).parent / "locale"
LANGUAGES: Final = {"zh-CN": "zh_CN", "en": "en"}
SOURCE: Final = "en"
DEFAULT: Final = "zh-CN"
UNIT_OF: Final = {"wh": "kWh", "l": "m³"}
UNITS: Final = {"kWh": "kWh", "m3": "m³"}
"""Units as a tariff names them."""
UNIT_OF_KIND: Final = {"electricity": "kWh", "heat": "kWh"}
TIME: Final = "%Y-%m-%d %H:%M:%S"


@cache
def catalog(code: str) -> gettext.NullTranslations:
    """The words of a language, compiled from its catalog once; English is what is written here."""
    if code == SOURCE:
        return gettext.NullTranslations()
    with (CATALOGS / f"{LANGUAGES[code]}.po").open("rb") as file:
        entries = read_po(file, locale=LANGUAGES[code])
    compiled = io.BytesIO()
    write_mo(compiled, entries)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(LANGUAGES[code])


@cache
def _money(code: str, currency: str) -> tuple[str, int]:
    """What stands before an amount, and its digits: a list has many, and a pattern is slow."""
    return get_currency_symbol(currency, _locale(code)), get_currency_precision(currency)


def preferred(accepted: str) -> str:
    """The first language of an `Accept-Language` header that we speak."""
    for part in accepted.split(","):
        tag = part.partition(";")[0].strip().lower()
        for code in LANGUAGES:
            if tag and (tag == code.lower() or tag.partition("-")[0] == code.partition("-")[0]):
                return code
    return DEFAULT


@dataclass(frozen=True, slots=True)
class Language:
    """One language in one time zone, as a page speaks it."""

    code: str
    timezone: str

    @property
    def other(self) -> str:
        """The language that one may change to."""
        return next(code for code in LANGUAGES if code != self.code)

    def say(self, text: str, **values: object) -> str:
        """A sentence of the catalog with its values filled in."""
        said = catalog(self.code).gettext(text)
        return said % values if values else said

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """A sentence about a number of things."""
        said = catalog(self.code).ngettext(one, many, number)
        return said % {"number": self.number(number), **values}

    def number(self, value: Decimal | int) -> str:
        """A number with its groups of digits."""
        if isinstance(value, int):
            return f"{value:,}"  # As both languages group them.
        return str(format_decimal(value, locale=_locale(self.code)))

    def money(self, amount_minor: int, currency: str) -> str:
        """An amount of minor units; its minus is ASCII, so that it pastes into a sheet."""
        before, digits = _money(self.code, currency)
        whole, part = divmod(abs(amount_minor), 10**digits)
        fraction = f".{part:0{digits}}" if digits else ""
        return f"{'-' if amount_minor < 0 else ''}{before}{whole:,}{fraction}"

    def quantity(self, value: str | Decimal, unit: str) -> str:
        """A quantity of kWh or m³, to the digits that a bill shows."""
        return f"{self.amount(value, unit)} {unit}"

    def amount(self, value: str | Decimal, unit: str) -> str:
        """The same below a head that tells the unit."""
        places = ".00" if unit == "kWh" else ".000"
        return str(format_decimal(Decimal(value), f"#,##0{places}", _locale(self.code)))

    def plain(self, value: str) -> str:
        """A number of a document, without digits that say nothing."""
        return str(format_decimal(Decimal(value), "#,##0.########", _locale(self.code)))

    def price(self, value: str) -> str:
        """The price of a unit, in major units to four digits or as many as it has."""
        return str(format_decimal(Decimal(value), "#,##0.0000####", _locale(self.code)))

    def percent(self, share: str) -> str:
        """A share of one as a percentage."""
        return str(format_percent(Decimal(share), "#,##0.####%", _locale(self.code)))

    def major(self, value: str, currency: str) -> str:
        """An amount that a document gives in major units, with all its digits."""
        pattern = _locale(self.code).currency_formats["standard"]
        return str(
            pattern.apply(
                Decimal(value), _locale(self.code), currency=currency, decimal_quantization=False
            )
        )

    def months(self, numbers: Sequence[int]) -> str:
        """Months of a year; those in a row as from the first to the last."""
        names = get_month_names("abbreviated", locale=_locale(self.code))
        runs: list[list[int]] = []
        for number in sorted(numbers):
            if runs and runs[-1][-1] == number - 1:
                runs[-1].append(number)
            else:
                runs.append([number])
        told = (names[run[0]] + (f"–{names[run[-1]]}" if run[1:] else "") for run in runs)
        return ", ".join(told)

    def local(self, at: datetime | str | int) -> datetime:
        """A moment on the clocks of the site."""
        if isinstance(at, int):
            at = instant(at)
        elif isinstance(at, str):
            at = datetime.fromisoformat(at)
        return at.astimezone(ZoneInfo(self.timezone))

    def time(self, at: datetime | str | int) -> str:
        """A moment on the clocks of the site, to the second."""
        return self.local(at).strftime(TIME)

    def day(self, on: date) -> str:
        """A day in a few letters, as below a chart."""
        return on.strftime("%m-%d")
