"""A server that hangs while its kernel still answers: all are told in time, nothing is lost."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.store import log, log_writer, patience
from adapters.store.copying import Copying
from adapters.store.copying_writer import COPY
from ledger.ports import LogUnavailableError, OutcomeUnknownError, Row
from tests.harness.chaos_proxy import ChaosProxy
from tests.harness.faulty_line import Line, at_commit
from tests.harness.ledgers import open_ledger, reading
from tests.harness.postgres import Postgres
from tests.harness.soundness import assert_sound

pytestmark = pytest.mark.postgres

PATIENCE_S = 1.5
CONNECT_S = 2
TOLD_WITHIN_S = 15


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waiting, in seconds instead of half minutes."""
    monkeypatch.setattr(patience, "LOG_S", PATIENCE_S)
    monkeypatch.setattr(patience, "BRIEF_S", PATIENCE_S)
    monkeypatch.setattr(patience, "TICK_S", 0.1)
    monkeypatch.setattr(log, "READ_BACK_S", PATIENCE_S)


@pytest.fixture
def line(postgres: Postgres, postgres_url: str, tmp_path: Path) -> Iterator[Line]:
    """As in the other faults, with a connection that is given up soon."""
    with ChaosProxy(postgres.port) as proxy:
        far_url = f"{proxy.route(postgres_url)}?connect_timeout={CONNECT_S}"
        with open_ledger(far_url, tmp_path) as far, open_ledger(postgres_url, tmp_path) as near:
            near.publish()
            near.open("A1", "M1")
            far.recharge("A1", "t1")
            yield Line(proxy, far, near)
            proxy.heal()


def is_told_in_time(ask: Callable[[], object]) -> LogUnavailableError:
    since = time.monotonic()
    with pytest.raises(LogUnavailableError) as told:
        ask()
    assert time.monotonic() - since < TOLD_WITHIN_S
    return told.value


def test_doors_are_told_in_time_and_go_on_when_it_answers_again(line: Line) -> None:
    line.proxy.faults.blackhole = True
    is_told_in_time(lambda: line.far.recharge("A1", "t2"))
    is_told_in_time(lambda: line.far.read(reading("M1", 1, 1)))
    is_told_in_time(lambda: line.far.ledger.meter_homes(["M7"]))
    is_told_in_time(lambda: line.far.ledger.event(0, 1))
    assert line.near.count("account.credited.v1") == 1
    line.mend()
    answer = line.far.recharge("A1", "t2")
    assert (answer.replayed, answer.body["balance_minor"]) == (False, 20_000)
    assert_sound(line.near)


def test_a_commit_whose_answer_never_comes_is_said_to_be_unknown_and_is_found_later(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang() -> None:
        line.proxy.faults.drop_down = True

    at_commit(monkeypatch, hang)
    assert isinstance(is_told_in_time(lambda: line.far.recharge("A1", "t2")), OutcomeUnknownError)
    line.mend()
    answer = line.far.recharge("A1", "t2")
    assert (answer.replayed, answer.body["balance_minor"]) == (True, 20_000)
    assert line.near.count("account.credited.v1") == 2
    assert_sound(line.near)


@pytest.mark.parametrize("readings", [150, 2_500], ids=["one COPY", "a COPY under way"])
def test_a_copy_that_is_not_taken_ends_in_time_and_leaves_nothing(
    line: Line, monkeypatch: pytest.MonkeyPatch, readings: int
) -> None:
    inner = log_writer.SqlLogWriter.append

    def append(self: log_writer.SqlLogWriter, rows: Sequence[Row]) -> None:
        line.proxy.faults.blackhole = True
        inner(self, rows)

    line.far.ledger.meter_homes(["M1"])
    batch = [reading("M1", hour, hour // 9) for hour in range(1, readings + 1)]
    with monkeypatch.context() as patched:
        patched.setattr(log_writer.SqlLogWriter, "append", append)
        is_told_in_time(lambda: line.far.read(*batch))
    line.mend()
    assert line.near.count("account.charged.v1") == 0
    assert line.far.read(*batch).body["accepted"] == readings
    assert_sound(line.near)


def test_a_copy_whose_rows_are_long_in_the_making_is_not_cut(line: Line) -> None:
    with line.far.engine.connect() as connection:
        patience.bound(connection)
        connection.execute(text("SELECT 1"))
        copying = Copying(connection.connection.cursor(), COPY)
        time.sleep(2 * PATIENCE_S)
        copying.add([])
        copying.end()
        assert connection.scalar(text("SELECT 1")) == 1


def test_whoever_reads_for_long_may_do_so(line: Line) -> None:
    with line.far.engine.execution_options(read_only=True).begin() as connection:
        connection.execute(text(f"SELECT pg_sleep({2 * PATIENCE_S})"))
        assert connection.scalar(text("SELECT 1")) == 1
