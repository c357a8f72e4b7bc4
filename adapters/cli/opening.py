"""What a command works with: the ledger of the environment, opened for one command."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine

from adapters.settings import Settings
from adapters.views import Views
from adapters.wiring import open_engine, open_ledger, open_terms, read_settings
from ledger.store import Context, Ledger
from ledger.store.ledger import LedgerTerms


@dataclass(frozen=True, slots=True)
class Opened:
    """The ledger, its database and its views."""

    settings: Settings
    engine: Engine
    ledger: Ledger
    context: Context

    @property
    def terms(self) -> LedgerTerms:
        """What `init` fixed."""
        return self.ledger.terms

    def views(self) -> Views:
        """The views, brought to the log's end."""
        views = Views(self.engine, self.terms)
        views.catch_up()
        return views


@contextmanager
def opened() -> Iterator[Opened]:
    """The ledger to write to and read from; what was handed over is committed at the end."""
    settings = read_settings()
    engine = open_engine(settings)
    try:
        ledger = open_ledger(settings, engine)
        try:
            yield Opened(settings, engine, ledger, Context(actor()))
        finally:
            ledger.close()
    finally:
        engine.dispose()


@contextmanager
def reading() -> Iterator[tuple[Engine, LedgerTerms]]:
    """The database alone, for commands that record nothing."""
    engine = open_engine(read_settings())
    try:
        yield engine, open_terms(engine)
    finally:
        engine.dispose()


def actor() -> str:
    """Who runs the command: the login of this machine, an id and no name."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # No entry for this user, as in many containers.
        return f"cli:{os.getuid()}"
