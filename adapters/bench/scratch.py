"""A scratch ledger inside the configured database: a schema of its own, or a file beside it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from adapters.settings import Settings
from adapters.store.engine import create_engine
from adapters.store.schema import initialise
from adapters.views import Views
from adapters.wiring import open_engine, open_ledger
from ledger.aggregates.policy import Line, PolicyDocument, TripLine
from ledger.commands import publish_policy, publish_tariff
from ledger.projections.catalogue import FRONT
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


POLICY = PolicyDocument(
    policy_id="standard",
    remind=Line(available_minor=2_000),
    warn=Line(available_minor=1_000),
    trip=TripLine(available_minor=0),
)


class Scratch(NamedTuple):
    """An empty ledger to measure on."""

    engine: Engine
    ledger: Ledger
    views: Views
    tail: Tail
    store: str
    url: str


@contextmanager
def scratch_ledger(database_url: str, shards: int = 1) -> Iterator[Scratch]:
    """A ledger of its own in the configured database; it is dropped in any case."""
    place = _sqlite_file if database_url.startswith("sqlite") else _postgresql_schema
    terms = LedgerTerms(shards, "Asia/Shanghai", "CNY")
    with place(database_url, f"wattledger_bench_{os.getpid()}") as url:
        settings = Settings(database_url=url)
        engine = open_engine(settings)
        initialise(engine, terms)
        ledger = open_ledger(settings, engine)
        tail = Tail([FRONT])
        try:
            publish_tariff.handle(TARIFF, ledger, BENCH)
            publish_policy.handle(POLICY, ledger, BENCH)
            views = Views(engine, terms, tail)
            yield Scratch(engine, ledger, views, tail, engine.dialect.name, url)
        finally:
            ledger.close()
            engine.dispose()


@contextmanager
def _sqlite_file(database_url: str, name: str) -> Iterator[str]:
    path = Path(make_url(database_url).database or "var/wattledger.db").with_name(f"{name}.db")
    try:
        yield f"sqlite:///{path}"
    finally:
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()


@contextmanager
def _postgresql_schema(database_url: str, name: str) -> Iterator[str]:
    admin = create_engine(database_url)
    with admin.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    inside = make_url(database_url).update_query_dict({"options": f"-c search_path={name}"})
    try:
        yield inside.render_as_string(hide_password=False)
    finally:
        with admin.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        admin.dispose()
