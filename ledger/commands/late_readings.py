"""Readings that cannot be charged at their time: duplicate, contradiction, late, or of no meter.

Off the hot path. Each is compared with what the log recorded for its meter at its time, wherever
the meter counted then: a file that is sent again is silence, even when a meter was replaced since.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.consumption import Quarantine
from ledger.aggregates.meter import TAKEN, Meter
from ledger.commands.recorded_readings import Place, Recorded, find, tell
from ledger.store import MoreShardsError, Session
from ledger.store.folding import FOLD_HASH, fold
from ledger.values import shard_of, storable, stream_id


class Reading(NamedTuple):
    """A meter's registers at a time: Wh or litres as on the meter, before its multiplier."""

    meter_no: str
    at_us: int
    registers: dict[str, int]

    def storable(self) -> "Reading":
        """The same with characters written out that no database holds."""
        registers = {storable(name): value for name, value in self.registers.items()}
        return Reading(storable(self.meter_no), self.at_us, registers)


class Waiting(NamedTuple):
    """A reading set aside until its batch is through; `point` is where its meter counts now."""

    number: int
    reading: Reading
    account: Account | None
    point: Point | None

    @property
    def key(self) -> tuple[str, int]:
        """Meter and time."""
        return self.reading.meter_no, self.reading.at_us

    @property
    def is_cancelled(self) -> bool:
        """Whether a reading of this time was cancelled, and no later one has followed."""
        return self.point is not None and self.reading.at_us in self.point.cancelled


class Judgement(NamedTuple):
    """Why a reading is kept aside, None for a duplicate; whether it has been kept before."""

    why: Quarantine | None
    is_known: bool = False


CONTRADICTION: Final = Quarantine(
    "contradiction", "Another value was recorded for this meter at this time."
)
LATE: Final = Quarantine(
    "late", "A later reading of this meter is charged already; this one waits for re-rating."
)
BEFORE_INSTALLATION: Final = Quarantine(
    "before_installation", "The meter was not yet installed at this time."
)
NOT_INSTALLED: Final = Quarantine("meter_unknown", "No account has this meter installed.")


class LateReadings:
    """Collects them, then asks the log once for all."""

    def __init__(self, session: Session, *, is_again: bool = False) -> None:
        self._session = session
        self._is_again = is_again
        self._waiting: list[Waiting] = []
        self._moved: dict[str, list[Meter]] = {}

    def add(
        self, number: int, reading: Reading, account: Account | None, point: Point | None
    ) -> None:
        """Set a reading aside until the batch is through."""
        self._waiting.append(Waiting(number, reading.storable(), account, point))

    def judged(self) -> Iterator[tuple[Waiting, Judgement]]:
        """Each with the reason to keep it aside, if there is one."""
        known = self._recorded(
            Place(item.account.shard, item.account.stream_id, *item.key, item.is_cancelled)
            for item in self._waiting
            if item.account is not None
        )
        strange = [
            item for item in self._waiting if item.key not in known and self._is_strange(item)
        ]
        meters = self._moved = self._meters({item.reading.meter_no for item in strange})
        known |= self._recorded(self._places(strange, meters))
        for item in self._waiting:
            told = known.get(item.key)
            of_meter = meters.get(item.reading.meter_no, ())
            yield item, _judge(item, told, of_meter, is_again=self._is_again)

    def home(self, item: Waiting, why: Quarantine) -> Account | None:
        """The account whose charges a reading may change, if there is one."""
        if why not in {LATE, CONTRADICTION}:
            return None
        session, at_us = self._session, item.reading.at_us
        for meter in self._moved.get(item.reading.meter_no, ()):
            for service in meter.services:
                if service.covers(at_us):
                    shard = shard_of(service.account_no, session.shards)
                    stream = stream_id(Account.KIND, service.account_no)
                    if shard not in session.positions:
                        raise MoreShardsError(item.reading.meter_no, frozenset({shard}))
                    return session.accounts_at([(shard, stream)])[stream]
        return item.account

    def _is_strange(self, item: Waiting) -> bool:
        """Whether the meter counted elsewhere at that time, or nowhere."""
        if item.account is None or item.point is None:
            return True
        meter = self._session.aggregate(Meter, item.reading.meter_no, item.account.shard)
        return item.reading.at_us < meter.installed_at_us

    def _meters(self, meter_nos: set[str]) -> dict[str, list[Meter]]:
        """What every shard knows of these meters."""
        found: dict[str, list[Meter]] = {meter_no: [] for meter_no in meter_nos}
        streams = {stream_id(Meter.KIND, meter_no): meter_no for meter_no in meter_nos}
        for shard in range(self._session.shards) if streams else ():
            for stream, meter in self._meters_of(shard, list(streams)).items():
                found[streams[stream]].append(meter)
        return found

    def _meters_of(self, shard: int, streams: list[str]) -> dict[str, Meter]:
        session = self._session
        if shard in session.positions:
            return session.load(Meter, shard, streams)
        # Its head is not locked, so what is folded here may be kept by nobody.
        return fold(Meter, shard, streams, session.writer.past(shard, streams, FOLD_HASH))

    def _places(
        self, strange: Iterable[Waiting], meters: dict[str, list[Meter]]
    ) -> Iterator[Place]:
        """Where each reading belonged to at its time."""
        for item in strange:
            for meter in meters[item.reading.meter_no]:
                for service in meter.services:
                    if service.covers(item.reading.at_us):
                        shard = shard_of(service.account_no, self._session.shards)
                        account = stream_id(Account.KIND, service.account_no)
                        yield Place(shard, account, *item.key)

    def _recorded(self, places: Iterable[Place]) -> Recorded:
        """What the log, and this very batch, hold of meters at the times in question."""
        wanted = list(places)
        recorded = find(self._session.writer, wanted)
        if wanted:
            for row, (_, event) in zip(self._session.rows, self._session.facts, strict=True):
                tell(recorded, event, row.valid_at)
        return recorded


def _judge(
    item: Waiting, known: list[dict[str, int]] | None, meters: Iterable[Meter], *, is_again: bool
) -> Judgement:
    _, reading, _, point = item
    for values in known or ():
        if all(reading.registers.get(name) == value for name, value in values.items()):
            return Judgement(None)
    if known:
        return Judgement(CONTRADICTION)
    for meter in () if is_again else meters:
        if (kept := meter.kept_aside(reading.at_us, reading.registers)) is not None:
            return Judgement(None if kept[0] in TAKEN else Quarantine(*kept), is_known=True)
    return Judgement(_reason(reading, point, meters))


def _reason(reading: Reading, point: Point | None, meters: Iterable[Meter]) -> Quarantine:
    """Why a reading of which nothing is recorded waits."""
    services = [service for meter in meters for service in meter.services]
    if any(service.covers(reading.at_us) for service in services):
        return LATE
    if point is None:
        return NOT_INSTALLED
    return BEFORE_INSTALLATION if services else LATE
