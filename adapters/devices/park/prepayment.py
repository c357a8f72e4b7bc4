"""A meter's own prepayment (内控): a balance in the meter, deducted by its own prices."""

from dataclasses import dataclass, field
from typing import Final

from adapters.devices.park.load import MILLIWATT_US_PER_WH, NOTHING, Energies

PRICE_PARTS: Final = 100
"""Prices are in hundredths of the minor unit per kWh."""
SPENT_PER_MINOR: Final = PRICE_PARTS * 1000 * MILLIWATT_US_PER_WH
"""One minor unit of money, in the product of energy (mW·µs) and price."""


@dataclass(slots=True)
class Prepayment:
    """Money in the meter; a purchase overwrites the balance and counts itself."""

    is_on: bool = False
    credited_minor: int = 0
    """Balance written last; what was spent since is kept apart, so that nothing is rounded away."""
    spent: int = 0
    purchase_count: int = 0
    total_purchased_minor: int = 0
    credit_minor: int = 0
    """How far below zero the meter still supplies."""
    alarms_minor: tuple[int, int] = (2000, 500)
    prices: tuple[int, int, int, int] = field(default=(0, 0, 0, 0))
    """By register, in the order of `REGISTERS`."""

    @property
    def balance_minor(self) -> int:
        """What is left, a begun minor unit counted as whole; below zero it is owed."""
        return self.credited_minor - self.spent // SPENT_PER_MINOR

    def cost(self, used: Energies) -> int:
        """What energy costs, in the unit of `spent`."""
        return (
            sum(energy * price for energy, price in zip(used, self.prices, strict=True))
            if self.is_on
            else 0
        )

    def is_used_up_by(self, used: Energies = NOTHING) -> bool:
        """Whether after this energy the meter would open its relay by itself."""
        left = self.credited_minor * SPENT_PER_MINOR - self.spent - self.cost(used)
        return self.is_on and left <= -self.credit_minor * SPENT_PER_MINOR

    def write_balance(self, balance_minor: int) -> None:
        """The balance as a purchase or a correction sets it."""
        self.credited_minor, self.spent = balance_minor, 0
