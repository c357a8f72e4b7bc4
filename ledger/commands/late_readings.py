"""Readings that do not lie behind their meter's last one: duplicate, contradiction, or late."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.aggregates.account import Account
from ledger.aggregates.account.consumption import Quarantine
from ledger.events.account import AccountCharged, MeterReplaced, ServicePointAdded
from ledger.events.registry import decode
from ledger.store import Session


class Reading(NamedTuple):
    """A meter's registers at a time: Wh or litres as on the meter, before its multiplier."""

    meter_no: str
    at_us: int
    registers: dict[str, int]


Recorded = dict[tuple[str, int], list[dict[str, int]]]
"""(meter, time) -> register values recorded for it."""

CONTRADICTION: Final = Quarantine(
    "contradiction", "Another value was recorded for this meter at this time."
)
LATE: Final = Quarantine(
    "late", "A later reading of this meter is charged already; this one waits for re-rating."
)
BEFORE_INSTALLATION: Final = Quarantine(
    "before_installation", "The meter was not yet installed at this time."
)
TELLING: Final = {AccountCharged.TOPIC, ServicePointAdded.TOPIC, MeterReplaced.TOPIC}


class LateReadings:
    """Collects them, then asks the log once for all."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: list[tuple[int, Reading, Account]] = []

    def add(self, index: int, reading: Reading, account: Account) -> None:
        """Set a reading aside until the batch is through."""
        self._waiting.append((index, reading, account))

    def judged(self) -> Iterator[tuple[int, Reading, Account, Quarantine | None]]:
        """Each with the reason to keep it aside, None for a duplicate."""
        if not self._waiting:
            return
        recorded = self._recorded()
        for index, reading, account in self._waiting:
            known = recorded.get((reading.meter_no, reading.at_us), [])
            yield index, reading, account, self._judge(reading, account, known)

    def _judge(
        self, reading: Reading, account: Account, known: list[dict[str, int]]
    ) -> Quarantine | None:
        for values in known:
            if all(reading.registers.get(name) == value for name, value in values.items()):
                return None
        if known:
            return CONTRADICTION
        installed_at_us = self._session.installed_at(reading.meter_no, account.shard)
        return BEFORE_INSTALLATION if reading.at_us < installed_at_us else LATE

    def _recorded(self) -> Recorded:
        """What the log, and this very batch, hold at the times in question."""
        by_shard: dict[int, list[tuple[str, int]]] = {}
        for _, reading, account in self._waiting:
            by_shard.setdefault(account.shard, []).append((account.stream_id, reading.at_us))
        recorded: Recorded = {}
        for shard, keys in by_shard.items():
            for _, at_us, topic, payload in self._session.writer.readings_at(shard, keys):
                if topic in TELLING:
                    _tell(recorded, decode(topic, payload), at_us)
        for _, _, _, _, event, at_us in self._session.pending:
            _tell(recorded, event, at_us)
        return recorded


def _tell(recorded: Recorded, event: object, at_us: int) -> None:
    match event:
        case AccountCharged(meter_no=meter_no, registers=registers):
            values = {name: after for name, (_, after, _) in registers.items()}
        case ServicePointAdded(meter_no=meter_no, registers=values):
            pass
        case MeterReplaced(new_meter_no=meter_no, registers=values):
            pass
        case _:
            return
    recorded.setdefault((meter_no, at_us), []).append(values)
