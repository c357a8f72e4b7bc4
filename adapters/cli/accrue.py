"""`wattledger accrue`: fixed charges of silent meters, now instead of by the clockwork."""

from adapters.cli.opening import opened
from adapters.cli.output import Shown, facts
from adapters.clockwork import accrue_due


def accrue() -> Shown:
    """Charge each silent meter's local days that are due; running it again changes nothing."""
    with opened() as here:
        here.views()
        body = accrue_due(here.ledger, here.engine, here.ledger.clock(), here.context)
    return Shown(body=body, human=facts(body))
