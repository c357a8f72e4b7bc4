"""A time on a form is read by the clocks of the site."""

from datetime import UTC, datetime

import pytest

from api.console.wall_time import TimeError, wall_time


@pytest.mark.parametrize(
    ("text", "timezone", "moment"),
    [
        ("2026-07-03T08:00", "Asia/Shanghai", datetime(2026, 7, 3, tzinfo=UTC)),
        ("2026-07-03T08:00:30", "Asia/Shanghai", datetime(2026, 7, 3, 0, 0, 30, tzinfo=UTC)),
        ("2026-07-03T08:00", "UTC", datetime(2026, 7, 3, 8, tzinfo=UTC)),
        ("2026-07-03T08:00+01:00", "Asia/Shanghai", datetime(2026, 7, 3, 7, tzinfo=UTC)),
        ("2026-10-25T02:30", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_that_of_the_site(
    text: str, timezone: str, moment: datetime
) -> None:
    assert wall_time(text, timezone) == moment


def test_no_time_is_none() -> None:
    assert wall_time("", "Asia/Shanghai") is None


@pytest.mark.parametrize("text", ["tomorrow", "2026-02-30T08:00", "0001-01-01T00:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(TimeError, match="such as"):
        wall_time(text, "Asia/Shanghai")


def test_an_hour_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(TimeError, match="skip"):
        wall_time("2026-03-29T02:30", "Europe/Berlin")
