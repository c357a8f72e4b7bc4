"""A stream that runs over several eras of the log is one stream."""

from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Connection, Select, select, text
from sqlalchemy.exc import IntegrityError

from adapters.store.dialects import is_postgresql
from adapters.store.eras import events_of
from adapters.store.ledger_recorder import LedgerRecorder
from adapters.store.tables import ERA_BITS
from adapters.views.account_past import page_of_events
from ledger.aggregates.account import Account
from ledger.aggregates.meter import Meter
from ledger.ports import Row
from ledger.queries import EventsAsked
from ledger.store.history import Moment
from ledger.values import stream_id
from tests.harness.ledgers import CLERK, Opened
from tests.store.conftest import OpenLedger

STREAM = stream_id(Account.KIND, "A1")
PAYMENTS = 6
ERAS = 4


@pytest.fixture
def aged(opened: Opened) -> Opened:
    """An account with payments in every era; the log between them is skipped."""
    opened.open("A1", "M1")
    for era in range(1, ERAS):
        skip_to(opened, (era << ERA_BITS) - 3)
        for number in range(PAYMENTS):  # The border lies between them.
            opened.recharge("A1", f"{era}-{number}")
    return opened


def skip_to(opened: Opened, position: int) -> None:
    with opened.engine.begin() as connection:
        connection.execute(
            text("UPDATE log_heads SET position = :position"), {"position": position}
        )


def paid_minor() -> int:
    return 10_000 * PAYMENTS * (ERAS - 1)


def test_the_versions_of_a_stream_run_on_over_the_borders(aged: Opened) -> None:
    of_account = [row for row in aged.rows() if row.stream_id == STREAM]
    assert [row.version for row in of_account] == list(range(1, len(of_account) + 1))
    assert {row.position >> ERA_BITS for row in of_account} == set(range(ERAS))


def test_another_process_folds_a_stream_from_all_its_eras(
    aged: Opened, opening: OpenLedger
) -> None:
    other = opening()
    balance = other.recharge("A1", "later").body["balance_minor"]
    assert balance == paid_minor() + 10_000
    assert aged.recharge("A1", "1-0").body == opening().recharge("A1", "1-0").body


def test_a_meter_is_known_where_it_began_however_long_ago(
    aged: Opened, opening: OpenLedger
) -> None:
    with aged.engine.begin() as connection:
        first = events_of(connection, range(3), [stream_id(Meter.KIND, "M1")], high=1)
        assert list(connection.scalars(select(first.c.shard))) == [0]
    seen = opening().ledger.decide(
        lambda at: {"balance_minor": at.account("A1").balance_minor}, CLERK, accounts=("A1",)
    )
    assert seen.body["balance_minor"] == paid_minor()


@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_of_an_account_go_through_the_eras_in_order(
    aged: Opened, *, newest_first: bool
) -> None:
    versions: list[int] = []
    asked = EventsAsked(limit=4, newest_first=newest_first)
    with aged.engine.begin() as connection:
        while True:
            page = page_of_events(connection, "A1", 1, asked)
            versions += [body["version"] for body in page.items]
            if page.cursor is None:
                break
            asked = asked._replace(cursor=page.cursor)
    count = len([row for row in aged.rows() if row.stream_id == STREAM])
    expected = list(range(1, count + 1))
    assert versions == (expected[::-1] if newest_first else expected)


def test_what_was_known_at_a_position_is_found_in_its_era(aged: Opened) -> None:
    recorder = LedgerRecorder(aged.engine, 0)
    of_account = [row for row in aged.rows() if row.stream_id == STREAM]
    for row in of_account:
        known = Moment(known_position=row.position)
        assert recorder.version_known_at(STREAM, known) == row.version
    assert recorder.version_known_at(STREAM, Moment()) == of_account[-1].version
    some = recorder.facts(STREAM, 2, of_account[-1].version - 1, 2**62)
    assert [fact.originator_version for fact in some] == [row.version for row in of_account[2:-1]]


def test_a_stream_is_looked_up_in_the_index_before_there_are_statistics(aged: Opened) -> None:
    """Without them a planner would rather read a whole shard, which is the whole log."""
    with aged.engine.begin() as connection:
        here = events_of(connection, [0], [STREAM])
        plan = plan_of(connection, select(here.c.topic).order_by(here.c.version))
        assert "events_stream_version" in plan
        assert "shard=? AND <expr>=? AND stream_id=?" in plan or (
            is_postgresql(connection) and ">> 20) = " in plan and "Filter" not in plan
        )


def plan_of(connection: Connection, statement: Select[Any]) -> str:
    compiled: Any = statement.compile(connection)
    explain, values = "EXPLAIN", compiled.params
    if not is_postgresql(connection):
        explain, values = "EXPLAIN QUERY PLAN", tuple(map(values.get, compiled.positiontup))
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(f"{explain} {compiled}", values)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_a_version_is_refused_a_second_time_by_the_database_itself(aged: Opened) -> None:
    last = [row for row in aged.rows() if row.stream_id == STREAM][-1]
    again = ", ".join("position + 100" if name == "position" else name for name in Row._fields)
    forged = f"INSERT INTO events SELECT {again} FROM events WHERE position = {last.position}"
    with (
        pytest.raises(IntegrityError, match="events_stream_version"),
        aged.engine.begin() as connection,
    ):
        connection.execute(text(forged))
