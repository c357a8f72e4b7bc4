"""`wattledger init`: make the ledger once, or bring an existing one to the newest schema."""

import re
from typing import Annotated, Final
from zoneinfo import available_timezones

import typer
from sqlalchemy import Engine, select

from adapters.cli.amounts import minor_digits
from adapters.cli.output import Shown, facts
from adapters.cli.problems import InputError
from adapters.settings import Settings
from adapters.store.eras import events_of
from adapters.store.schema import SHARDS_MAX, initialise, read_terms
from adapters.wiring import (
    open_engine,
    open_ledger,
    open_users,
    open_vault,
    read_settings,
    shown_url,
)
from ledger.aggregates.policy import ControlPolicy, Line, PolicyDocument, TripLine
from ledger.commands import publish_policy
from ledger.commands.open_account import STANDARD_POLICY
from ledger.store import Context
from ledger.store.ledger import LedgerTerms
from ledger.store.session import CATALOGUE_SHARD
from ledger.values import stream_id

ACTOR: Final = Context("system:init")
DEFAULTS: Final = LedgerTerms(shards=1, timezone="Asia/Shanghai", currency="CNY")
CURRENCY: Final = re.compile("[A-Z]{3}")
REMIND_MAJOR: Final = 20
WARN_MAJOR: Final = 10


def init(
    shards: Annotated[
        int | None,
        typer.Option(
            min=1, max=SHARDS_MAX, help="Logs that accounts are spread over (default: 1)."
        ),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times without one (default: Asia/Shanghai).")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Currency of accounts that name none (default: CNY).")
    ] = None,
) -> Shown:
    """Make the ledger in LEDGER_DATABASE_URL; again it changes nothing."""
    settings = read_settings()
    engine = open_engine(settings)
    try:
        with engine.begin() as connection:
            known = read_terms(connection) or DEFAULTS
        terms = LedgerTerms(
            shards or known.shards, timezone or known.timezone, currency or known.currency
        )
        is_new = initialise(engine, _checked(terms))
        open_vault(engine, settings).prepare()
        open_users(engine, settings).prepare()
        _standard_policy(settings, engine)
        return _shown(settings, terms, is_new=is_new)
    finally:
        engine.dispose()


def standard_policy(currency: str) -> PolicyDocument:
    """Remind at 20, warn at 10 and cut electricity at 0, in major units of the currency."""
    major = 10 ** minor_digits(currency)
    return PolicyDocument(
        policy_id=STANDARD_POLICY,
        name="Remind at 20, warn at 10, trip at 0",
        remind=Line(available_minor=REMIND_MAJOR * major),
        warn=Line(available_minor=WARN_MAJOR * major),
        trip=TripLine(available_minor=0),
    )


def _checked(terms: LedgerTerms) -> LedgerTerms:
    if terms.timezone not in available_timezones():
        raise InputError("timezone_unknown", f"There is no time zone {terms.timezone!r}.")
    if not CURRENCY.fullmatch(terms.currency):
        raise InputError("currency_invalid", f"A currency such as CNY, not {terms.currency!r}.")
    return terms


def _standard_policy(settings: Settings, engine: Engine) -> None:
    """Publish the built-in policy unless the operator has published one by its name."""
    stream = stream_id(ControlPolicy.KIND, STANDARD_POLICY)
    with engine.execution_options(read_only=True).connect() as connection:
        first = events_of(connection, [CATALOGUE_SHARD], [stream], high=1)
        if connection.scalar(select(first.c.version)) is not None:
            return
    ledger = open_ledger(settings, engine)
    try:
        publish_policy.handle(standard_policy(ledger.terms.currency), ledger, ACTOR)
    finally:
        ledger.close()


def _shown(settings: Settings, terms: LedgerTerms, *, is_new: bool) -> Shown:
    body = {
        "created": is_new,
        **terms._asdict(),
        "database": shown_url(settings),
        "vault_key_file": settings.vault_key_file,
    }
    return Shown(
        body=body,
        human=facts({**body, "created": "yes" if is_new else "no, it was there"}),
        hint="wattledger tariff publish FILE",
    )
