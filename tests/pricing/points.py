"""A point of use that reads its meter and keeps its position."""

from datetime import date

from ledger.pricing import CompiledTariff
from ledger.pricing.context import ALWAYS, NOTHING_KNOWN, Context, Value
from tests.pricing.strategies import to_utc


class Point:
    """A point on a tariff: reads its meter at wall-clock times and keeps what was charged."""

    def __init__(
        self, rated_by: CompiledTariff, since: str, context: Context = NOTHING_KNOWN
    ) -> None:
        self.tariff = rated_by
        self.context = context
        self.at_us = to_utc(rated_by.timezone, since)
        self.position = rated_by.start(self.at_us)

    def passes(self, wall_clock: str, *quantities: int) -> tuple[int, ...]:
        to_us = to_utc(self.tariff.timezone, wall_clock)
        self.position, amounts = self.tariff.rate(
            self.position, self.at_us, to_us, quantities, self.context
        )
        self.at_us = to_us
        return amounts

    def lines(self, wall_clock: str, *quantities: int) -> dict[str, int]:
        """What an interval comes to, by line, without the lines that come to nothing."""
        amounts = self.passes(wall_clock, *quantities)
        pairs = zip(self.tariff.lines, amounts, strict=True)
        return {line.id: amount for line, amount in pairs if amount}

    def stays_silent_until(self, wall_clock: str) -> tuple[int, ...]:
        at_us = to_utc(self.tariff.timezone, wall_clock)
        self.position, amounts = self.tariff.to_fixed_only(self.position, at_us, self.context)
        return amounts


def household(**attributes: Value) -> Context:
    """What has been known of an account since ever."""
    return Context(tuple((ALWAYS, name, value) for name, value in attributes.items()))


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()
