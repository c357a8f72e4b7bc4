"""Where the web application meets the adapters: settings in, a running application out."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from adapters.clockwork import Clockwork
from adapters.device_side import start_devices
from adapters.settings import Settings
from adapters.store.faults import STORE_MEANINGS
from adapters.views import Views
from adapters.views.queries import SqlQueries
from adapters.wiring import Clock, open_engine, open_ledger, open_users
from adapters.worker import Worker
from api.app import create_app
from ledger.projections.tail import Tail
from ledger.service import Service, no_figures


@contextmanager
def serving(settings: Settings, clock: Clock | None = None) -> Iterator[FastAPI]:
    """The application of the settings' ledger, with its feeds at work while the block lasts."""
    engine = open_engine(settings)
    ledger = open_ledger(settings, engine, clock)
    tail = Tail(["front", "detail"])
    ledger.watch(tail.add)
    views = Views(engine, ledger.terms, tail)
    worker = Worker(list(views.feeds.values()), ledger.terms.shards, tail).start()
    devices = start_devices(settings, ledger, engine)
    clockwork = Clockwork(ledger, engine).start()
    try:
        yield create_app(
            Service(
                ledger,
                views,
                SqlQueries(engine, ledger.terms),
                no_figures if devices is None else devices.figures,
            ),
            open_users(engine, settings),
            STORE_MEANINGS,
        )
    finally:
        clockwork.stop()
        if devices is not None:
            devices.stop()
        worker.stop()
        ledger.close()
        engine.dispose()
