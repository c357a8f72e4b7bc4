"""From snapshots and events to states; a snapshot made by other folding code is never used."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

import ledger.aggregates
from ledger.aggregates import Aggregate
from ledger.aggregates.account import Account
from ledger.aggregates.command import DeviceCommand
from ledger.aggregates.command_batch import CommandBatch
from ledger.aggregates.gateway import Gateway
from ledger.aggregates.meter import Meter
from ledger.aggregates.payment import Payment
from ledger.aggregates.policy import ControlPolicy
from ledger.aggregates.tariff import Tariff
from ledger.aggregates.tariff_draft import TariffDraft
from ledger.aggregates.trip_switch import TripSwitch
from ledger.aggregates.work_order import WorkOrder
from ledger.events.registry import decode
from ledger.ports import Past

FOLDING: Final = (
    "aggregates/**/*.py",
    "events/*.py",
    "pricing/position.py",
    "pricing/context.py",
    "pricing/document.py",
    "pricing/calendar.py",
    "pricing/bills.py",
    "pricing/holidays.py",
    "pricing/hours.py",
    "pricing/lines.py",
    "pricing/problems.py",
)
SNAPSHOT_EVERY: Final = 500
"""Versions between two snapshots of a stream: bounds a cold load to that many events."""

State = TypeVar("State", bound=Aggregate)

_DECODERS: Final[dict[type[Aggregate], Any]] = {
    aggregate: msgspec.json.Decoder(aggregate).decode
    for aggregate in (
        Account,
        Meter,
        Payment,
        DeviceCommand,
        CommandBatch,
        WorkOrder,
        Gateway,
        TripSwitch,
        ControlPolicy,
        Tariff,
        TariffDraft,
    )
}


def fold_hash() -> str:
    """Hash of the code that folds: rules, facts, and the tier position that they carry."""
    root = Path(ledger.aggregates.__file__).parents[1]
    digest = hashlib.sha256()
    for part in FOLDING:
        for source in sorted(root.glob(part)):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


FOLD_HASH: Final = fold_hash()


def decode_state(aggregate: type[State], state: bytes) -> State:
    """State of a snapshot."""
    decoded: State = _DECODERS[aggregate](state)
    return decoded


def fold(aggregate: type[State], shard: int, ids: Sequence[str], past: Past) -> dict[str, State]:
    """States of streams from their newest snapshots and the events behind them."""
    states = {
        stream: decode_state(aggregate, past.snapshots[stream][1])
        if stream in past.snapshots
        else aggregate(shard, stream)
        for stream in ids
    }
    for stream, topic, payload, valid_at_us in past.events:
        states[stream].evolve(decode(topic, payload), valid_at_us)
    return states
