"""Whole ledgers for tests: opened as a process opens them, used as a door uses them."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, event, select

from adapters.store.engine import create_engine
from adapters.store.log import SqlLog
from adapters.store.rows import to_row
from adapters.store.schema import initialise
from adapters.store.tables import claims, events, log_heads
from adapters.store.vault import SqlVault
from ledger.aggregates.policy import Line, PolicyDocument, TripLine
from ledger.commands import open_account, publish_policy, publish_tariff, recharge, record_readings
from ledger.commands.late_readings import Reading
from ledger.commands.open_account import OpenAccount, ServicePoint
from ledger.commands.recharge import Recharge
from ledger.ports import Row
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.ledger import LedgerTerms
from ledger.values import EPOCH, micros

CLERK: Final = Context("clerk-7", "test")
INSTALLED_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
TARIFF_ID: Final = "flat"
KWH: Final = 1_000
WAIT_S: Final = 120
"""Longer than anything takes on a busy machine: whoever waits so long waits in vain."""

Clock = Callable[[], int]


def tariff(tariff_id: str = TARIFF_ID, rate: str = "0.50") -> dict[str, Any]:
    """One price for all hours, without tiers."""
    version = {
        "effective_from": "2020-01-01",
        "effective_to": None,
        "rounding": {"quantum": "0.01", "mode": "half_up"},
        "accumulation": {
            "window": "month",
            "basis": "consumption",
            "proration": {"method": "none"},
        },
        "tiers": [{"upto": None}],
        "charges": [{"id": "energy", "kind": "consumption", "rates": [rate]}],
    }
    return {
        "tariff_id": tariff_id,
        "service_kind": "electricity",
        "unit": "kWh",
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "registers": ["total"],
        "tax": {"treatment": "inclusive", "rate": "0.13"},
        "source": ["made for tests"],
        "versions": [version],
    }


POLICY: Final = PolicyDocument(
    policy_id="standard",
    remind=Line(available_minor=2_000),
    warn=Line(available_minor=1_000),
    trip=TripLine(available_minor=0),
)


class Opened(NamedTuple):
    """One ledger as one process holds it, with a second way into its database."""

    ledger: Ledger
    engine: Engine

    @property
    def clock(self) -> Callable[[], int]:
        """The time of this ledger."""
        return self.ledger.clock

    def publish(self) -> None:
        """A tariff and the standard policy, so that accounts can be opened."""
        publish_tariff.handle(tariff(), self.ledger, CLERK)
        publish_policy.handle(POLICY, self.ledger, CLERK)

    def open(self, account_no: str, *meter_nos: str, **particulars: str) -> Answer:
        """Open an account with these meters."""
        command = OpenAccount(
            account_no=account_no,
            service_points=tuple(service_point(meter_no) for meter_no in meter_nos),
            **particulars,  # type: ignore[arg-type] # name, phone and so on
        )
        return open_account.handle(command, self.ledger, CLERK)

    def recharge(self, account_no: str, txn: str, amount_minor: int = 10_000) -> Answer:
        """Book a payment of the counter."""
        return recharge.handle(payment(account_no, txn, amount_minor), self.ledger, CLERK)

    def read(self, *readings: Reading) -> Answer:
        """Record readings."""
        return record_readings.handle(readings, self.ledger, CLERK)

    def rows(self) -> list[Row]:
        """The whole log, shard by shard, in order of position."""
        with self.engine.execution_options(read_only=True).begin() as connection:
            found = connection.execute(
                select(events).order_by(events.c.shard, events.c.position)
            ).all()
        return [to_row(row) for row in found]

    def heads(self) -> dict[int, tuple[int, int]]:
        """Shard -> (position, recorded_at) of its head row."""
        with self.engine.execution_options(read_only=True).begin() as connection:
            return {row[0]: (row[1], row[2]) for row in connection.execute(select(log_heads))}

    def claims(self, kind: str) -> dict[str, str]:
        """Key -> owner of the claims of a kind."""
        with self.engine.execution_options(read_only=True).begin() as connection:
            found = connection.execute(select(claims).where(claims.c.kind == kind))
            return {row.key: row.owner for row in found}

    def count(self, topic: str) -> int:
        """How many events of a topic the log holds."""
        return sum(row.topic == topic for row in self.rows())


def service_point(meter_no: str, installed_at: datetime = INSTALLED_AT) -> ServicePoint:
    """An electricity meter that stood at zero when it was installed."""
    return ServicePoint(
        service_kind="electricity",
        meter_no=meter_no,
        tariff_id=TARIFF_ID,
        installed_at=installed_at,
        initial={"total": "0"},  # type: ignore[dict-item] # the text is parsed to Wh
    )


def payment(account_no: str, txn: str, amount_minor: int = 10_000) -> Recharge:
    """A payment of the counter, settled when it is booked."""
    return Recharge(
        account_no=account_no,
        amount_minor=amount_minor,
        currency="CNY",
        channel="counter",
        channel_txn_id=txn,
    )


def reading(meter_no: str, hour: int, kwh: int) -> Reading:
    """What a meter showed so many hours after its installation."""
    return Reading(meter_no, micros(INSTALLED_AT + timedelta(hours=hour)), {"total": kwh * KWH})


def real_clock() -> int:
    """UTC microseconds now."""
    return time.time_ns() // 1_000


@contextmanager
def open_ledger(
    url: str,
    folder: Path,
    *,
    shards: int = 1,
    clock: Clock = real_clock,
    cache_size: int = 10_000,
    pragmas: Iterable[str] = (),
) -> Iterator[Opened]:
    """Open (and first make, where there is none) the ledger of a database, as a process does."""
    terms = LedgerTerms(shards, "Asia/Shanghai", "CNY")
    engine = create_engine(url)
    for pragma in pragmas if engine.dialect.name == "sqlite" else ():
        event.listen(engine, "connect", _executing(pragma))
    try:
        initialise(engine, terms)
        vault = SqlVault(engine, folder / "vault.key", os.urandom)
        vault.prepare()
        ledger = Ledger(
            SqlLog(engine, shards),
            terms,
            clock=clock,
            entropy=os.urandom,
            vault=vault,
            cache_size=cache_size,
        )
        try:
            yield Opened(ledger, engine)
        finally:
            ledger.close()
    finally:
        engine.dispose()


def _executing(pragma: str) -> Callable[..., None]:
    def execute(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's connection
        connection.execute(pragma)

    return execute


@contextmanager
def one_batch(ledger: Ledger) -> Iterator[None]:
    """What is submitted inside is decided in one transaction, in order."""
    entered, gate = threading.Event(), threading.Event()

    def wait(_session: Session) -> dict[str, Any]:
        entered.set()
        assert gate.wait(WAIT_S)
        return {}

    held = ledger.submit(wait, CLERK, shards=(0,))
    assert entered.wait(WAIT_S)
    try:
        yield
    finally:
        gate.set()
        held.result(WAIT_S)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; not for ever."""
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.001)


def moment(at_us: int) -> datetime:
    """The instant of so many microseconds since 1970."""
    return EPOCH + timedelta(microseconds=at_us)
