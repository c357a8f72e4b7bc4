"""A second, slow reckoning straight from the document: day by day and in fractions.

It shares no code with the engine, and knows only attribution by days.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

MONTHS = {"month": 1, "bimonth": 2, "four_months": 4, "year": 12}
MODES = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "down": ROUND_DOWN,
    "up": ROUND_UP,
}
Passed = tuple[datetime, datetime, dict[str, int]]
"""Wall-clock times of an interval, and what each register passed."""
Key = tuple[date, int]
DAY = timedelta(days=1)


class Reckoning:
    """All windows of one point, open until the end."""

    def __init__(self, document: dict[str, Any], in_service_from: date) -> None:
        self.document = document
        self.in_service_from = in_service_from
        self.used: dict[Key, Fraction] = defaultdict(Fraction)
        self.accrued: dict[tuple[Key, str], Fraction] = defaultdict(Fraction)
        self.rounding: dict[tuple[Key, str], dict[str, str]] = {}
        self.days: set[date] = set()
        self.months: set[tuple[int, int]] = set()

    def totals_minor(self) -> dict[str, int]:
        """What each line comes to over all windows."""
        totals: dict[str, int] = defaultdict(int)
        for (key, line), amount in self.accrued.items():
            totals[line] += rounded_minor(amount, self.rounding[key, line])
        return totals

    def add(self, start: datetime, end: datetime, passed: dict[str, int]) -> None:
        for day, begin, finish in days_of(start, end):
            share = Fraction((finish - begin) // timedelta.resolution) / (
                (end - start) // timedelta.resolution
            )
            self._add_day(day, {name: share * count for name, count in passed.items()})
            if finish == datetime.combine(day + DAY, datetime.min.time()):
                self._add_fixed(day)
            self._add_once(day)

    def _version(self, day: date) -> tuple[int, dict[str, Any]]:
        numbered = enumerate(self.document["versions"])
        return [pair for pair in numbered if pair[1]["effective_from"] <= day.isoformat()][-1]

    def _key(self, day: date) -> Key:
        number, version = self._version(day)
        versions = self.document["versions"][: number + 1]
        resets = [
            later
            for later, older in enumerate(versions)
            if older["accumulation"]["on_version_change"] == "reset"
        ]
        start = day.replace(day=1)
        while (start.month - version["accumulation"]["anchor_month"]) % self._length(version):
            start = (start - DAY).replace(day=1)
        return start, max(resets, default=0)

    def _length(self, version: dict[str, Any]) -> int:
        return MONTHS[version["accumulation"]["window"]]

    def _add_day(self, day: date, passed: dict[str, Fraction]) -> None:
        _, version = self._version(day)
        key = self._key(day)
        seasons = [season for season in version["seasons"] if day.month in season["months"]]
        terms = seasons[0] if seasons else version
        total = sum(passed.values())
        lower = self.used[key]
        for tier, bound in enumerate(self._bounds(version, terms["tiers"], key[0])):
            upper = self.used[key] + total
            part = (upper if bound is None else min(upper, bound)) - lower
            if part <= 0:
                continue
            lower += part
            for charge in version["charges"]:
                if charge["kind"] == "consumption":
                    rates = seasons[0]["rates"][charge["id"]] if seasons else charge["rates"]
                    for name, count in passed.items():
                        row = rates if isinstance(rates, list) else rates[name]
                        price = Fraction(row[tier]) / 1000
                        self.accrued[key, charge["id"]] += part / total * count * price
        self.used[key] += total
        for charge in version["charges"]:
            self.rounding[key, charge["id"]] = charge.get("rounding", version["rounding"])

    def _bounds(
        self, version: dict[str, Any], tiers: list[dict[str, Any]], window_from: date
    ) -> list[Fraction | None]:
        share = Fraction(1)
        prorated = version["accumulation"]["proration"]["method"] == "months_in_service"
        if prorated and self.in_service_from > window_from:
            late = (self.in_service_from.year - window_from.year) * 12
            late += self.in_service_from.month - window_from.month
            share -= Fraction(late, self._length(version))
        upto = [tier["upto"] for tier in tiers]
        return [None if text is None else Fraction(text) * 1000 * share for text in upto]

    def _add_fixed(self, day: date) -> None:
        if day not in self.days:
            self.days.add(day)
            self._add_amounts(day, "day")

    def _add_once(self, day: date) -> None:
        _, version = self._version(day)
        if (day.year, day.month) not in self.months and self._fees(version, "month"):
            self.months.add((day.year, day.month))
            self._add_amounts(day, "month")
        for charge in self._fees(version, "period"):
            if not self.accrued[self._key(day), charge["id"]]:
                self.accrued[self._key(day), charge["id"]] = Fraction(charge["amount"])

    def _add_amounts(self, day: date, per: str) -> None:
        for charge in self._fees(self._version(day)[1], per):
            self.accrued[self._key(day), charge["id"]] += Fraction(charge["amount"])

    def _fees(self, version: dict[str, Any], per: str) -> list[dict[str, Any]]:
        return [charge for charge in version["charges"] if charge.get("per") == per]


def days_of(start: datetime, end: datetime) -> Iterator[tuple[date, datetime, datetime]]:
    """Every day that an interval touches, and from when to when."""
    begin = start
    while begin < end:
        finish = min(end, datetime.combine(begin.date() + DAY, datetime.min.time()))
        yield begin.date(), begin, finish
        begin = finish


def rounded_minor(amount: Fraction, rounding: dict[str, str]) -> int:
    """Minor units of an amount, by the standard library's own rounding."""
    steps = amount / Fraction(rounding["quantum"])
    with localcontext() as context:
        context.prec = 200
        whole, rest = divmod(abs(steps), 1)
        # A rest keeps its side of the half in two digits: below, at, above.
        digit = 0 if rest == 0 else 4 if rest < Fraction(1, 2) else 5 if rest * 2 == 1 else 6
        text = Decimal(f"{'-' if steps < 0 else ''}{whole}.{digit}")
        count = int(text.quantize(Decimal(1), rounding=MODES[rounding["mode"]]))
    return int(count * Fraction(rounding["quantum"]) * 100)
