"""Record readings (抄表): charge what can be charged, keep the rest in quarantine with its reason.

The hot path of the ledger. A reading behind its meter's last one is charged at once by the fold;
any other is compared with what was recorded: the same is a duplicate, other values are a
contradiction, a new time is late.
"""

from collections.abc import Sequence
from concurrent.futures import Future

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.consumption import Quarantine, charge
from ledger.aggregates.meter import Meter
from ledger.commands import Json
from ledger.commands.late_readings import LateReadings, Reading
from ledger.events.meter import ReadingQuarantined
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.ledger import Home

UNKNOWN_METER_SHARD = 0


def handle(readings: Sequence[Reading], ledger: Ledger, context: Context) -> Answer:
    """Record a batch of at most 5,000 readings; never refuses as a whole."""
    try:
        return submit(readings, ledger, context).result()
    except MeterMovedError:
        return submit(readings, ledger, context).result()


def submit(readings: Sequence[Reading], ledger: Ledger, context: Context) -> "Future[Answer]":
    """The same without waiting: the future answers when the batch is durable."""
    homes = ledger.meter_homes(reading.meter_no for reading in readings)
    shards = {shard for shard, _ in homes.values()}
    if len(homes) < len(readings):
        shards.add(UNKNOWN_METER_SHARD)
    return ledger.submit(
        lambda session: _Batch(session, ledger, homes).record(readings),
        context,
        shards=shards,
        weight=len(readings),
        is_bulk=True,
    )


class MeterMovedError(Exception):
    """A meter moved to another shard while its readings were on their way; route them again."""


class _Batch:
    """One batch of readings under decision."""

    def __init__(self, session: Session, ledger: Ledger, homes: dict[str, Home]) -> None:
        self._session = session
        self._ledger = ledger
        self._homes = homes
        self._quarantined: list[Json] = []
        self._late = LateReadings(session)
        self._duplicates = 0

    def record(self, readings: Sequence[Reading]) -> Json:
        """Decide on every reading in turn."""
        accounts = self._session.accounts_at(self._homes.values())
        accepted = 0
        for index, reading in enumerate(readings):
            home = self._homes.get(reading.meter_no)
            account = None if home is None else accounts[home[1]]
            point = None if account is None else account.point_of_meter(reading.meter_no)
            if point is None:
                account, point = self._moved(reading.meter_no, account)
            if account is None or point is None:
                self._keep(index, reading, account, NOT_INSTALLED)
            elif reading.at_us <= point.last_at_us:
                if reading.at_us == point.last_at_us and _same(point, reading.registers):
                    self._duplicates += 1
                else:
                    self._late.add(index, reading, account)
            else:
                accepted += self._charge(index, reading, account, point)
        for index, reading, account, why in self._late.judged():
            if why is None:
                self._duplicates += 1
            else:
                self._keep(index, reading, account, why)
        self._quarantined.sort(key=lambda item: item["index"])
        return {
            "accepted": accepted,
            "duplicate": self._duplicates,
            "quarantined": self._quarantined,
        }

    def _moved(self, meter_no: str, account: Account | None) -> tuple[Account | None, Point | None]:
        """Account and point of a meter that another process has installed elsewhere meanwhile."""
        claim = self._session.writer.find_claims([("meter", meter_no)]).get(("meter", meter_no))
        if claim is None:
            return account, None
        shard, stream = self._ledger.settle_meter(meter_no, claim.owner)
        if shard not in self._session.positions:
            raise MeterMovedError(meter_no)
        found = self._session.load(Account, shard, (stream,))[stream]
        return found, found.point_of_meter(meter_no)

    def _charge(self, index: int, reading: Reading, account: Account, point: Point) -> bool:
        session = self._session
        tariff, version = session.tariff(point.tariff_id)
        fact = charge(
            account, point, reading.at_us, reading.registers, tariff, version, session.now_us
        )
        if isinstance(fact, Quarantine):
            self._keep(index, reading, account, fact)
            return False
        session.record(account, fact, reading.at_us)
        session.decide_levels(account, reading.at_us)
        return True

    def _keep(self, index: int, reading: Reading, account: Account | None, why: Quarantine) -> None:
        shard = account.shard if account is not None else UNKNOWN_METER_SHARD
        meter = self._session.aggregate(Meter, reading.meter_no, shard)
        event = ReadingQuarantined(
            reading.meter_no,
            account.account_no if account is not None else "",
            reading.registers,
            why.code,
            why.reason,
        )
        kept = meter.quarantine(reading.at_us, event)
        if kept is None:
            self._duplicates += 1
            return
        self._session.record(meter, kept, reading.at_us)
        self._quarantined.append({"index": index, "code": why.code, "reason": why.reason})


NOT_INSTALLED = Quarantine("meter_unknown", "No account has this meter installed.")


def _same(point: Point, registers: dict[str, int]) -> bool:
    return all(
        registers.get(name) == value
        for name, value in zip(point.register_names, point.registers, strict=True)
    )
