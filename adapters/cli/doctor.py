"""`wattledger doctor`: does the ledger stand on firm ground? It changes nothing."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import available_timezones

from sqlalchemy import Connection, Engine, func, select, text

from adapters.cli.output import Shown, table
from adapters.cli.problems import DIFFERENCE, OK
from adapters.settings import Settings
from adapters.store.guards import missing_guards
from adapters.store.schema import migrations
from adapters.store.tables import events, log_heads
from adapters.store.vault import VaultKeyError, read_master_key
from adapters.views import Views
from adapters.wiring import now_us, open_engine, open_terms, read_settings
from ledger.store.ledger import LedgerTerms
from ledger.values import MICROS_PER_SECOND

GIB: Final = 1 << 30
DISK_FREE_MIN: Final = 2 * GIB
LAG_MAX: Final = 100_000
DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")
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
        checks += [*_of_views(engine, terms), *_of_machine(settings, engine, terms)]
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
    off = [name for name in DURABLE if connection.scalar(text(f"SHOW {name}")) == "off"]
    detail = f"off: {', '.join(off)}; a crash can lose what was acknowledged" if off else "on"
    return _checked("durability", detail, holds=not off, otherwise="warning")


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
    parked = views.parked()
    first = f": {parked[0]['stream_id']}: {parked[0]['reason']}" if parked else ""
    yield _checked("parked streams", f"{len(parked)}{first}", holds=not parked)


# ---------------------------------------------------------------- machine


def _of_machine(settings: Settings, engine: Engine, terms: LedgerTerms) -> Iterator[Check]:
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
