"""A scratch ledger inside the configured database: a schema of its own, or a file beside it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from adapters.store.engine import create_engine
from adapters.store.log import SqlLog
from adapters.store.schema import initialise
from adapters.views import Views
from ledger.commands import publish_policy, publish_tariff
from ledger.aggregates.policy import Line, PolicyDocument, TripLine
from ledger.projections.tail import Tail
from ledger.store.ledger import Context, Ledger, LedgerTerms

BENCH = Context("bench", "bench")
TARIFF_ID = "bench-residential"
TARIFF = {
    "tariff_id": TARIFF_ID,
    "service_kind": "electricity",
    "unit": "kWh",
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "registers": ["total"],
    "tax": {"treatment": "inclusive", "rate": "0.13"},
    "source": ["three tiers a year and a daily fee, in the shape of a residential tariff"],
    "versions": [
        {
            "effective_from": "2012-07-01",
            "effective_to": None,
            "rounding": {"quantum": "0.01", "mode": "half_up"},
            "accumulation": {
                "window": "year",
                "basis": "consumption",
                "proration": {"method": "none"},
            },
            "tiers": [{"upto": "2880"}, {"upto": "4800"}, {"upto": None}],
            "charges": [
                {"id": "energy", "kind": "consumption", "rates": ["0.4883", "0.5383", "0.7883"]}
            ],
        }
    ],
}


class Scratch(NamedTuple):
    """An empty ledger to measure on."""

    engine: Engine
    ledger: Ledger
    views: Views
    tail: Tail
    store: str


class _NoPersonalData:
    def seal(
        self, _shard: int, _account_no: str, _personal: dict[str, str]
    ) -> tuple[dict[str, str], list[tuple[int, str, str, bytes]]]:
        return {}, []

    def unseal(self, _shard: int, _account_no: str) -> dict[str, str]:
        return {}


def clock_us() -> int:
    """UTC microseconds now."""
    return time.time_ns() // 1_000


@contextmanager
def scratch_ledger(database_url: str, shards: int = 1) -> Iterator[Scratch]:
    """Make a ledger of its own in the configured database; it is dropped in any case."""
    name = f"wattledger_bench_{os.getpid()}"
    url = make_url(database_url)
    if url.drivername.startswith("sqlite"):
        path = Path(url.database or "var/wattledger.db").with_name(f"{name}.db")
        engine = create_engine(f"sqlite:///{path}")
    else:
        admin = create_engine(database_url)
        with admin.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
        engine = create_engine(
            url.update_query_dict({"options": f"-c search_path={name}"}).render_as_string(
                hide_password=False
            )
        )
    terms = LedgerTerms(shards, "Asia/Shanghai", "CNY")
    try:
        initialise(engine, terms)
        tail = Tail(["front"])
        ledger = Ledger(
            SqlLog(engine, shards),
            terms,
            clock=clock_us,
            entropy=os.urandom,
            vault=_NoPersonalData(),
        )
        ledger.watch(tail.add)
        publish_tariff.handle(TARIFF, ledger, BENCH)
        publish_policy.handle(POLICY, ledger, BENCH)
        try:
            yield Scratch(engine, ledger, Views(engine, terms, tail), tail, engine.dialect.name)
        finally:
            ledger.close()
    finally:
        engine.dispose()
        if url.drivername.startswith("sqlite"):
            for left in path.parent.glob(f"{name}.db*"):
                left.unlink()
        else:
            with admin.begin() as connection:
                connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
            admin.dispose()


POLICY = PolicyDocument(
    policy_id="standard",
    remind=Line(available_minor=2_000),
    warn=Line(available_minor=1_000),
    trip=TripLine(available_minor=0),
)
