from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cli.times import TEXTS_MAX, Times, local_text
from ledger.values import micros

moments = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments)
def test_a_time_with_its_zone_is_the_same_everywhere(at: datetime) -> None:
    text = at.isoformat()
    assert (
        Times("Asia/Shanghai").micros(text) == Times("America/New_York").micros(text) == micros(at)
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T10:00:00+08:00",
        "2026-11-22T02:00:00Z",
        "2026-11-22T02:00z",
        "2026-11-22 10:00:00",
        "2026-11-22 10:00",
        "2026-11-22t10:00:00.000000",
    ],
)
def test_without_a_zone_a_time_is_local_to_the_ledger(text: str) -> None:
    at = datetime(2026, 11, 22, 2, tzinfo=UTC)
    assert Times("Asia/Shanghai").moment(text) == at


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-11-22", "20261122T100000", "2026-W47-7T10:00", "2026-02-30 10:00",
     "2026-11-22 24:30", "2026-11-22T10:00:00+8", "22.11.2026 10:00", "٢٠٢٦-11-22 10:00"],
)  # fmt: skip
def test_what_is_no_rfc_3339_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"a time such as|there is no time"):
        Times("Asia/Shanghai").micros(text)


def test_a_time_that_the_clocks_skipped_does_not_exist() -> None:
    with pytest.raises(ValueError, match="skipped"):
        Times("Europe/Berlin").micros("2026-03-29 02:30")
    assert Times("Europe/Berlin").micros("2026-03-29 03:30")


def test_the_first_of_two_equal_wall_clock_times_is_meant() -> None:
    twice = Times("Europe/Berlin").moment("2026-10-25 02:30")
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_texts_beyond_any_number_are_read_in_bounded_memory() -> None:
    times = Times("Asia/Shanghai")
    first = times.micros("2026-01-01T00:00:00Z")
    for second in range(TEXTS_MAX + 10):
        hours, rest = divmod(second, 3600)
        day, hour = divmod(hours, 24)
        times.micros(f"2026-01-{day + 1:02d}T{hour:02d}:{rest // 60:02d}:{rest % 60:02d}Z")
    assert len(times._known) <= TEXTS_MAX
    assert times.micros("2026-01-01T00:00:00Z") == first


def test_a_time_without_a_zone_is_on_the_wall_already() -> None:
    assert local_text("2026-01-31T16:00:00Z", "Asia/Shanghai") == "2026-02-01 00:00:00"
    assert local_text("2026-02-01", "Asia/Shanghai") == "2026-02-01"
    assert local_text("2026-02-01T08:00:00", "Asia/Shanghai") == "2026-02-01 08:00:00"
