"""What an event moves in the wallets of its account, and what it says they hold afterwards."""

from typing import NamedTuple

from ledger.events import Event
from ledger.events import account as facts


class Movement(NamedTuple):
    """Signed minor units into the paid and the granted wallet; and the stated state after."""

    paid_minor: int = 0
    granted_minor: int = 0
    balance_after_minor: int | None = None
    granted_after_minor: int | None = None


NOTHING = Movement()


def moved(event: Event) -> Movement:
    """The movement of an event; most move nothing."""
    match event:
        case facts.AccountCredited():
            paid, granted = event.amount_minor, 0
        case facts.CreditReversed():
            paid, granted = -event.amount_minor, 0
        case facts.AccountAdjusted(wallet="granted"):
            paid, granted = 0, event.amount_minor
        case facts.AccountAdjusted():
            paid, granted = event.amount_minor, 0
        case facts.AccountCharged() | facts.ChargeCorrected() | facts.FixedFeeCharged():
            granted = -event.granted_used_minor
            paid = -event.amount_minor - granted
            if not isinstance(event, facts.FixedFeeCharged) and event.units is not None:
                paid += event.units.paid_minor
        case facts.UnitsSold():
            paid, granted = -event.amount_minor, 0
        case facts.UnitsReturned():
            paid, granted = event.amount_minor, 0
        case facts.AccountClosed():
            paid, granted = 0, 0
        case _:
            return NOTHING
    return Movement(paid, granted, event.balance_after_minor, event.granted_after_minor)
