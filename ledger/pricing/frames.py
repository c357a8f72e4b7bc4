"""Frames: spans of time in which nothing changes, with all that rating inside them needs."""

from typing import Final

from ledger.pricing.calendar import first_day, instants_of_midnight, month_of
from ledger.pricing.pieces import version_at
from ledger.pricing.terms import Version
from ledger.values import local_day

UNBOUNDED: Final = 1 << 400
"""Bound of the last tier; beyond every quantity times every denominator."""
_DAYS_MAX: Final = 50_000  # More than a century.
Bounds = tuple[tuple[int, ...], int]
"""Upper bounds of the tiers as numerators over one denominator; the last is `UNBOUNDED`."""


class Frame:
    """One version, one window and one season: an interval inside it is integers all the way.

    `from_us` and `to_us` are UTC; at a clock change they are drawn in, never out.
    """

    __slots__ = (
        "_day_ends",
        "_half",
        "_is_plain",
        "_prorated",
        "_step",
        "bounds",
        "daily",
        "days",
        "from_us",
        "is_monthly",
        "month",
        "once",
        "prices",
        "season",
        "single_prices",
        "timezone",
        "to_us",
        "version",
        "version_number",
        "window_from",
        "window_to",
    )

    def __init__(self, version: Version, day: int, timezone: str) -> None:
        self.version = version
        self.version_number = version.number
        self.season = version.season(day)
        self.window_from, self.window_to = version.window.around(day)
        self.month = month_of(day)
        self.days = self._days()
        self.from_us = instants_of_midnight(timezone, self.days.start)[1]
        self.to_us = instants_of_midnight(timezone, self.days.stop)[0]
        self.timezone = timezone
        self._day_ends: dict[int, int] = {}
        terms = version.terms[self.season]
        self.prices = terms.prices
        self.single_prices = tuple(tuple(line[0] for line in tier) for tier in terms.prices)
        self.bounds: Bounds = (*terms.bounds, UNBOUNDED), 1
        self._prorated: dict[int, Bounds] = {}
        self.daily = tuple((fee.line, fee.amount) for fee in version.fixed if fee.per == "day")
        self.is_monthly = any(fee.per == "month" for fee in version.fixed)
        self.once = tuple(fee.line for fee in version.fixed if fee.per == "period")
        first = version.rounding[0]
        self._step, self._half = first.step, first.step // 2
        self._is_plain = _is_plain(version)

    def _days(self) -> range:
        from_day = max(self.version.from_day, self.window_from)
        to_day = min(self.version.to_day, self.window_to)
        if self.version.is_monthly:
            from_day = max(from_day, first_day(self.month))
            to_day = min(to_day, first_day(self.month + 1))
        return range(from_day, to_day)

    def bounds_for(self, in_service_from: int) -> Bounds:
        """Bounds of a point that is in service since that day."""
        if in_service_from <= self.window_from or not self.version.prorated:
            return self.bounds
        bounds = self._prorated.get(in_service_from)
        if bounds is None:
            numerators, den = self.version.bounds(self.season, self.window_from, in_service_from)
            bounds = self._prorated[in_service_from] = ((*numerators, UNBOUNDED), den)
        return bounds

    def day_end_us(self, day: int) -> int:
        """UTC time before which the local day has surely not ended."""
        end_us = self._day_ends.get(day)
        if end_us is None:
            end_us, _ = instants_of_midnight(self.timezone, day + 1)
            self._day_ends[day] = end_us
        return end_us

    def posted(self, accrued: tuple[int, ...], den: int) -> tuple[int, ...]:
        """Minor units of each line's accrual (over `den`)."""
        if self._is_plain:
            half, step = self._half * den, self._step * den
            return tuple([(units + half) // step for units in accrued])
        rounding = zip(self.version.rounding, accrued, strict=True)
        return tuple([line.minor(units, den) for line, units in rounding])


def _is_plain(version: Version) -> bool:
    """Every line rounds half up to one minor unit, and nothing is ever below zero."""
    prices = (
        price for terms in version.terms for tier in terms.prices for line in tier for price in line
    )
    first = version.rounding[0]
    return (
        all(price >= 0 for price in prices)
        and all(fee.amount >= 0 for fee in version.fixed)
        and all(rounding == first for rounding in version.rounding)
        and first.mode == "half_up"
        and first.quantum_minor == 1
        and not first.again
    )


class Frames:
    """The frames of a tariff by day, made when they are first needed."""

    def __init__(self, versions: tuple[Version, ...], timezone: str) -> None:
        self.versions = versions
        self.timezone = timezone
        self._by_day: dict[int, Frame] = {}

    def of(self, day: int) -> Frame:
        """The frame that holds a day; NotRateable when no version does."""
        frame = self._by_day.get(day)
        if frame is None:
            if len(self._by_day) >= _DAYS_MAX:
                self._by_day.clear()
            frame = Frame(version_at(self.versions, day), day, self.timezone)
            self._by_day.update(dict.fromkeys(frame.days, frame))
        return frame

    def around(self, from_us: int, to_us: int) -> Frame | None:
        """The frame that holds the whole interval, if there is one."""
        if from_us >= to_us:
            return None
        frame = self.of(local_day(self.timezone, from_us))
        return frame if frame.from_us <= from_us and to_us <= frame.to_us else None
