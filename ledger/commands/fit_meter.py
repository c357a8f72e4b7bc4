"""A meter begins to count (装表): not within a time that was charged for it in any account."""

from collections.abc import Iterator

from ledger.aggregates.account import Account
from ledger.aggregates.meter import Meter
from ledger.store import Session
from ledger.store.folding import FOLD_HASH, fold


def fit_meter(
    session: Session,
    account: Account,
    point: str,
    meter_no: str,
    registers: dict[str, int],
    at_us: int,
) -> None:
    """Let a meter count for a service point; its number is claimed by the caller."""
    meter = session.aggregate(Meter, meter_no, account.shard)
    for other in _elsewhere(session, meter):
        other.require_over(meter_no, at_us)
    installed = meter.install(meter_no, account.account_no, point, registers, at_us)
    session.record(meter, installed, at_us)


def _elsewhere(session: Session, meter: Meter) -> Iterator[Meter]:
    """What other shards know of a meter; its number was free, so that nobody adds to it now."""
    if session.shards == 1:
        return
    for shard in session.writer.shards_of(meter.stream_id):
        if shard != meter.shard:
            past = session.writer.past(shard, [meter.stream_id], FOLD_HASH)
            yield fold(Meter, shard, [meter.stream_id], past)[meter.stream_id]
