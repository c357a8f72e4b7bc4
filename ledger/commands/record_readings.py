"""Record readings (抄表): charge what can be charged, keep the rest in quarantine with its reason.

The hot path of the ledger. A reading behind its meter's last one is charged at once by the fold;
any other is compared with what was recorded: the same is a duplicate, other values are a
contradiction, a new time is late and makes what was charged be rated again.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.consumption import OUT_OF_TURN, Quarantine, charge
from ledger.aggregates.meter import Meter
from ledger.commands import Json
from ledger.commands.late_readings import LATE, LateReadings, Reading, Waiting
from ledger.commands.rerating import take_in_turn, take_late
from ledger.events.meter import ReadingQuarantined
from ledger.store import Answer, Context, Ledger, MoreShardsError, Session
from ledger.store.ledger import Home
from ledger.values import storable

__all__ = ["Batch", "Reading", "handle", "submit"]

UNKNOWN_METER_SHARD: Final = 0


def handle(readings: Sequence[Reading], ledger: Ledger, context: Context) -> Answer:
    """Record a batch of at most 5,000 readings; never refuses as a whole."""
    return submit(readings, ledger, context).result()


def submit(readings: Sequence[Reading], ledger: Ledger, context: Context) -> "Future[Answer]":
    """The same without waiting: the future answers when the batch is durable."""
    homes = ledger.meter_homes(reading.meter_no for reading in readings)
    shards = {shard for shard, _ in homes.values()}
    if len(homes) < len(readings):
        shards.add(UNKNOWN_METER_SHARD)
    return ledger.submit(
        lambda session: Batch(session, ledger, homes).record(readings),
        context,
        shards=shards,
        weight=len(readings),
        is_bulk=True,
    )


class Batch:
    """One batch of readings under decision."""

    def __init__(self, session: Session, ledger: Ledger, homes: dict[str, Home]) -> None:
        self._session = session
        self._ledger = ledger
        self._homes = homes
        self._accounts = session.accounts_at(homes.values())
        self._has_routed = False
        self._quarantined: list[Json] = []
        self._late = self.late_readings(session)
        self._deferred: dict[tuple[str, str], list[Waiting]] = {}
        """By account and point: what comes behind others of the same tiers."""
        self._duplicates = 0

    def late_readings(self, session: Session) -> LateReadings:
        """Where readings wait that are not later than their meter's last."""
        return LateReadings(session)

    def record(self, readings: Sequence[Reading]) -> Json:
        """Decide on every reading in turn."""
        accounts, homes = self._accounts, self._homes
        accepted = 0
        for index, reading in enumerate(readings):
            home = homes.get(reading.meter_no)
            account = None if home is None else accounts[home[1]]
            point = None if account is None else account.point_of_meter(reading.meter_no)
            if point is None:
                account, point = self._routed(reading, readings)
            if account is None or point is None:
                self._late.add(index, reading, account, None)
            elif reading.at_us <= point.last_at_us or reading.at_us in point.cancelled:
                if reading.at_us == point.last_at_us and point.shows(reading.registers):
                    self._duplicates += 1
                else:
                    self._late.add(index, reading, account, point)
            else:
                accepted += self._charge(index, reading, account, point)
        accepted += self._settle_deferred() + self._settle_late() + self._settle_deferred()
        self._quarantined.sort(key=lambda item: item["index"])
        return {
            "accepted": accepted,
            "duplicate": self._duplicates,
            "quarantined": self._quarantined,
        }

    def _settle_late(self) -> int:
        """What becomes of readings that were not later than their meter's last; how many count."""
        accepted = 0
        by_meter: dict[tuple[str, str], list[tuple[Waiting, Quarantine]]] = {}
        for item, (why, is_known) in self._late.judged():
            if why is None:
                self._duplicates += 1
            elif is_known:
                self._tell(item.number, why)
            elif (home := self._late.home(item, why)) is None:
                self.keep(item.number, item.reading, item.account, why)
            elif item.point is not None and item.reading.at_us > item.point.last_at_us:
                accepted += self._charge(item.number, item.reading, home, item.point)
            else:
                self._accounts[home.stream_id] = home
                key = (home.stream_id, item.reading.meter_no)
                by_meter.setdefault(key, []).append((item, why))
        for (stream, meter_no), items in by_meter.items():
            accepted += self._rerate(self._accounts[stream], meter_no, items)
        return accepted

    def _settle_deferred(self) -> int:
        """Rate in what another meter of the same tiers is ahead of, all of a meter at once."""
        accepted = 0
        deferred, self._deferred = self._deferred, {}
        for items in deferred.values():
            account, point = items[0].account, items[0].point
            if account is not None and point is not None:
                readings = [item.reading for item in items]
                taken = take_in_turn(self._session, account, point, readings)
                for item, (why, is_duplicate) in zip(items, taken, strict=True):
                    self._duplicates += is_duplicate
                    accepted += not is_duplicate and why is None
                    if why is not None:
                        self.keep(item.number, item.reading, account, why)
        return accepted

    def _rerate(
        self, account: Account, meter_no: str, items: Sequence[tuple[Waiting, Quarantine]]
    ) -> int:
        accepted = 0
        readings = [item.reading for item, _ in items]
        outcomes = take_late(self._session, account, meter_no, readings)
        for (item, why), (refusal, is_duplicate) in zip(items, outcomes, strict=True):
            self._duplicates += is_duplicate
            accepted += not is_duplicate and refusal is None
            if refusal is not None:
                reason = refusal if why is LATE else why
                self.keep(item.number, item.reading, account, reason)
        return accepted

    def _routed(
        self, reading: Reading, readings: Sequence[Reading]
    ) -> tuple[Account | None, Point | None]:
        """Account and point of a meter that is not where it was: it is elsewhere, or nowhere."""
        if not self._has_routed:
            self._has_routed = True
            lost = {r.meter_no for r in readings if self._place(r.meter_no)[1] is None}
            self._route(sorted(number for number in lost if number == storable(number)))
        return self._place(reading.meter_no)

    def _place(self, meter_no: str) -> tuple[Account | None, Point | None]:
        home = self._homes.get(meter_no)
        account = None if home is None else self._accounts[home[1]]
        return account, None if account is None else account.point_of_meter(meter_no)

    def _route(self, meter_nos: Sequence[str]) -> None:
        """Ask once where meters are installed now; what was known of them is out of date."""
        session, ledger = self._session, self._ledger
        claims = session.writer.find_claims([("meter", meter_no) for meter_no in meter_nos])
        homes = {
            meter_no: ledger.settle_meter(meter_no, claim.owner)
            for (_, meter_no), claim in claims.items()
        }
        shards = frozenset(shard for shard, _ in homes.values())
        if not shards <= session.positions.keys():
            raise MoreShardsError(", ".join(homes), shards)
        self._accounts.update(session.accounts_at(homes.values()))
        self._homes.update(homes)

    def _charge(self, index: int, reading: Reading, account: Account, point: Point) -> bool:
        session, deferred = self._session, self._deferred
        if deferred and (account.stream_id, point.name) in deferred:
            deferred[account.stream_id, point.name].append(Waiting(index, reading, account, point))
            return False
        tariff, version = session.tariff(point.tariff_id)
        fact = charge(
            account, point, reading.at_us, reading.registers, tariff, version, session.now_us
        )
        if isinstance(fact, Quarantine):
            if fact is OUT_OF_TURN:
                key = account.stream_id, point.name
                deferred[key] = [Waiting(index, reading, account, point)]
            else:
                self.keep(index, reading, account, fact)
            return False
        session.record(account, fact, reading.at_us)
        session.decide_levels(account, reading.at_us)
        return True

    def keep(self, index: int, aside: Reading, account: Account | None, why: Quarantine) -> None:
        """Put a reading in quarantine, unless it is there."""
        reading = aside.storable()
        shard = account.shard if account is not None else UNKNOWN_METER_SHARD
        meter = self._session.aggregate(Meter, reading.meter_no, shard)
        account_no = account.account_no if account is not None else ""
        event = ReadingQuarantined(
            reading.meter_no, account_no, reading.registers, why.code, storable(why.reason)
        )
        if (kept := meter.quarantine(reading.at_us, event)) is not None:
            self._session.record(meter, kept, reading.at_us)
        self._tell(index, meter.kept_aside(reading.at_us, reading.registers) or why)

    def _tell(self, index: int, why: tuple[str, str]) -> None:
        code, reason = why
        self._quarantined.append({"index": index, "code": code, "reason": reason})
