"""A point of use that reads its meter and keeps its position."""

from datetime import date

from ledger.pricing import CompiledTariff
from tests.pricing.strategies import to_utc


class Point:
    """A point on a tariff: reads its meter at wall-clock times and keeps what was charged."""

    def __init__(self, rated_by: CompiledTariff, since: str) -> None:
        self.tariff = rated_by
        self.at_us = to_utc(rated_by.timezone, since)
        self.position = rated_by.start(self.at_us)

    def passes(self, wall_clock: str, *quantities: int) -> tuple[int, ...]:
        to_us = to_utc(self.tariff.timezone, wall_clock)
        self.position, amounts = self.tariff.rate(self.position, self.at_us, to_us, quantities)
        self.at_us = to_us
        return amounts

    def stays_silent_until(self, wall_clock: str) -> tuple[int, ...]:
        at_us = to_utc(self.tariff.timezone, wall_clock)
        self.position, amounts = self.tariff.to_fixed_only(self.position, at_us)
        return amounts


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()
