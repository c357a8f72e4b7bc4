"""The disk is full: a clear error, nothing half-written, and on it goes when there is space."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import text

from ledger.commands import recharge
from ledger.ports import LogUnavailableError
from tests.harness.ledgers import CLERK, WAIT_S, Opened, open_ledger, payment
from tests.harness.postgres import Postgres
from tests.harness.processes import teller
from tests.harness.scarcity import MIB, can_mount, limit_files, owner_of, small_file_system
from tests.harness.soundness import assert_sound

TOGETHER = 40
ROUNDS_MAX = 400
MOUNTED = ["file system"] if can_mount() else []
"""Where no file system can be made, the other limits stand for it."""


class Scarce(NamedTuple):
    """A ledger whose disk is nearly full."""

    opened: Opened
    make_space: Callable[[], None]


def a_ledger(opened: Opened) -> Opened:
    opened.publish()
    opened.open("A1")
    return opened


@contextmanager
def sqlite(kind: str, folder: Path) -> Iterator[Scarce]:
    if kind == "file system":
        with small_file_system(folder / "small", 8 * MIB) as small:
            ballast = small / "ballast"
            ballast.write_bytes(bytes(6 * MIB))
            with open_ledger(f"sqlite:///{small}/ledger.db", folder) as opened:
                yield Scarce(a_ledger(opened), ballast.unlink)
        return
    limit = ["PRAGMA max_page_count=150"]
    with open_ledger(f"sqlite:///{folder}/ledger.db", folder, pragmas=limit) as opened:

        def make_space() -> None:
            with opened.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA max_page_count=100000")

        yield Scarce(a_ledger(opened), make_space)


@contextmanager
def postgresql(kind: str, folder: Path, server: Postgres) -> Iterator[Scarce]:
    url = server.new_database()
    if kind == "file system":
        with (
            tempfile.TemporaryDirectory(dir="/tmp") as parent,
            small_file_system(Path(parent) / "small", 3 * MIB) as small,
            open_ledger(url, folder) as opened,
        ):
            Path(parent).chmod(0o755)
            (small / "space").mkdir()
            os.chown(small / "space", *owner_of(server))
            yield on_tablespace(a_ledger(opened), small)
            server.stop()  # before its files are taken away
        return
    with open_ledger(url, folder) as opened:
        yield at_file_size(a_ledger(opened), server)


def on_tablespace(opened: Opened, small: Path) -> Scarce:
    execute(opened, f"CREATE TABLESPACE small LOCATION '{small}/space'")
    execute(opened, "ALTER TABLE events SET TABLESPACE small")
    ballast = small / "ballast"
    ballast.write_bytes(bytes(2 * MIB))
    return Scarce(opened, ballast.unlink)


def at_file_size(opened: Opened, server: Postgres) -> Scarce:
    """The table is blown up by a transaction that is taken back; then no file may grow further."""
    execute(opened, "ALTER TABLE events SET (autovacuum_enabled = false)")
    with opened.engine.connect() as connection:
        connection.begin()
        connection.execute(
            text(
                "INSERT INTO events SELECT 0, 1000 + n, gen_random_uuid(), 1, 't', 0, 0, NULL,"
                " repeat(md5(n::text), 15), '', '', '' FROM generate_series(1, 40000) n"
            )
        )
        connection.rollback()
        size = connection.scalar(text("SELECT pg_relation_size('events')"))
    assert size is not None
    limit_files(server, size + MIB // 8)
    return Scarce(opened, lambda: limit_files(server, None))


def execute(opened: Opened, statement: str) -> None:
    with opened.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)


def fills_up_and_goes_on(scarce: Scarce) -> None:
    opened = scarce.opened
    booked, refused = pay_until_full(opened)
    for n in range(3):
        with pytest.raises(LogUnavailableError):
            opened.open(f"B{n}", *(f"M{n}-{m}" for m in range(16)))
    assert set(opened.claims("payment")) == {f"counter/{txn}" for txn in booked}
    assert_sound(opened)
    scarce.make_space()
    for n, txn in enumerate(refused, start=1):  # sent again, as their senders do
        answer = opened.recharge("A1", txn)
        assert (answer.replayed, answer.body["balance_minor"]) == (
            False,
            10_000 * (len(booked) + n),
        )
    assert opened.recharge("A1", booked[0]).replayed
    assert_sound(opened)


def pay_until_full(opened: Opened) -> tuple[list[str], list[str]]:
    """Pay until the log says no; the transactions that were booked, and those that were not."""
    booked: list[str] = []
    for n in range(ROUNDS_MAX):
        txns = [f"t{n}-{m}" for m in range(TOGETHER)]
        futures = [recharge.submit(payment("A1", txn), opened.ledger, CLERK) for txn in txns]
        errors = [future.exception(WAIT_S) for future in futures]
        booked += [txn for txn, error in zip(txns, errors, strict=True) if error is None]
        if any(errors):
            assert all(isinstance(error, LogUnavailableError | None) for error in errors)
            assert "cannot record now" in str(next(filter(None, errors)))
            return booked, [txn for txn in txns if txn not in booked]
    pytest.fail("the disk never became full")


@pytest.mark.parametrize("kind", ["limit of pages", *MOUNTED])
def test_sqlite_on_a_full_disk(kind: str, tmp_path: Path) -> None:
    with sqlite(kind, tmp_path) as scarce:
        fills_up_and_goes_on(scarce)
        with scarce.opened.engine.begin() as connection:
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"


@pytest.mark.postgres
@pytest.mark.parametrize("kind", ["limit of file size", *MOUNTED])
def test_postgresql_on_a_full_disk(kind: str, tmp_path: Path, durable_postgres: Postgres) -> None:
    with postgresql(kind, tmp_path, durable_postgres) as scarce:
        fills_up_and_goes_on(scarce)


def test_sqlite_whose_files_may_not_grow(sqlite_url: str, tmp_path: Path) -> None:
    """The write-ahead log comes to its limit in the middle of a COMMIT."""
    with teller(sqlite_url, tmp_path) as process:
        process.ask("publish")
        process.ask("open", "A1")
        process.ask("limit files", MIB // 2)
        booked, said = process.ask("recharge until", "A1", "t", 5_000)
        assert booked > 0
        assert "cannot record now" in said
        assert process.ask("recharge until", "A1", "u", 1)[0] == 0
        with open_ledger(sqlite_url, tmp_path) as opened:
            assert opened.count("account.credited.v1") == booked
            assert_sound(opened)
            process.ask("limit files", -1)
            body, replayed = process.ask("recharge", "A1", f"t-{booked}")
            assert (replayed, body["balance_minor"]) == (False, 10_000 * (booked + 1))
            assert_sound(opened)
