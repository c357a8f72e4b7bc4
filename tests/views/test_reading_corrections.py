"""The readings of a meter are those that count: late, corrected, and none that was cancelled."""

import pytest

from adapters.views.queries import SqlQueries
from ledger.queries import ReadingsAsked
from tests.commands.test_correct_reading import cancel, correct
from tests.harness.desk import Desk, Json, point


def readings(desk: Desk, limit: int = 100) -> list[Json]:
    """All of them, page by page."""
    queries, items, cursor = SqlQueries(desk.engine, desk.terms), [], None
    while True:
        page = queries.readings(ReadingsAsked("M1", cursor=cursor, limit=limit))
        items += page.items
        cursor = page.cursor
        if cursor is None:
            return items


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_page_of_readings_tells_what_counts(desk: Desk, limit: int) -> None:
    desk.open("A1", point("M1"))
    for day, kwh in ((3, 30), (5, 50), (7, 70)):
        desk.read("M1", f"2026-01-0{day}", kwh * 1_000)
    desk.read("M1", "2026-01-04", 41_000)
    correct(desk, "M1", "2026-01-05", "49")
    cancel(desk, "M1", "2026-01-03")
    desk.views.catch_up()
    found = readings(desk, limit)
    assert [(item["at"][:10], item["registers"]["total"], item["quantity"]) for item in found] == [
        ("2026-01-03", "41", "41"),
        ("2026-01-04", "49", "8"),
        ("2026-01-06", "70", "21"),
    ]
    cancel(desk, "M1", "2026-01-07")
    desk.read("M1", "2026-01-07", 68_000)
    assert [item["registers"]["total"] for item in readings(desk, limit)] == ["41", "49", "68"]


def test_a_reading_tells_what_was_posted_for_it_and_what_corrected_it(desk: Desk) -> None:
    """Every correction is counted at one reading, so that all of them add up to what was paid."""
    desk.open("A1", point("M1", "tiered"))
    for day, kwh in ((3, 30), (5, 150), (7, 170)):
        desk.read("M1", f"2026-01-0{day}", kwh * 1_000)
    desk.read("M1", "2026-01-04", 41_000)
    correct(desk, "M1", "2026-01-05", "90")
    correct(desk, "M1", "2026-01-07", "110")
    desk.views.catch_up()
    found = {item["at"][:10]: item for item in readings(desk)}
    causes = {day: [each["cause"] for each in item["corrections"]] for day, item in found.items()}
    assert causes == {
        "2026-01-02": [],
        "2026-01-03": ["late"],
        "2026-01-04": ["late", "corrected"],
        "2026-01-06": ["corrected", "corrected"],
    }
    amounts = {day: item["amount_minor"] for day, item in found.items()}
    assert sum(amounts.values()) == -desk.account("A1").balance_minor == 100 * 50 + 10 * 60
    assert amounts["2026-01-02"] == 30 * 50
    booked = [each for item in found.values() for each in item["corrections"]]
    assert {each["position"] for each in booked if each["booked_at"][:10] == "2026-01-04"} == {
        found["2026-01-04"]["corrections"][1]["position"]
    }
