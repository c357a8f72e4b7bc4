"""A meter behind a line that does what lines do: legal oddities are read, the rest is no answer."""

from collections.abc import Callable, Iterator

import pytest

from adapters.devices.fleet import Fleet
from adapters.devices.line import REFUSALS
from ledger.devices import Garbled, MeterAddress, NoAnswer, Offline, Ok, Order, Outcome, Refused
from tests.harness import meddler
from tests.harness.meddler import WRITE, Meddler, Trick
from tests.harness.umodbus_gateway import Twin, UmodbusGateway

WAIT_S = 60
TOTAL_WH = 1_234_560
LATE_S = 0.32
"""Behind the time-out of these tests, and within the quiet that follows it."""


@pytest.fixture
def twin() -> Twin:
    twin = Twin()
    twin.show(total_wh=TOTAL_WH)
    return twin


@pytest.fixture
def line(twin: Twin) -> Iterator[Meddler]:
    with UmodbusGateway(unit_5=twin) as gateway, Meddler(gateway.address).at_work() as between:
        yield between


@pytest.fixture
def read(fleet: Fleet, line: Meddler) -> Callable[[], Outcome]:
    address = MeterAddress("M5", line.address, 5, "DDSY1352")
    return lambda: fleet.read(address).result(WAIT_S)


@pytest.fixture
def trip(fleet: Fleet, line: Meddler) -> Callable[[], Outcome]:
    address = MeterAddress("M5", line.address, 5, "DDSY1352")
    return lambda: fleet.submit(address, Order("trip")).result(WAIT_S)


def total(outcome: Outcome) -> int:
    assert isinstance(outcome, Ok), outcome
    assert outcome.state is not None
    return outcome.state.registers["total"]


@pytest.mark.parametrize("trick", [meddler.in_pieces, meddler.with_garbage, meddler.repeated])
def test_an_odd_but_legal_answer_is_read(
    line: Meddler, read: Callable[[], Outcome], trick: Trick
) -> None:
    line.play(trick, 3)
    assert [total(read()) for _ in range(5)] == [TOTAL_WH] * 5


@pytest.mark.parametrize(
    "trick",
    [
        meddler.of_another,
        meddler.wrong_crc,
        meddler.half,
        meddler.late(LATE_S),
        meddler.unheard,
        meddler.lost,
        meddler.reset_midway,
        meddler.reset_before,
    ],
)
def test_what_is_no_answer_is_never_a_value_and_the_next_one_is(
    line: Meddler, read: Callable[[], Outcome], twin: Twin, trick: Trick
) -> None:
    assert total(read()) == TOTAL_WH
    line.play(trick)
    assert isinstance(read(), NoAnswer | Garbled | Offline)
    twin.show(total_wh=TOTAL_WH + 10)
    assert any(total_or_none(read()) == TOTAL_WH + 10 for _ in range(3))


def total_or_none(outcome: Outcome) -> int | None:
    return total(outcome) if isinstance(outcome, Ok) else None


@pytest.mark.parametrize(
    "trick",
    [meddler.of_another, meddler.wrong_crc, meddler.half, meddler.lost, meddler.late(LATE_S)],
)
def test_a_write_that_was_done_behind_a_broken_answer_is_unknown_and_written_once(
    line: Meddler, trip: Callable[[], Outcome], twin: Twin, trick: Trick
) -> None:
    line.play(trick, on=WRITE)
    assert isinstance(trip(), NoAnswer | Garbled)
    assert twin.force == (1, 1)
    assert len(twin.written) == 2  # The two words of one request.


def test_a_connection_that_breaks_under_a_write_leaves_it_unknown(
    line: Meddler, trip: Callable[[], Outcome], read: Callable[[], Outcome], twin: Twin
) -> None:
    assert total(read()) == TOTAL_WH
    line.play(meddler.reset_midway, on=WRITE)
    assert isinstance(trip(), NoAnswer)
    assert len(twin.written) == 2


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 8, 10, 11, 99])
def test_a_meter_that_says_no_is_told_in_words(
    line: Meddler, trip: Callable[[], Outcome], twin: Twin, code: int
) -> None:
    line.play(meddler.refusing(code), on=WRITE)
    assert trip() == Refused(REFUSALS.get(code, f"exception_{code}"))
    assert twin.written == []
