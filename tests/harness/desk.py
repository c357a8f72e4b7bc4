"""The service desk of a utility: every door of a real ledger, the usual particulars filled in."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from adapters.store.engine import create_engine
from adapters.store.log import SqlLog
from adapters.store.schema import initialise
from adapters.store.tables import events, log_heads
from adapters.store.vault import SqlVault
from adapters.views import Views
from adapters.views.stretch import read_stretch
from ledger.aggregates import Aggregate
from ledger.aggregates.account import Account
from ledger.aggregates.policy import PolicyDocument
from ledger.commands import (
    adjust,
    close_account,
    meters,
    open_account,
    publish_policy,
    publish_tariff,
    recharge,
    record_readings,
    reverse_recharge,
)
from ledger.commands.late_readings import Reading
from ledger.events import Event, Recorded
from ledger.projections.tail import Tail
from ledger.store.ledger import Context, Ledger, LedgerTerms
from ledger.values import instant, micros, shard_of, stream_id
from tests.harness.documents import FLAT, TIERED, TOU, WATER, policy

TIMEZONE = ZoneInfo("Asia/Shanghai")
ACTOR = Context("clerk-1")
INSTALLED = "2026-01-01"
NOW = "2026-07-01T12:00"
Json = dict[str, Any]


def moment(text: str) -> datetime:
    """A local time in Shanghai: `2026-01-05` or `2026-01-05T12:30`."""
    return datetime.fromisoformat(text).replace(tzinfo=TIMEZONE)


def at_us(text: str) -> int:
    """The same as the ledger counts it."""
    return micros(moment(text))


class Clock:
    """The time that everybody is told, moved by hand."""

    def __init__(self, now: str = NOW) -> None:
        self.now_us = at_us(now)

    def __call__(self) -> int:
        return self.now_us

    def go(self, to: str) -> None:
        self.now_us = at_us(to)

    def pass_by(self, **span: float) -> None:
        self.now_us += timedelta(**span) // timedelta(microseconds=1)


class Desk:
    """A ledger with its views, and a method for each thing that people come for."""

    def __init__(self, engine: Engine, shards: int = 1, clock: Clock | None = None) -> None:
        self.engine = engine
        self.terms = LedgerTerms(shards, "Asia/Shanghai", "CNY")
        self.clock = clock or Clock()
        self._txns = count(1)
        self._start()

    @classmethod
    def at(cls, url: str, shards: int = 1) -> Self:
        """A desk in a new ledger of that database, with the usual tariffs and the usual policy."""
        engine = create_engine(url)
        initialise(engine, LedgerTerms(shards, "Asia/Shanghai", "CNY"))
        desk = cls(engine, shards)
        desk.publish(FLAT, TIERED, TOU, WATER, policy())
        return desk

    def _start(self) -> None:
        self.tail = Tail(["front", "detail"])
        self.ledger = Ledger(
            SqlLog(self.engine, self.terms.shards),
            self.terms,
            clock=self.clock,
            entropy=os.urandom,
            vault=SqlVault(self.engine, Path(os.devnull), os.urandom),
        )
        self.ledger.watch(self.tail.add)
        self.views = Views(self.engine, self.terms)

    def restart(self) -> None:
        """Another process takes over: nothing is remembered but what the database holds."""
        self.ledger.close()
        self._start()

    def colleague(self) -> "Desk":
        """Another process beside this one, on connections of its own."""
        url = self.engine.url.render_as_string(hide_password=False)
        other = Desk(create_engine(url), self.terms.shards, self.clock)
        other._txns = self._txns
        return other

    def close(self) -> None:
        self.ledger.close()
        self.engine.dispose()

    # ------------------------------------------------------------ doors

    def publish(self, *documents: Json | PolicyDocument) -> None:
        for document in documents:
            if isinstance(document, PolicyDocument):
                publish_policy.handle(document, self.ledger, ACTOR)
            else:
                publish_tariff.handle(document, self.ledger, ACTOR)

    def open(self, account_no: str, *points: Json, **particulars: Any) -> Json:  # noqa: ANN401 - as the command names them
        command = open_account.OpenAccount.model_validate(
            {"account_no": account_no, "service_points": points, **particulars}
        )
        return open_account.handle(command, self.ledger, ACTOR).body

    def install(self, account_no: str, point: Json) -> Json:
        command = meters.InstallMeter(account_no=account_no, **point)
        return meters.install_meter(command, self.ledger, ACTOR).body

    def recharge(
        self,
        account_no: str,
        amount_minor: int,
        txn: str | None = None,
        **particulars: Any,  # noqa: ANN401 - as the command names them
    ) -> Json:
        command = recharge.Recharge(
            account_no=account_no,
            amount_minor=amount_minor,
            channel_txn_id=txn or f"T{next(self._txns)}",
            **{"currency": "CNY", "channel": "cash", **particulars},
        )
        return recharge.handle(command, self.ledger, ACTOR).body

    def reverse(self, receipt_no: str) -> Json:
        command = reverse_recharge.ReverseRecharge(receipt_no=receipt_no, reason="mistyped")
        return reverse_recharge.handle(command, self.ledger, ACTOR).body

    def adjust(
        self,
        account_no: str,
        amount_minor: int,
        wallet: Literal["paid", "granted"] = "paid",
        currency: str = "CNY",
    ) -> Json:
        command = adjust.Adjust(
            account_no=account_no,
            amount_minor=amount_minor,
            currency=currency,
            reason="goodwill",
            wallet=wallet,
        )
        return adjust.handle(command, self.ledger, ACTOR).body

    def read(self, meter_no: str, at: str, total: int | None = None, **registers: int) -> Json:
        """One reading in Wh or litres."""
        shown = registers if total is None else {"total": total, **registers}
        return self.read_all(Reading(meter_no, at_us(at), shown))

    def read_all(self, *readings: Reading) -> Json:
        return record_readings.handle(readings, self.ledger, ACTOR).body

    def replace(
        self,
        account_no: str,
        at: str,
        final: Json,
        meter_no: str,
        initial: Json,
        **other: Any,  # noqa: ANN401 - as the command names them
    ) -> Json:
        return self.replace_at(account_no, at_us(at), final, meter_no, initial, **other)

    def replace_at(
        self,
        account_no: str,
        at: int,
        final: Json,
        meter_no: str,
        initial: Json,
        **other: Any,  # noqa: ANN401 - as the command names them
    ) -> Json:
        command = meters.ReplaceMeter(
            account_no=account_no,
            replaced_at=instant(at),
            final=final,
            meter_no=meter_no,
            initial=initial,
            reason="worn out",
            **other,
        )
        return meters.replace(command, self.ledger, ACTOR).body

    def remove(self, account_no: str, at: str, final: Json, point: str | None = None) -> Json:
        return self.remove_at(account_no, at_us(at), final, point)

    def remove_at(self, account_no: str, at: int, final: Json, point: str | None = None) -> Json:
        command = meters.RemoveMeter(
            account_no=account_no,
            service_point=point,
            removed_at=instant(at),
            final=final,
            reason="moved out",
        )
        return meters.remove(command, self.ledger, ACTOR).body

    def close_account(self, account_no: str) -> Json:
        command = close_account.CloseAccount(account_no=account_no, reason="moved out")
        return close_account.handle(command, self.ledger, ACTOR).body

    # ------------------------------------------------------------ what the log holds

    def recorded(self) -> list[Recorded]:
        """Everything in the log, shard by shard, in order of position."""
        return [item for shard in range(self.terms.shards) for item in self._shard(shard)]

    def _shard(self, shard: int) -> Iterator[Recorded]:
        with self.engine.execution_options(read_only=True).begin() as connection:
            for item in read_stretch(connection, shard, 0, 10**6).whole():
                assert isinstance(item, Recorded), item
                yield item

    def facts(self, account_no: str) -> list[Event]:
        """The events of an account."""
        stream = stream_id(Account.KIND, account_no)
        return [item.event for item in self.recorded() if item.stream_id == stream]

    def fold(self, kind: type[Aggregate], natural_id: str, shard: int | None = None) -> Any:  # noqa: ANN401 - the state of that kind
        """A state folded from event 1, whatever a cache or a snapshot says."""
        home = shard_of(natural_id, self.terms.shards) if shard is None else shard
        stream = stream_id(kind.KIND, natural_id)
        past = [
            (item.event, item.valid_at_us)
            for item in self.recorded()
            if item.stream_id == stream and item.shard == home
        ]
        return kind(home, stream).replay(past)

    def account(self, account_no: str) -> Account:
        """An account folded from event 1."""
        state: Account = self.fold(Account, account_no)
        return state

    def heads(self) -> dict[int, int]:
        """Last position of each shard."""
        with self.engine.execution_options(read_only=True).begin() as connection:
            return {row.shard: row.position for row in connection.execute(select(log_heads))}

    def topics(self, shard: int = 0) -> Sequence[str]:
        """Topics of a shard in order of position."""
        with self.engine.execution_options(read_only=True).begin() as connection:
            return connection.scalars(
                select(events.c.topic).where(events.c.shard == shard).order_by(events.c.position)
            ).all()


def point(
    meter_no: str,
    tariff_id: str = "flat",
    installed_at: str = INSTALLED,
    initial: Json | None = None,
    **particulars: Any,  # noqa: ANN401 - as the command names them
) -> Json:
    """A service point: electricity on the flat tariff from zero on, unless told otherwise."""
    return {
        "service_kind": "electricity",
        "meter_no": meter_no,
        "tariff_id": tariff_id,
        "installed_at": moment(installed_at),
        "initial": initial or {"total": 0},
        **particulars,
    }


def water(meter_no: str, **particulars: Any) -> Json:  # noqa: ANN401 - as the command names them
    """A point of cold water."""
    return point(meter_no, "water", service_kind="water", **particulars)
