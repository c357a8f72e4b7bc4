"""No-cut windows (保电时段) as the author of a control policy writes them."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ledger.aggregates.account.no_cut import (
    GRACE,
    WHOLE_DAY,
    Days,
    Span,
    Window,
    never_leaves_an_hour,
)
from ledger.pricing.holidays import CALENDARS
from ledger.pricing.hours import DAY_MINUTES, MINUTE_US, spans_of
from ledger.pricing.problems import Problem, Problems, pointer
from ledger.values import storable

PLACE: Final = "no_cut_windows"
WINDOWS_MAX: Final = 40
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKEND: Final = "weekend"
HOLIDAY: Final = "holiday"
PERIOD_DAYS_MAX: Final = 184
"""A winter; whoever is not to be cut for longer is guaranteed, or has a policy without a trip."""
FREE_WITHIN_DAYS: Final = 200
_LEAP_YEAR: Final = 2024
"""Any year that has all days."""
_ONCE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_YEARLY: Final = re.compile(r"\d\d-\d\d")

DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "weekend", "holiday"]


class NoCutWindow(BaseModel):
    """When nobody is cut: hours of every day, of some days of the week, of holidays or a period."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=64)]
    days: Annotated[tuple[DayName, ...], Field(max_length=9)] = ()
    holidays: str | None = None
    """The calendar that tells holidays, and weekends that are worked for them; such as `cn`."""
    through_year: int | None = None
    """The last year of that calendar; filled in when the policy is published."""
    first_day: str | None = None
    """`2027-02-05` of a period that comes once, `06-07` of one that comes every year."""
    last_day: str | None = None
    """It belongs to the period."""
    hours: str | None = None
    """`18:00-08:00`, or several spans; one over midnight belongs to the day on which it begins."""

    @field_validator("name")
    @classmethod
    def _own_name(cls, name: str) -> str:
        if name == GRACE:
            raise ValueError(f"{GRACE} is what grace_hours are called; name the window otherwise")
        if storable(name) != name:
            raise ValueError("write the name without control characters")
        return name

    @field_validator("holidays")
    @classmethod
    def _known_calendar(cls, name: str | None) -> str | None:
        if name is not None and name not in CALENDARS:
            raise ValueError(f"there is no calendar {name}; known are: {', '.join(CALENDARS)}")
        return name

    @field_validator("first_day", "last_day")
    @classmethod
    def _a_day(cls, text: str | None) -> str | None:
        if text is not None and _day_of(text) is None:
            raise ValueError("write a day as 2027-02-05, or 06-07 where it comes every year")
        return text

    @field_validator("hours")
    @classmethod
    def _readable_hours(cls, text: str | None) -> str | None:
        if text is not None and not _spans(text):
            raise ValueError(
                "write hours as 18:00-08:00, or 12:00-14:00, 20:00-24:00; leave them out where "
                "the window is open all day"
            )
        return text

    @model_validator(mode="before")
    @classmethod
    def _known_through(cls, document: object) -> object:
        """A calendar that grows later leaves a published policy as it was."""
        if not isinstance(document, Mapping) or document.get("through_year") is not None:
            return document
        known = CALENDARS.get(str(document.get("holidays")))
        return document if known is None else {**document, "through_year": known.years[-1]}

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.days and self.first_day:
            raise ValueError("days of the week and a period are two windows; write two")
        if HOLIDAY in self.days and self.holidays is None:
            raise ValueError("say by holidays which calendar names them, such as cn")
        if self.holidays is not None and not {HOLIDAY, WEEKEND} & set(self.days):
            raise ValueError("a calendar is asked only where days has holiday or weekend")
        if (self.first_day is None) != (self.last_day is None):
            raise ValueError("a period has a first_day and a last_day")
        self._require_period()
        if not (self.days or self.first_day or self.hours):
            raise ValueError("say when: by days, by first_day and last_day, or by hours")
        return self

    def _require_period(self) -> None:
        first, last = _day_of(self.first_day or ""), _day_of(self.last_day or "")
        if first is None or last is None:
            return
        if _is_yearly(self.first_day) != _is_yearly(self.last_day):
            raise ValueError("first_day and last_day both name the year, or neither does")
        days = last - first + 1
        if _is_yearly(self.first_day) and days <= 0:
            days += 366
        if days <= 0:
            raise ValueError("last_day must not lie before first_day")
        if days > PERIOD_DAYS_MAX:
            raise ValueError(
                f"the period has {days} days, and at most {PERIOD_DAYS_MAX} are allowed; "
                "guarantee the accounts instead, or give them a policy without a trip line"
            )

    def window(self) -> Window:
        """The same as decisions are made by."""
        return Window(self.name, self._days(), _spans(self.hours) if self.hours else (WHOLE_DAY,))

    def begins(self) -> int | None:
        """The first day of a period, in any year where it comes every year."""
        return _day_of(self.first_day or "")

    def _days(self) -> Days:
        first, last = self.begins(), _day_of(self.last_day or "")
        if first is not None and last is not None:
            if _is_yearly(self.first_day):
                return Days(yearly=(_month_and_day(first), _month_and_day(last)))
            return Days(first=first, last=last)
        named = (WEEKDAYS.index(name) + 1 for name in self.days if name in WEEKDAYS)
        return Days(
            weekdays=frozenset(named),
            weekend=WEEKEND in self.days,
            holiday=HOLIDAY in self.days,
            holidays=CALENDARS.get(self.holidays or ""),
            through_year=self.through_year or 0,
        )


def window_problems(windows: tuple[NoCutWindow, ...]) -> Problems:
    """Names that say two things, and windows that together leave no hour to cut in."""
    names = [window.name for window in windows]
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"Another window is called {name}; a decision names what held it back."
            yield Problem(pointer(PLACE, index, "name"), message, "window_name")
        known = CALENDARS.get(windows[index].holidays or "")
        if known is not None and (windows[index].through_year or 0) > known.years[-1]:
            message = f"The calendar is known through {known.years[-1]}; leave through_year out."
            yield Problem(pointer(PLACE, index, "through_year"), message, "holidays")
    compiled = tuple(window.window() for window in windows)
    for day in _days_to_look_at(windows):
        if never_leaves_an_hour(compiled, day, FREE_WITHIN_DAYS):
            message = (
                f"For {FREE_WITHIN_DAYS} days in a row no hour is left to cut in, so that nobody "
                f"is ever cut; shorten or leave out one of: {', '.join(names)}."
            )
            yield Problem(pointer(PLACE), message, "no_hour_left")
            return


def _days_to_look_at(windows: tuple[NoCutWindow, ...]) -> Iterator[int]:
    """An ordinary day, and the days from which on a period makes it worse."""
    yield date(_LEAP_YEAR, 3, 1).toordinal()
    for window in windows:
        begins = window.begins()
        if begins is not None:
            yield begins


def _day_of(text: str) -> int | None:
    whole = text if _ONCE.fullmatch(text) else f"{_LEAP_YEAR}-{text}"
    if not _ONCE.fullmatch(whole):
        return None
    try:
        return date.fromisoformat(whole).toordinal()
    except ValueError:
        return None


def _is_yearly(text: str | None) -> bool:
    return text is not None and _YEARLY.fullmatch(text) is not None


def _month_and_day(day: int) -> int:
    on = date.fromordinal(day)
    return on.month * 100 + on.day


def _spans(text: str) -> tuple[Span, ...]:
    """Where each span begins on its day and how long it lasts; none where they cannot be read."""
    found: list[Span] = []
    for span in spans_of(text) or ():
        begins, ends = (int(span[n]) * 60 + int(span[n + 1] or 0) for n in (1, 3))
        if begins >= DAY_MINUTES or ends > DAY_MINUTES or begins == ends:
            return ()
        lasts = ends - begins if begins < ends else ends + DAY_MINUTES - begins
        found.append((begins * MINUTE_US, lasts * MINUTE_US))
    return tuple(found)
