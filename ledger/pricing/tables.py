"""What a tariff's versions have in common: its lines, its tracks, its registers."""

from fractions import Fraction
from functools import cached_property
from typing import Final

from ledger.pricing.charges import Demand
from ledger.pricing.document import TariffDocument
from ledger.pricing.exact import ACCRUAL_DIGITS, minor_digits
from ledger.pricing.lines import (
    REACTIVE_TRACK,
    ROUNDING_LINE,
    demand_registers,
    lines_of,
    reactive_registers,
    tracks_of,
)
from ledger.pricing.position import Position
from ledger.pricing.terms import versions_of

REMEMBERED_MAX: Final = 100_000
"""Households whose bounds are kept at once."""


class Tables:
    """Versions of a tariff, and how their accruals lie in a position."""

    def __init__(self, document: TariffDocument) -> None:
        self.versions = versions_of(document)
        names = [line.id for line in lines_of(document)]
        tracks = tracks_of(document)
        registers = document.registers
        self.lines = len(names)
        self.tracks = len(tracks)
        self.block_count = max(len(version.plans) for version in self.versions)
        powers, reactive = demand_registers(document), reactive_registers(document)
        self.demand = tuple(n for n, name in enumerate(registers) if name in powers)
        self.reactive = tuple(n for n, name in enumerate(registers) if name in reactive)
        others = {*self.demand, *self.reactive}
        self.energy = tuple(n for n in range(len(registers)) if n not in others)
        self.reactive_track = tracks.index(REACTIVE_TRACK) if REACTIVE_TRACK in tracks else None
        self.rounding_line = self._rounding_line(names)
        self.minor_unit = 10 ** (ACCRUAL_DIGITS - minor_digits(document.currency))
        self.fixed_tracks = frozenset(
            fee.line for version in self.versions for plan in version.plans for fee in plan.fixed
        )
        self.is_billed = any(version.is_billed for version in self.versions)
        """Whether tiers ever count over a billing period."""
        self.bounds_known: dict[tuple[object, ...], list[Fraction]] = {}
        self.is_simple = self.tracks == self.lines and all(each.is_simple for each in self.versions)

    @cached_property
    def all_lines(self) -> frozenset[int]:
        return frozenset(range(self.lines)) - {self.rounding_line}

    @cached_property
    def fixed_lines(self) -> frozenset[int]:
        return self.fixed_tracks & self.all_lines

    @cached_property
    def consumption_lines(self) -> frozenset[int]:
        return self.all_lines - self.fixed_tracks

    @cached_property
    def consumption_tracks(self) -> frozenset[int]:
        return frozenset(range(self.tracks)) - self.fixed_tracks

    @cached_property
    def months_remembered(self) -> int:
        """Months before the present one whose peaks may still be asked for."""
        demands = [
            charge.lookback + (version.window.months or 1)
            for version in self.versions
            for plan in version.plans
            for charge in plan.computed
            if isinstance(charge, Demand)
        ]
        return max(demands, default=0)

    def remember(self, key: tuple[object, ...], bounds: list[Fraction]) -> None:
        """Keep the bounds of a household in a window."""
        if len(self.bounds_known) >= REMEMBERED_MAX:
            self.bounds_known.clear()
        self.bounds_known[key] = bounds

    def blocks_of(self, position: Position) -> list[list[Fraction]]:
        """Accruals of a position: for each schedule one for each track."""
        den, tracks = position.den, self.tracks
        known = [Fraction(units, den) for units in position.accrued]
        # A later version brought new lines or schedules.
        known += [Fraction(0)] * (tracks * self.block_count - len(known))
        return [known[number * tracks :][:tracks] for number in range(self.block_count)]

    def _rounding_line(self, names: list[str]) -> int | None:
        if any(version.bill_rounding for version in self.versions):
            return names.index(ROUNDING_LINE)
        return None
