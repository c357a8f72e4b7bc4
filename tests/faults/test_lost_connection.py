"""The connection breaks before COMMIT: nothing was written, and on it goes by itself."""

from collections.abc import Sequence

import pytest

from adapters.store import log_writer
from ledger.ports import LogUnavailableError, OutcomeUnknownError, Row
from tests.harness.faulty_line import Line
from tests.harness.ledgers import reading
from tests.harness.soundness import assert_sound

pytestmark = pytest.mark.postgres


def test_a_connection_cut_anywhere_leaves_one_effect_or_none(line: Line) -> None:
    """After so many bytes of a transaction, wherever in it that is."""
    for n, up_bytes in enumerate(range(60, 6_000, 180), start=1):
        line.cut_after(up_bytes)
        try:
            answer = line.far.recharge("A1", f"t{n}")
        except OutcomeUnknownError:
            raise
        except LogUnavailableError:
            assert line.near.count("account.credited.v1") == n - 1
            line.proxy.heal()
            answer = line.far.recharge("A1", f"t{n}")
        assert (answer.replayed, answer.body["balance_minor"]) == (False, 10_000 * n)
        line.proxy.heal()
    assert_sound(line.near)


@pytest.mark.parametrize("readings", [199, 2_500], ids=["one COPY", "a COPY under way"])
def test_a_connection_lost_inside_a_copy_is_no_reason_to_bother_the_caller(
    line: Line, readings: int
) -> None:
    """None of its rows stay, and all are written on the next connection."""
    line.far.ledger.meter_homes(["M1"])
    line.cut_after(readings * 300)
    answer = line.far.read(*(reading("M1", hour, hour // 9) for hour in range(1, readings + 1)))
    assert line.was_cut()
    assert answer.body["accepted"] == readings
    assert line.near.count("account.charged.v1") == readings
    assert_sound(line.near)


def test_connections_that_break_one_after_the_other_are_no_reason_either(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = log_writer.SqlLogWriter.append
    left = list(range(3))

    def append(self: log_writer.SqlLogWriter, rows: Sequence[Row]) -> None:
        if left:
            left.pop()
            line.cut_after(1_000)
        inner(self, rows)

    monkeypatch.setattr(log_writer.SqlLogWriter, "append", append)
    assert line.far.read(*(reading("M1", hour, hour) for hour in range(1, 9))).body["accepted"] == 8
    assert left == []
    assert line.near.count("account.charged.v1") == 8
    assert_sound(line.near)


def test_connections_that_always_break_are_said_in_the_words_of_the_ledger(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = log_writer.SqlLogWriter.append

    def append(self: log_writer.SqlLogWriter, rows: Sequence[Row]) -> None:
        line.cut_after(1_000)
        inner(self, rows)

    before = line.near.rows()
    with monkeypatch.context() as patched:
        patched.setattr(log_writer.SqlLogWriter, "append", append)
        with pytest.raises(LogUnavailableError, match="connection was lost"):
            line.far.recharge("A1", "t1")
    assert line.near.rows() == before
    line.proxy.heal()
    assert line.far.recharge("A1", "t1").body["balance_minor"] == 10_000


def test_a_server_that_is_not_there_is_said_and_found_again(line: Line) -> None:
    line.proxy.faults.refuse = True
    line.proxy.cut()
    for ask in (
        lambda: line.far.recharge("A1", "t1"),
        lambda: line.far.read(reading("M-unknown", 1, 1)),
        lambda: line.far.ledger.event(0, 1),
    ):
        with pytest.raises(LogUnavailableError):
            ask()
    line.proxy.heal()
    assert line.far.recharge("A1", "t1").body["balance_minor"] == 10_000
    assert line.far.ledger.event(0, 1) is not None
