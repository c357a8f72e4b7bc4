"""SQLite's write lock is taken to write, not to decide."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.store.log import SqlLog
from ledger.ports import ConflictError, Row
from tests.harness.ledgers import open_ledger
from tests.harness.rows import a_row


def write_one(log: SqlLog, row: Row, first: Callable[[], None] = lambda: None) -> None:
    with log.write([0]) as writer:
        first()
        writer.append([row])


def test_who_was_overtaken_once_has_the_lock_from_the_start_and_is_not_overtaken_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    with open_ledger(sqlite_url, tmp_path) as opened:
        ours, other = SqlLog(opened.engine, 1), SqlLog(opened.engine, 1)
        write_one(ours, a_row(1, 1))
        with pytest.raises(ConflictError):
            write_one(ours, a_row(2, 2), first=lambda: write_one(other, a_row(2, 2)))
        with ours.write([0]) as writer:
            assert writer.heads[0].position == 2
            path = sqlite_url.removeprefix("sqlite:///")
            third = sqlite3.connect(path, timeout=0, isolation_level=None)
            with closing(third), pytest.raises(sqlite3.OperationalError, match="locked"):
                third.execute("BEGIN IMMEDIATE")
            writer.append([a_row(3, 3)])
        assert [row.position for row in opened.rows()] == [1, 2, 3]


def test_deciding_holds_no_writer_of_views_up_on_sqlite(sqlite_url: str, tmp_path: Path) -> None:
    with open_ledger(sqlite_url, tmp_path) as opened:
        log = SqlLog(opened.engine, 1)
        with log.write([0]) as writer:
            writer.hand_over([a_row(1, 1)])
            with opened.engine.execution_options(derived=True).begin() as connection:
                connection.execute(text("DELETE FROM feed_positions"))
            writer.append([])
        assert [row.position for row in opened.rows()] == [1]
