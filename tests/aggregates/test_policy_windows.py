"""No-cut windows are checked where they are written, and each problem says how to mend it."""

from typing import Any

import pytest

from ledger.aggregates.policy import PolicyDocument
from ledger.aggregates.policy_windows import NoCutWindow
from ledger.commands.publish_policy import lint

NIGHTS = {"name": "nights", "hours": "18:00-08:00"}


def problems(*windows: dict[str, Any], **trip: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - as an author writes them
    document = {
        "policy_id": "standard",
        "trip": {"available_minor": 0, **trip},
        "no_cut_windows": windows,
    }
    return [(each.path, each.message) for each in lint(document)]


def test_windows_of_every_shape_are_taken() -> None:
    assert not problems(
        NIGHTS,
        {"name": "lunch and evening", "hours": "12:00-14:00, 17:00-18:00", "days": ["mon"]},
        {"name": "weekends", "days": ["fri", "weekend"]},
        {"name": "holidays", "days": ["holiday"], "holidays": "cn"},
        {"name": "Spring Festival", "first_day": "2027-02-05", "last_day": "2027-02-20"},
        {"name": "Gaokao", "first_day": "06-07", "last_day": "06-10"},
        {"name": "winter", "first_day": "11-01", "last_day": "03-31"},
        grace_hours=24,
    )


@pytest.mark.parametrize(
    ("window", "path", "said"),
    [
        ({"hours": "6 pm to 8 am"}, "/hours", "write hours as 18:00-08:00"),
        ({"hours": "08:00-08:00"}, "/hours", "leave them out where the window is open all day"),
        ({"hours": "24:00-08:00"}, "/hours", "write hours as"),
        ({"hours": "08:00-24:30"}, "/hours", "write hours as"),
        ({"days": ["Friday"]}, "/days/0", "'fri'"),
        ({"days": ["holiday"]}, "", "say by holidays which calendar"),
        ({"days": ["holiday"], "holidays": "de"}, "/holidays", "known are: cn"),
        ({"days": ["fri"], "holidays": "cn"}, "", "only where days has holiday or weekend"),
        ({"first_day": "2027-02-30", "last_day": "2027-03-01"}, "/first_day", "2027-02-05"),
        ({"first_day": "2027-02-05"}, "", "a first_day and a last_day"),
        ({"first_day": "2027-02-05", "last_day": "02-20"}, "", "both name the year"),
        ({"first_day": "2027-02-20", "last_day": "2027-02-05"}, "", "not lie before"),
        ({"first_day": "2027-01-01", "last_day": "2028-01-01"}, "", "at most 184"),
        ({"first_day": "03-01", "last_day": "02-28"}, "", "at most 184"),
        ({"first_day": "06-07", "last_day": "06-10", "days": ["fri"]}, "", "write two"),
        ({}, "", "say when"),
        ({"hours": "18:00-08:00", "name": "grace"}, "/name", "name the window otherwise"),
        ({"hours": "18:00-08:00", "name": "a\x00b"}, "/name", "without control characters"),
        ({"hours": "18:00-08:00", "name": ""}, "/name", "at least 1 character"),
        ({"hours": "18:00-08:00", "until": "x"}, "/until", "not permitted"),
        (
            {"days": ["holiday"], "holidays": "cn", "through_year": 2999},
            "/through_year",
            "leave through_year out",
        ),
    ],
)
def test_a_window_that_says_nothing_sensible_is_named_with_its_place(
    window: dict[str, Any], path: str, said: str
) -> None:
    ((found, message),) = problems({"name": "w", **window})
    assert found == f"/no_cut_windows/0{path}"
    assert said in message


def test_windows_that_together_leave_no_hour_to_cut_in_are_an_error() -> None:
    days = {"name": "days", "hours": "08:00-17:30"}
    ((path, message),) = problems(NIGHTS, days)
    assert path == "/no_cut_windows"
    assert "no hour is left" in message
    assert "shorten or leave out one of: nights, days" in message
    winter = {"name": "winter", "first_day": "10-01", "last_day": "03-31"}
    summer = {"name": "summer", "first_day": "04-01", "last_day": "09-30"}
    assert problems(winter, summer)
    assert not problems(winter, NIGHTS)


def test_two_windows_of_one_name_are_an_error() -> None:
    assert problems(NIGHTS, NIGHTS)[0][0] == "/no_cut_windows/1/name"


def test_a_grace_is_whole_hours_of_a_month_at_most() -> None:
    for grace in (-1, 721, "24"):
        ((path, _),) = problems(grace_hours=grace)
        assert path == "/trip/grace_hours"


def test_a_calendar_is_taken_as_far_as_it_is_known_when_the_policy_is_published() -> None:
    window = NoCutWindow(name="holidays", days=("holiday",), holidays="cn")
    assert window.through_year == 2026
    of_2025 = NoCutWindow(name="holidays", days=("holiday",), holidays="cn", through_year=2025)
    assert of_2025.window() != window.window()


def test_a_policy_without_windows_and_grace_holds_nothing_back() -> None:
    document = {"policy_id": "p", "trip": {"available_minor": 0}}
    assert PolicyDocument.model_validate(document).terms(1).no_cut is None
    assert PolicyDocument.model_validate({"policy_id": "p"}).terms(1).no_cut is None
    patient = {"policy_id": "p", "trip": {"available_minor": 0, "grace_hours": 2}}
    assert PolicyDocument.model_validate(patient).terms(1).no_cut is not None
