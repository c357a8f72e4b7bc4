"""Which registers of each meter are charged: a driver reads more than a tariff has."""

from collections.abc import Collection, Sequence
from itertools import islice
from typing import Final

from ledger.commands import Json
from ledger.store import Context, Ledger, Session

METERS_MAX: Final = 5_000
"""So many are looked up at a time."""
TOTAL: Final = ("total",)

RegisterNames = dict[str, tuple[str, ...]]


def register_names(meter_nos: Collection[str], ledger: Ledger, context: Context) -> RegisterNames:
    """Names of the registers that each meter's tariff counts; a meter in no account is left out."""
    names: RegisterNames = {}
    left = iter(meter_nos)
    while some := list(islice(left, METERS_MAX)):
        names.update(_names(some, ledger, context))
    return names


def _names(meter_nos: Sequence[str], ledger: Ledger, context: Context) -> RegisterNames:
    homes = ledger.meter_homes(meter_nos)

    def look(session: Session) -> Json:
        accounts = session.accounts_at(homes.values())
        points = {
            meter_no: accounts[stream].point_of_meter(meter_no)
            for meter_no, (_, stream) in homes.items()
        }
        # A meter that moved is found by its next reading, which must be sent for that.
        return {no: point.register_names if point else TOTAL for no, point in points.items()}

    if not homes:
        return {}
    shards = {shard for shard, _ in homes.values()}
    return ledger.decide(look, context, shards=shards, is_bulk=True).body
