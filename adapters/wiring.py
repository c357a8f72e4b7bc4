"""The composition root: which log, which vault, which clock, which chance. Tests call it too."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from adapters.settings import PREFIX, Settings
from adapters.store.engine import create_engine
from adapters.store.log import SqlLog
from adapters.store.schema import NotInitialisedError, read_terms
from adapters.store.users import SqlUsers, session_key_file
from adapters.store.vault import SqlVault
from ledger.ports import LogUnavailableError
from ledger.store import Ledger
from ledger.store.ledger import LedgerTerms

Clock = Callable[[], int]
"""UTC microseconds since 1970."""


class SettingsError(ValueError):
    """The environment does not say how to open the ledger."""


def read_settings() -> Settings:
    """The settings of the environment, or one sentence about what is wrong with them."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            "".join(f"{PREFIX}{place}: ".upper() for place in problem["loc"])
            + _said(problem["msg"])
            for problem in error.errors()
        )
        raise SettingsError(wrong) from error


def shown_url(settings: Settings) -> str:
    """Where the ledger lies, as it was set, without its password."""
    return make_url(settings.database_url).render_as_string(hide_password=True)


def _said(message: str) -> str:
    """A sentence without the library's name for who said it."""
    return message.removeprefix("Value error, ")


def open_engine(settings: Settings) -> Engine:
    """The database of the settings, whether or not it holds a ledger."""
    try:
        return create_engine(settings.database_url)
    except ArgumentError as error:
        told = "a URL such as sqlite:///var/wattledger.db or postgresql://user@host/name is needed"
        raise SettingsError(f"{PREFIX}DATABASE_URL: {told}.") from error
    except ValueError as error:
        raise SettingsError(f"{PREFIX}DATABASE_URL: {error}") from error
    except OSError as error:
        raise LogUnavailableError(f"There can be no database here: {error}.") from error


def open_terms(engine: Engine) -> LedgerTerms:
    """What `init` fixed for the ledger in this database."""
    terms = None
    if _may_hold_a_ledger(engine):
        with engine.execution_options(read_only=True).connect() as connection:
            terms = read_terms(connection)
    if terms is None:
        named = engine.url.set(drivername=engine.url.get_backend_name())
        shown = named.render_as_string(hide_password=True)
        raise NotInitialisedError(f"There is no ledger in {shown} yet; run `wattledger init`.")
    return terms


def open_vault(engine: Engine, settings: Settings) -> SqlVault:
    """The sealed personal data, under the master key of the settings."""
    return SqlVault(engine, Path(settings.vault_key_file), os.urandom)  # noqa: TID251 - see above


def open_users(engine: Engine, settings: Settings) -> SqlUsers:
    """The people who may sign in."""
    entropy = os.urandom  # noqa: TID251 - the one place that draws it
    return SqlUsers(engine, session_key_file(settings.vault_key_file), now_us, entropy)


def open_ledger(
    settings: Settings, engine: Engine | None = None, clock: Clock | None = None
) -> Ledger:
    """The ledger of the settings; raises `NotInitialisedError` where `init` was not run."""
    engine = engine or open_engine(settings)
    terms = open_terms(engine)
    return Ledger(
        SqlLog(engine, terms.shards),
        terms,
        clock=clock or now_us,
        entropy=os.urandom,  # noqa: TID251 - the one place that draws it
        vault=open_vault(engine, settings),
        cache_size=settings.cache_accounts,
        approvals=settings.needing_approval(),
        trips_alone_max=settings.trips_alone_max,
    )


def now_us() -> int:
    """UTC microseconds since 1970."""
    return time.time_ns() // 1000  # noqa: TID251 - the one place that reads the clock


def _may_hold_a_ledger(engine: Engine) -> bool:
    """Opening a SQLite file makes it; to look for a ledger is no reason to leave a file behind."""
    path = make_url(engine.url).database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return True
    return path.startswith("file:") or Path(path).exists()
