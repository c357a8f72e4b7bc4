"""`wattledger doctor`: does the ledger stand on firm ground? It changes nothing."""

import shutil
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import available_timezones

from sqlalchemy import Connection, Engine, func, select, text

from adapters.cli.output import Shown, table
from adapters.cli.problems import DIFFERENCE, OK
from adapters.settings import PREFIX, Settings
from adapters.store.guards import missing_guards
from adapters.store.schema import migrations
from adapters.store.tables import events, log_heads
from adapters.store.vault import VaultKeyError, read_master_key
from adapters.views import Views
from adapters.views.publications import in_force
from adapters.views.tables import feed_positions
from adapters.wiring import now_us, open_engine, open_terms, read_settings
from ledger.aggregates.account.control import Terms
from ledger.events.catalogue import PolicyPublished
from ledger.pricing import CompiledTariff
from ledger.store.ledger import LedgerTerms
from ledger.store.session import compiled, terms_of
from ledger.values import MICROS_PER_DAY, MICROS_PER_SECOND, local_day, micros

GIB: Final = 1 << 30
MIB: Final = 1 << 20
DISK_FREE_MIN: Final = 2 * GIB
LAG_MAX: Final = 100_000
AHEAD_US: Final = 30 * MICROS_PER_DAY
"""So long before a year begins its holidays have been announced."""
CLOCKS_APART_MAX_US: Final = 5 * MICROS_PER_SECOND
DURABLE: Final = {
    "fsync": "a crash can destroy the database",
    "full_page_writes": "a crash can leave torn pages",
    "synchronous_commit": "a crash can lose what was acknowledged",
}
"""What happens where a setting of PostgreSQL is off."""
MEMORY: Final = {
    "shared_buffers": (128 * MIB, "a quarter of the machine's memory"),
    "max_wal_size": (GIB, "8GB to 16GB"),
}
"""Defaults of PostgreSQL that slow a large ledger down, and what to set instead."""
FORBIDDEN: Final = ("UPDATE", "DELETE", "TRUNCATE")
OTHERS_MAY: Final = stat.S_IRWXG | stat.S_IRWXO


class Check(NamedTuple):
    """One thing looked at: `ok`, `warning` (it works, but not safely) or `failed`."""

    name: str
    status: str
    detail: str


def doctor() -> Shown:
    """Check the database, its guards, the log's heads, the views, the clock and the keys."""
    settings = read_settings()
    engine = open_engine(settings)
    try:
        terms = open_terms(engine)
        with engine.execution_options(read_only=True).connect() as connection:
            checks = [*_of_database(connection), *_of_log(connection)]
            checks += _holidays(connection, terms)
        checks += _of_views(engine, terms)
        checks += _of_machine(settings, engine, terms)
    finally:
        engine.dispose()
    failed = [check for check in checks if check.status == "failed"]
    return Shown(
        body={"ok": not failed, "checks": [check._asdict() for check in checks]},
        human=table(Check._fields, checks),
        hint="wattledger verify",
        exit_code=DIFFERENCE if failed else OK,
    )


def _checked(name: str, detail: str, *, holds: bool, otherwise: str = "failed") -> Check:
    return Check(name, "ok" if holds else otherwise, detail)


# ---------------------------------------------------------------- database


def _of_database(connection: Connection) -> Iterator[Check]:
    dialect = connection.dialect
    version = ".".join(map(str, dialect.server_version_info or ()))
    yield Check("database", "ok", f"{dialect.name} {version}")
    yield _schema(connection)
    yield _guards(connection)
    if dialect.name == "sqlite":
        yield _pragmas(connection)
    else:
        yield _grants(connection)
        yield _durability(connection)
        yield _memory(connection)
        yield _server_clock(connection)


def _schema(connection: Connection) -> Check:
    newest = max(path.name.partition("_")[0] for path in (migrations() / "versions").glob("[0-9]*"))
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    advice = "" if found == newest else f"; the newest is {newest}: run `wattledger init`"
    return _checked("schema", f"revision {found}{advice}", holds=found == newest)


def _guards(connection: Connection) -> Check:
    """The triggers that keep the log append-only: standing, enabled, and still refusing."""
    missing = missing_guards(connection)
    detail = f"missing: {', '.join(missing)}" if missing else "events can only be appended"
    return _checked("guards", detail, holds=not missing)


def _pragmas(connection: Connection) -> Check:
    expected = {"journal_mode": "wal", "synchronous": 2, "recursive_triggers": 1}
    found = {name: connection.scalar(text(f"PRAGMA {name}")) for name in expected}
    detail = ", ".join(f"{name} {value}" for name, value in found.items())
    return _checked("durability", detail, holds=found == expected)


def _grants(connection: Connection) -> Check:
    """No right but to read and append; a superuser has all rights and should not serve."""
    if connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
        return Check("grants", "warning", "no grant binds a superuser; use a role of its own")
    asked = ", ".join(f"has_table_privilege('events', '{right}')" for right in FORBIDDEN)
    rights = connection.execute(text(f"SELECT {asked}")).one()
    granted = [right for right, has in zip(FORBIDDEN, rights, strict=True) if has]
    detail = f"the role may {', '.join(granted)} events" if granted else "read and append only"
    return _checked("grants", detail, holds=not granted)


def _durability(connection: Connection) -> Check:
    off = {name: harm for name, harm in DURABLE.items() if _setting(connection, name) == "off"}
    detail = "; ".join(f"{name} is off: {harm}, set it on" for name, harm in off.items())
    return _checked("durability", detail or "on", holds=not off, otherwise="warning")


def _memory(connection: Connection) -> Check:
    """As installed, the server is meant for a small machine, and says nothing of it."""
    found = {name: _setting(connection, name) for name in MEMORY}
    told = []
    for name, (default, better) in MEMORY.items():
        size = connection.scalar(select(func.pg_size_bytes(found[name])))
        if size is not None and size <= default:
            told.append(f"{name} is {found[name]}: a large ledger wants {better}")
    detail = "; ".join(told) or ", ".join(f"{name} {value}" for name, value in found.items())
    return _checked("memory", detail, holds=not told, otherwise="warning")


def _server_clock(connection: Connection) -> Check:
    """Machines that record one after the other need one time; the server's stands for theirs."""
    server = connection.scalar(select(func.clock_timestamp()))
    apart_us = abs(now_us() - micros(server)) if server is not None else 0
    detail = f"{apart_us / MICROS_PER_SECOND:.1f} s from this machine's"
    holds = apart_us <= CLOCKS_APART_MAX_US
    return _checked("server clock", detail, holds=holds, otherwise="warning")


def _setting(connection: Connection, name: str) -> str:
    return str(connection.scalar(select(func.current_setting(name))))


# ---------------------------------------------------------------- log and views


def _of_log(connection: Connection) -> Iterator[Check]:
    """Each head is the last position, and as many events lie below it."""
    counted = (
        select(events.c.shard, func.count(), func.max(events.c.position))
        .group_by(events.c.shard)
        .order_by(events.c.shard)
    )
    found = {shard: (count, last) for shard, count, last in connection.execute(counted)}
    heads = connection.execute(select(log_heads).order_by(log_heads.c.shard)).all()
    for head in heads:
        count, last = found.get(head.shard, (0, 0))
        is_gapless = head.position == last == count
        detail = f"head {head.position}, last event {last}, {count} events"
        yield _checked(f"log {head.shard}", detail, holds=is_gapless)
    since_us = now_us() - max((head.recorded_at for head in heads), default=0)
    seconds = f"{abs(since_us) / MICROS_PER_SECOND:.1f} s"
    detail = f"{seconds} past the log's end" if since_us >= 0 else f"{seconds} before the log's end"
    yield _checked("clock", detail, holds=since_us >= 0)


def _of_views(engine: Engine, terms: LedgerTerms) -> Iterator[Check]:
    views = Views(engine, terms)
    for feed, lag in views.lag().items():
        yield _checked(
            f"views {feed}", f"{lag} events behind", holds=lag <= LAG_MAX, otherwise="warning"
        )
    yield _steering(engine, views)
    parked = views.parked()
    first = f": {parked[0]['stream_id']}: {parked[0]['reason']}" if parked else ""
    yield _checked("parked streams", f"{len(parked)}{first}", holds=not parked)


def _steering(engine: Engine, views: Views) -> Check:
    """Whether somebody carries to the meters what is decided; without any meters nobody does."""
    behind = (
        select(func.max(log_heads.c.position - feed_positions.c.position))
        .join_from(log_heads, feed_positions, log_heads.c.shard == feed_positions.c.shard)
        .where(feed_positions.c.feed.not_in(views.feeds))
    )
    with engine.execution_options(read_only=True).connect() as connection:
        lag = connection.scalar(behind)
    if lag is None:
        return Check("steering", "ok", "no process has acted on meters yet")
    detail = f"{lag} events behind"
    if lag > LAG_MAX:
        detail += "; no process acts on meters: see LEDGER_DEVICES"
    return _checked("steering", detail, holds=lag <= LAG_MAX, otherwise="warning")


def _holidays(connection: Connection, terms: LedgerTerms) -> Iterator[Check]:
    """Whoever asks a calendar knows the year that comes."""
    year = date.fromordinal(local_day(terms.timezone, now_us() + AHEAD_US)).year
    checks = [
        check
        for (topic, name), (version, document) in in_force(connection).items()
        for check in (
            _of_policy(name, terms_of(document, version), year)
            if topic == PolicyPublished.TOPIC
            else _of_tariff(name, compiled(document), year)
        )
    ]
    yield from checks or [Check("holidays", "ok", "no policy or tariff asks a calendar")]


def _of_policy(policy_id: str, policy: Terms, year: int) -> Iterator[Check]:
    """It spares holidays as far as they were known when it was published."""
    windows = policy.no_cut.windows if policy.no_cut else ()
    known = [each.days.through_year for each in windows if each.days.holidays is not None]
    if known:
        detail = f"policy {policy_id}: known through {min(known)}"
        if min(known) < year:
            detail += f"; publish it again when those of {year} are announced"
        yield _checked("holidays", detail, holds=min(known) >= year, otherwise="warning")


def _of_tariff(tariff_id: str, tariff: CompiledTariff, year: int) -> Iterator[Check]:
    """It can charge no reading of a year whose holidays it does not know."""
    years = None if tariff.hours is None else tariff.hours.years
    if years is not None:
        detail = f"tariff {tariff_id}: known through {max(years, default='no year')}"
        if year not in years:
            detail += (
                f"; readings of {year} would wait: when its holidays are announced, "
                "wattledger tariff add-holidays FILE"
            )
        yield _checked("holidays", detail, holds=year in years, otherwise="warning")


# ---------------------------------------------------------------- machine


def _of_machine(settings: Settings, engine: Engine, terms: LedgerTerms) -> Iterator[Check]:
    does_trip = settings.trips == "on"
    detail = "sent" if does_trip else f"{PREFIX}TRIPS=off: nobody is cut"
    yield _checked("trips", detail, holds=does_trip, otherwise="warning")
    is_known = terms.timezone in available_timezones()
    yield _checked("time zone", terms.timezone, holds=is_known)
    yield _vault_key(Path(settings.vault_key_file))
    if engine.dialect.name == "sqlite" and engine.url.database:
        free = shutil.disk_usage(Path(engine.url.database).resolve().parent).free
        detail = f"{free / GIB:.1f} GiB free"
        yield _checked("disk", detail, holds=free >= DISK_FREE_MIN, otherwise="warning")


def _vault_key(path: Path) -> Check:
    try:
        read_master_key(path)
    except VaultKeyError as error:
        return Check("vault key", "failed", str(error))
    mode = stat.S_IMODE(path.stat().st_mode)
    detail = f"{path}, mode {mode:04o}"
    return _checked("vault key", detail, holds=not mode & OTHERS_MAY, otherwise="warning")
