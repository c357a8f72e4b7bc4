"""Charges of a tariff ready to reckon with: what is priced, what falls due, what follows."""

from fractions import Fraction
from typing import NamedTuple

from ledger.pricing.context import Condition

PriceTable = tuple[tuple[int, ...], ...]
"""For each tier the price of each register, in 10⁻⁸ of the major unit per kWh or m³."""


class FixedCharge(NamedTuple):
    """An amount that is due once per day, month or window, whatever is used."""

    line: int
    per: str
    amount: int
    """In units of the accrual."""
    condition: Condition | None = None
    times: str | None = None
    """Attribute by which the amount is multiplied: kVA, kW or A of a capacity charge."""


class ConsumptionCharge(NamedTuple):
    """A price of what is used, by tier and register."""

    line: int
    condition: Condition | None
    over: int | None
    """Only what exceeds this quantity of the window is charged, in Wh or litres."""
    is_tiered: bool
    prices: tuple[PriceTable, ...]
    """For each season."""


class Percent(NamedTuple):
    """A share of what other lines come to; as a tax, of each line its own share."""

    line: int
    condition: Condition | None
    shares: tuple[tuple[int, Fraction], ...]
    """(line, rate)."""

    def needs(self) -> frozenset[int]:
        """Lines that must be reckoned before."""
        return frozenset(line for line, _ in self.shares)


class PowerFactor(NamedTuple):
    """力调: a percentage of other lines for every hundredth away from the standard."""

    line: int
    condition: Condition | None
    of: tuple[int, ...]
    standard: int
    """In hundredths, like all power factors here."""
    steps: tuple[tuple[int, int, Fraction], ...]
    """(from, to, percent per hundredth), both ends inclusive."""

    def needs(self) -> frozenset[int]:
        return frozenset(self.of)

    def percent(self, factor: int) -> Fraction:
        """What the hundredths between the standard and the factor come to."""
        if factor > self.standard:
            hundredths = range(self.standard + 1, factor + 1)
        else:
            hundredths = range(factor, self.standard)
        found = Fraction(0)
        for first, last, percent in self.steps:
            inside = range(max(first, hundredths.start), min(last + 1, hundredths.stop))
            found += len(inside) * percent
        return found


class FreeQuantity(NamedTuple):
    """A quantity a month that is given back in money, or taken off what is priced."""

    line: int
    condition: Condition | None
    per_month: int
    rate: Fraction | None
    """Major units per kWh or m³; None where the quantity itself is deducted."""

    def needs(self) -> frozenset[int]:
        return frozenset()


class Minimum(NamedTuple):
    """Tops other lines up to an amount that a hidden track accrues."""

    line: int
    condition: Condition | None
    of: tuple[int, ...]
    floor: int
    """Track of the amount that is due at least."""

    def needs(self) -> frozenset[int]:
        return frozenset(self.of)


class TierReached(NamedTuple):
    """An amount by the tier that the window's quantity has reached."""

    line: int
    condition: Condition | None
    amounts: tuple[Fraction, ...]

    def needs(self) -> frozenset[int]:
        return frozenset()


class Demand(NamedTuple):
    """A price of the highest power of each month, with a share of earlier peaks (棘轮)."""

    line: int
    condition: Condition | None
    register: int
    price: Fraction
    """Major units per kW and month."""
    ratchet: Fraction
    lookback: int
    """Months before this one whose peaks count."""
    of_contract: Fraction

    def needs(self) -> frozenset[int]:
        return frozenset()


Computed = Percent | PowerFactor | FreeQuantity | Minimum | TierReached | Demand


class Limit(NamedTuple):
    """Upper bound of a tier before proration and allowances."""

    bound: int
    """Wh or litres."""
    per: str


class Plan(NamedTuple):
    """One schedule of charges; where several are given, the window's total chooses (分档)."""

    upto: int | None
    limits: tuple[tuple[Limit, ...], ...]
    """For each season, all tiers but the last."""
    consumption: tuple[ConsumptionCharge, ...]
    fixed: tuple[FixedCharge, ...]
    computed: tuple[Computed, ...]
    """In an order in which each follows what it needs."""
    kva: str | None
    """Attribute that bounds per kVA are multiplied by."""


class Modifier(NamedTuple):
    """What a household with an attribute gets: further bounds (人口阶梯) or one price (合表)."""

    id: str
    condition: Condition
    per_month: int
    per_extra_person: bool
    tiers: frozenset[int] | None
    """Tiers (from 0) whose bound is moved; None moves all."""
    flat_price: int | None
    valid_months: int | None
    rerates: bool
    at_once: bool
    """The month of the change counts too."""


class Proration(NamedTuple):
    """How the bounds follow the length of the window or of the service in it."""

    method: str
    base_days: int | None
    factor_quantum: Fraction | None
    tier_quantum: Fraction | None
    """In Wh or litres."""
