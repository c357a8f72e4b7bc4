"""No-cut windows of a control policy in people's words: on which days, at which hours."""

from typing import Final, NamedTuple

from babel import Locale
from babel.dates import get_day_names

from api.console.language import LANGUAGES, Language
from api.console.words import N_
from ledger.aggregates.policy_windows import HOLIDAY, WEEKDAYS, NoCutWindow

YEARLY_LENGTH: Final = len("06-07")


class WindowLine(NamedTuple):
    """A window: its name, and when nobody is cut."""

    name: str
    days: str
    hours: str


def window_line(window: NoCutWindow, language: Language) -> WindowLine:
    """A window as a person reads it."""
    hours = (window.hours or "").replace("-", "–")
    return WindowLine(window.name, _days(window, language), hours or language.say(N_("all day")))


def _days(window: NoCutWindow, language: Language) -> str:
    if window.first_day is not None:
        text = N_("from %(first)s to %(last)s")
        if len(window.first_day) == YEARLY_LENGTH:
            text = N_("every year from %(first)s to %(last)s")
        return language.say(text, first=window.first_day, last=window.last_day)
    if not window.days:
        return language.say(N_("every day"))
    told = ", ".join(_day(name, language) for name in window.days)
    if window.holidays is None:
        return told
    known = language.say(
        N_("calendar %(calendar)s, known through %(year)s"),
        calendar=window.holidays,
        year=window.through_year,
    )
    return f"{told} ({known})"


def _day(name: str, language: Language) -> str:
    if name in WEEKDAYS:
        locale = Locale.parse(LANGUAGES[language.code])
        return str(get_day_names("wide", locale=locale)[WEEKDAYS.index(name)])
    return language.say(N_("public holidays") if name == HOLIDAY else N_("weekends"))
