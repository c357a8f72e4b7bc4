"""What an account should hold, reckoned in fractions by the plainest rules."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import floor

HOUR = Fraction(1, 24)


@dataclass
class NaiveTariff:
    """Tiers by the month, one price a tier, versions that begin on a day."""

    bounds_kwh: list[int]
    versions: list[tuple[date, list[str]]]
    """From which day on, and the price of a kWh in each tier."""

    def cents(self, used_kwh: Fraction, more_kwh: Fraction, day: date) -> Fraction:
        """What `more` costs on a day behind what the month has used before."""
        prices = next(prices for begins, prices in reversed(self.versions) if begins <= day)
        total, at, end = Fraction(0), used_kwh, used_kwh + more_kwh
        for bound, price in zip([*self.bounds_kwh, None], prices, strict=True):
            upto = end if bound is None else min(end, Fraction(bound))
            if upto > at:
                total += (upto - at) * Fraction(price) * 100
                at = upto
        return total


@dataclass
class NaiveMeter:
    """A meter's last reading, and what each month has used, accrued and posted at its point.

    Time is counted in days since New Year 2026, in the tariff's own zone.
    """

    tariff: NaiveTariff
    multiplier: Fraction = Fraction(1)
    shown_wh: int = 0
    read_at: Fraction = Fraction(0)
    used: dict[tuple[int, int], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    lines: list[tuple[Fraction, Fraction, int, int, Fraction]] = field(default_factory=list)
    """From, to, shown before and after, multiplier: straight lines between two readings."""
    posted: int = 0

    def read(self, at: Fraction, shown_wh: int) -> int:
        """Cents to be charged up to a reading: a straight line over the days in between."""
        self.lines.append((self.read_at, at, self.shown_wh, shown_wh, self.multiplier))
        self.shown_wh, self.read_at = shown_wh, at
        return self._settle()

    def read_late(self, at: Fraction, shown_wh: int) -> int:
        """Cents to be charged, or given back, for a reading between two others."""
        for index, (start, stop, before, after, multiplier) in enumerate(self.lines):
            if start < at < stop:
                self.lines[index : index + 1] = [
                    (start, at, before, shown_wh, multiplier),
                    (at, stop, shown_wh, after, multiplier),
                ]
                return self._settle()
        return 0

    def _settle(self) -> int:
        """What everything comes to from the first reading on, less what was charged before."""
        self.used.clear()
        accrued: dict[tuple[int, int], Fraction] = defaultdict(Fraction)
        for at, end, before, after, multiplier in self.lines:
            kwh = Fraction(floor(after * multiplier) - floor(before * multiplier), 1000)
            start = at
            while start < end:
                day = date(2026, 1, 1) + timedelta(days=floor(start))
                stop = min(end, Fraction(floor(start) + 1))
                share = kwh * (stop - start) / (end - at)
                month = (day.year, day.month)
                accrued[month] += self.tariff.cents(self.used[month], share, day)
                self.used[month] += share
                start = stop
        total = sum(floor(exact + Fraction(1, 2)) for exact in accrued.values())
        charged, self.posted = total - self.posted, total
        return charged

    def used_wh(self) -> Fraction:
        """What the month of the last reading has used; a midnight closes the month before."""
        last = date(2026, 1, 1) + timedelta(days=-floor(-self.read_at) - 1)
        return self.used[last.year, last.month] * 1000


@dataclass
class NaiveAccount:
    """Two wallets and the level that follows from them at the lines of the policy."""

    meter: NaiveMeter
    balance: int = 0
    granted: int = 0
    has_moved: bool = False
    level: str = "none"

    @property
    def available(self) -> int:
        return self.balance + self.granted

    def charge(self, cents: int) -> None:
        gift = min(self.granted, cents)
        self.granted -= gift
        self.balance -= cents - gift
        self.has_moved = self.has_moved or cents > 0

    def correct(self, cents: int, gift: int) -> None:
        """Which wallet takes a correction is told; it must be within what there is to take."""
        assert gift == min(self.granted, cents) if cents > 0 else cents <= gift <= 0
        self.granted -= gift
        self.balance -= cents - gift
        self.has_moved = self.has_moved or cents != 0

    def decide(self, lines: dict[str, int]) -> None:
        """Without hysteresis a level is a function of the money alone."""
        if self.has_moved:
            reached = [name for name, line in lines.items() if self.available <= line]
            self.level = reached[-1] if reached else "none"
