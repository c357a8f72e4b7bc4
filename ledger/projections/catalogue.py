"""Which views there are, and which feed keeps them: front at once, detail at its own pace."""

from typing import Final, NamedTuple

from ledger.projections import Projection
from ledger.projections.accounts import Accounts
from ledger.projections.alerts import Alerts
from ledger.projections.command_batches import BatchOrders, CommandBatches
from ledger.projections.commands import Commands
from ledger.projections.documents import Documents
from ledger.projections.energy_by_day import EnergyByDay
from ledger.projections.holds import Holds
from ledger.projections.journal_totals import JournalTotals
from ledger.projections.lines import Gateways, Meters
from ledger.projections.quarantine import Quarantine
from ledger.projections.statements import Statements
from ledger.projections.trip_switches import TripSwitches
from ledger.projections.work_orders import WorkOrders

FRONT: Final = "front"
DETAIL: Final = "detail"


class FeedSpec(NamedTuple):
    """A feed: the views that move together, and how many events it takes at most at once."""

    name: str
    projections: tuple[Projection, ...]
    batch_max: int


def feeds(timezone: str) -> tuple[FeedSpec, ...]:
    """All feeds of a ledger. Detail takes larger batches, in which more facts share a row."""
    return (
        FeedSpec(
            FRONT,
            (
                Accounts(),
                JournalTotals(timezone),
                Alerts(),
                Quarantine(),
                Commands(),
                WorkOrders(),
                Gateways(),
                Meters(),
                Holds(),
                TripSwitches(),
                CommandBatches(),
                BatchOrders(),
            ),
            5_000,
        ),
        FeedSpec(DETAIL, (Statements(timezone), EnergyByDay(timezone), Documents()), 20_000),
    )
